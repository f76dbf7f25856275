"""What a Twilio Media Streams agent may rely on, checked message by message (order, keys, types, counting, time)."""

import base64
import binascii
import json

import g711
import numpy as np

FRAME_MS = 20

# event to (keys of the message, keys of the object named like the event)
_SHAPES = {
    "connected": ({"event", "protocol", "version"}, None),
    "start": ({"event", "sequenceNumber", "start", "streamSid"},
              {"accountSid", "streamSid", "callSid", "tracks", "mediaFormat", "customParameters"}),
    "media": ({"event", "sequenceNumber", "media", "streamSid"}, {"track", "chunk", "timestamp", "payload"}),
    "mark": ({"event", "sequenceNumber", "mark", "streamSid"}, {"name"}),
    "dtmf": ({"event", "sequenceNumber", "dtmf", "streamSid"}, {"track", "digit"}),
    "stop": ({"event", "sequenceNumber", "stop", "streamSid"}, {"accountSid", "callSid"}),
}  # fmt: skip


class TwilioTranscript:
    """Every message of one stream as it arrived, and in `violations` a sentence for each broken promise."""

    def __init__(self):
        self.messages = []  # (arrival in seconds of the system clock, message)
        self.violations = []
        self.start = None
        self._next_sequence = 1
        self._next_chunk = 1
        self._next_timestamp = None
        self._audio = bytearray()

    def receive(self, text, arrived):
        """Takes one WebSocket message; returns it parsed, or None if it cannot be."""
        if not isinstance(text, str):
            self._broken(f"a binary message of {len(text)} bytes")
            return None
        try:
            message = json.loads(text)
        except ValueError as error:
            self._broken(f"not JSON ({error}): {text[:200]}")
            return None
        event = message.get("event") if isinstance(message, dict) else None
        self._check_order(event)
        self.messages.append((arrived, message))
        if event not in _SHAPES:
            self._broken(f"unknown event {text[:200]}")
            return message
        keys, inner = _SHAPES[event]
        if set(message) != keys:
            self._broken(f"{event} has the keys {sorted(message)}, not {sorted(keys)}")
        if inner is not None and set(message.get(event, {})) != inner:
            self._broken(f"{event}.{event} has the keys {sorted(message.get(event, {}))}, not {sorted(inner)}")
        if event != "connected":
            self._next_sequence = self._count(message, "sequenceNumber", self._next_sequence, event)
        getattr(self, f"_check_{event}")(message)
        if self.start and event != "connected" and message.get("streamSid") != self.start.get("streamSid"):
            self._broken(f"{event} carries streamSid {message.get('streamSid')!r}")
        return message

    # What a test asks for

    def events(self):
        """The order of events, runs of the same one counted once."""
        order = []
        for _, message in list(self.messages):
            if not order or order[-1] != message.get("event"):
                order.append(message.get("event"))
        return order

    def shapes(self):
        """Per event the keys and types of its messages, nested: equal for two callers whatever they came by."""

        def shape(value):
            if isinstance(value, dict):
                return tuple(sorted((key, shape(inner)) for key, inner in value.items()))
            return type(value).__name__

        found = {}
        for _, message in list(self.messages):
            # What the step and the caller add is theirs.
            if message.get("event") == "start":
                message = {**message, "start": {**message["start"], "customParameters": {}}}
            found.setdefault(message.get("event"), set()).add(shape(message))
        return found

    def of(self, event):
        """(arrival, message) of every message of one event."""
        return [(arrived, message) for arrived, message in list(self.messages) if message.get("event") == event]

    def digits(self):
        return "".join(message["dtmf"]["digit"] for _, message in self.of("dtmf"))

    def heard(self):
        """The caller's audio so far, 16-bit samples at 8 kHz."""
        return g711.decode(bytes(self._audio))

    def media_arrivals(self):
        return np.array([arrived for arrived, _ in self.of("media")])

    # The checks

    def _broken(self, sentence):
        self.violations.append(f"message {len(self.messages)}: {sentence}")

    def _check_order(self, event):
        position = len(self.messages)
        wanted = ("connected", "start")[position] if position < 2 else None
        if wanted and event != wanted:
            self._broken(f"{event} where {wanted} belongs")
        if position >= 2 and event in ("connected", "start"):
            self._broken(f"a second {event}")
        if self.messages and self.messages[-1][1].get("event") == "stop":
            self._broken(f"{event} after stop")

    def _count(self, holder, key, expected, event):
        value = holder.get(key)
        if not (isinstance(value, str) and value.isascii() and value.isdigit()):
            self._broken(f"{event}: {key} is {value!r}, not a decimal string")
            return expected + 1
        if int(value) != expected:
            self._broken(f"{event}: {key} is {value}, expected {expected}")
        return int(value) + 1

    def _check_connected(self, message):
        if message.get("protocol") != "Call" or message.get("version") != "1.0.0":
            self._broken(f"connected says {message}")

    def _check_start(self, message):
        self.start = start = message.get("start", {})
        if start.get("tracks") != ["inbound"]:
            self._broken(f"start: tracks are {start.get('tracks')!r}")
        if start.get("mediaFormat") != {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}:
            self._broken(f"start: mediaFormat is {start.get('mediaFormat')!r}")
        for key, prefix in (("accountSid", "AC"), ("callSid", "CA"), ("streamSid", "MZ")):
            value = start.get(key)
            if not (isinstance(value, str) and len(value) == 34 and value.startswith(prefix)):
                self._broken(f"start: {key} is {value!r}, not {prefix} and 32 hexadecimal digits")
        parameters = start.get("customParameters")
        if not (isinstance(parameters, dict) and all(isinstance(value, str) for value in parameters.values())):
            self._broken(f"start: customParameters are {parameters!r}")
        elif not {"from_number", "to_number"} <= set(parameters):
            self._broken(f"start: customParameters lack from_number or to_number: {parameters!r}")

    def _check_media(self, message):
        media = message.get("media", {})
        if media.get("track") != "inbound":
            self._broken(f"media: track is {media.get('track')!r}")
        self._next_chunk = self._count(media, "chunk", self._next_chunk, "media")
        try:
            payload = base64.b64decode(media.get("payload", ""), validate=True)
        except (binascii.Error, TypeError, ValueError):
            self._broken("media: payload is not base64")
            return
        if len(payload) != 8 * FRAME_MS:
            self._broken(f"media: {len(payload)} bytes, not {8 * FRAME_MS}")
        timestamp = media.get("timestamp")
        if not (isinstance(timestamp, str) and timestamp.isdigit()):
            self._broken(f"media: timestamp is {timestamp!r}")
        elif self._next_timestamp is not None and int(timestamp) != self._next_timestamp:
            self._broken(f"media: timestamp is {timestamp}, expected {self._next_timestamp}")
        if isinstance(timestamp, str) and timestamp.isdigit():
            self._next_timestamp = int(timestamp) + len(payload) // 8
        self._audio += payload

    def _check_mark(self, message):
        if not isinstance(message.get("mark", {}).get("name"), str):
            self._broken(f"mark: {message!r}")

    def _check_dtmf(self, message):
        dtmf = message.get("dtmf", {})
        if dtmf.get("track") != "inbound_track":
            self._broken(f"dtmf: track is {dtmf.get('track')!r}")
        if not (isinstance(dtmf.get("digit"), str) and len(dtmf["digit"]) == 1 and dtmf["digit"] in "0123456789*#ABCD"):
            self._broken(f"dtmf: digit is {dtmf.get('digit')!r}")

    def _check_stop(self, message):
        if self.start and any(message.get("stop", {}).get(key) != self.start.get(key) for key in ("accountSid", "callSid")):
            self._broken(f"stop does not name the call: {message!r}")
