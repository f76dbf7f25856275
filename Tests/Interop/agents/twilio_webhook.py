"""A voice webhook with Python's own http.server: it answers TwiML, and believes only what Twilio's RequestValidator believes."""

import io
import threading
import time
import wave
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator

ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "f00dfacef00dfacef00dfacef00dface"


def wav_bytes(samples, rate=8000):
    """A WAV file of 16-bit samples."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


class TwilioWebhook:
    """`documents`: path to TwiML, given without <Response>. `files`: path to bytes. `delays`: path to seconds before the answer."""

    def __init__(self, documents=None, files=None, delays=None):
        self.documents, self.files, self.delays = documents or {}, files or {}, delays or {}
        self.requests = []  # (path, form, whether the signature is right)
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = dict(parse_qsl(body, keep_blank_values=True))
                signature = self.headers.get("X-Twilio-Signature", "")
                valid = RequestValidator(TOKEN).validate(webhook.url + self.path, form, signature)
                webhook.requests.append((self.path, form, valid))
                time.sleep(webhook.delays.get(self.path, 0))
                document = webhook.documents.get(self.path)
                if document is None or not valid:
                    return self.answer(404 if valid else 403, "text/plain", b"no\n")
                self.answer(200, "text/xml", f'<?xml version="1.0" encoding="UTF-8"?>\n<Response>{document}</Response>\n'.encode())

            def do_GET(self):
                file = webhook.files.get(self.path)
                self.answer(200 if file else 404, "audio/wav", file or b"")

            def answer(self, status, kind, body):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass  # the gateway did not wait

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()

    def agent(self, path="/voice", **more):
        """The agent's entry in tandem.yaml."""
        return {"webhook": self.url + path, "protocol": "twilio", "account": ACCOUNT, "token": TOKEN, **more}

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
