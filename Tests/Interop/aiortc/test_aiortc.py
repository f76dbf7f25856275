"""aiortc, a WebRTC stack of its own, as the browser: WHIP in every detail RFC 9725 and CONTRACT name, and sound."""

import asyncio
import re

import aiohttp
import pytest
import speech
from scipy.signal import resample_poly
from sound import best_correlation
from waiting import wait_until
from whip_caller import RATE, WHIPCaller

SENTENCE = speech.BROWSER_SENTENCE


def run(scenario, limit=60):
    asyncio.run(asyncio.wait_for(scenario, limit))


def spoken():
    return speech.samples(SENTENCE, RATE)


def narrow(samples):
    """At 8 kHz: what is left of the sound on every kind of call."""
    return resample_poly(samples.astype(float), 1, RATE // 8000)


async def speak_and_listen(caller):
    await caller.wait_connected()
    # The far end is there once sound comes; then speak.
    await caller.wait_heard(0.5, 15)
    caller.track.begin()
    await caller.wait_heard(len(spoken()) / RATE + 2.5, 40)


@pytest.mark.parametrize("setup", ["actpass", "active", "passive"])
def test_speech_comes_back_in_both_dtls_roles(gateway, setup):
    async def scenario():
        async with WHIPCaller(gateway, "echo", spoken(), setup=setup) as caller:
            assert caller.response_headers["Content-Type"].split(";")[0] == "application/sdp"
            answered = re.search(r"a=setup:(\S+)", caller.answer)[1]
            assert answered == {"active": "passive", "passive": "active"}.get(setup, answered) and answered in ("active", "passive")
            assert caller.etag and caller.etag.startswith('"')
            assert "a=ice-lite" in caller.answer and "a=rtcp-mux" in caller.answer and "a=sendrecv" in caller.answer
            await speak_and_listen(caller)
            _, correlation = best_correlation(narrow(spoken()), narrow(caller.heard()), 8000)
            assert correlation >= 0.85, correlation  # the sound of Opus, twice
            assert await caller.hang_up() == 200
            problem = await caller.wait_gone()
            assert problem["cause"] == "caller_hangup"

    run(scenario())


def test_speech_both_ways_with_a_websocket_agent(agent, agent_gateway):
    answer = speech.samples(speech.AGENT_SENTENCE, 8000)

    async def scenario():
        async with WHIPCaller(agent_gateway, "assistant", spoken()) as caller:
            await caller.wait_connected()
            call = await asyncio.to_thread(agent.wait_call)
            await asyncio.to_thread(call.wait_heard, 0.5, 10)
            caller.track.begin()
            await asyncio.to_thread(call.wait_heard, len(spoken()) / RATE + 2, 30)
            before = len(caller.frames)
            await asyncio.to_thread(call.say, answer)
            await caller.wait_heard(before * 0.02 + len(answer) / 8000 + 2, 30)
            assert await caller.hang_up() == 200
            await asyncio.to_thread(call.wait_for, "stop", 5)
            await asyncio.to_thread(call.wait_closed)
            assert not call.transcript.violations
            _, upward = best_correlation(narrow(spoken()), call.transcript.heard(), 8000)
            _, downward = best_correlation(answer, narrow(caller.heard()), 8000)
            assert upward >= 0.9 and downward >= 0.85, (upward, downward)

    run(scenario())


@pytest.mark.parametrize("setup", ["active", "passive"])
def test_a_wrong_fingerprint_gets_no_media(agent, agent_gateway, setup):
    wrong = "sha-256 " + ":".join(["AB"] * 32)

    async def scenario():
        async with WHIPCaller(agent_gateway, "assistant", spoken(), setup=setup, fingerprint=wrong) as caller:
            caller.track.begin()
            problem = await caller.wait_gone(40)
            assert problem["cause"] in ("failed", "connection_lost"), problem
            assert not caller.frames, "media came to a peer whose certificate is not the one it announced"
            for call in agent.calls:
                assert not call.transcript.heard().any(), "the agent heard a peer whose certificate is not the one it announced"

    run(scenario())


def test_trickle_preconditions(gateway):
    async def scenario():
        async with WHIPCaller(gateway, "echo") as caller:
            user = re.search(r"a=ice-ufrag:(\S+)", caller.offer)[1]
            password = re.search(r"a=ice-pwd:(\S+)", caller.offer)[1]
            fragment = (f"a=ice-ufrag:{user}\r\na=ice-pwd:{password}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
                        "a=candidate:1 1 udp 2130706431 192.0.2.77 54321 typ host\r\na=end-of-candidates\r\n")  # fmt: skip
            kind = "application/trickle-ice-sdpfrag"
            assert (await caller.request("PATCH", data=fragment, Content_Type=kind, If_Match=caller.etag))[0] == 204
            assert (await caller.request("PATCH", data=fragment, Content_Type=kind))[0] == 428
            assert (await caller.request("PATCH", data=fragment, Content_Type=kind, If_Match='"stale"'))[0] == 412
            assert (await caller.request("PATCH", data=fragment, Content_Type="text/plain", If_Match=caller.etag))[0] == 415
            assert (await caller.request("PATCH", data="a=nonsense without credentials\r\n", Content_Type=kind, If_Match=caller.etag))[0] in (400, 422)
            await caller.wait_connected()
            assert await caller.hang_up() == 200
            # Over, but known: 410 for a minute, whatever is asked.
            await caller.wait_gone()
            assert (await caller.request("DELETE"))[0] == 410
            assert (await caller.request("PATCH", data=fragment, Content_Type=kind, If_Match=caller.etag))[0] == 410
            unknown = caller.url.rsplit("/", 1)[0] + "/nobody-has-this-session"
            assert (await caller.request("DELETE", unknown))[0] == 404
            assert (await caller.request("PATCH", unknown, data=fragment, Content_Type=kind, If_Match=caller.etag))[0] == 404

    run(scenario())


def test_connects_by_a_candidate_sent_later(gateway):
    """The offer carries no candidate at all: the gateway, being ICE-lite, learns the address from the check."""

    def without_candidates(offer):
        return "".join(line for line in offer.splitlines(keepends=True) if not line.startswith(("a=candidate", "a=end-of-candidates")))

    async def scenario():
        async with WHIPCaller(gateway, "echo", change=without_candidates) as caller:
            await caller.wait_connected()
            await caller.wait_heard(0.5, 15)
            assert await caller.hang_up() == 200

    run(scenario())


def test_a_one_way_offer_is_answered_one_way(gateway):
    async def scenario():
        async with WHIPCaller(gateway, "echo", change=lambda offer: offer.replace("a=sendrecv", "a=sendonly")) as caller:
            assert "a=recvonly" in caller.answer
            assert await caller.hang_up() == 200

    run(scenario())


def test_the_agent_hangs_up(agent, agent_gateway):
    async def scenario():
        async with WHIPCaller(agent_gateway, "assistant") as caller:
            await caller.wait_connected()
            call = await asyncio.to_thread(agent.wait_call)
            await asyncio.to_thread(call.close)
            problem = await caller.wait_gone()
            assert problem["cause"] == "agent_hangup"
            # DTLS close_notify ends the peer connection too.
            await asyncio.wait_for(caller.ended.wait(), 10)

    run(scenario())


def test_loss_that_aiortc_reports_brings_error_correction(gateway):
    """Every tenth packet is taken away before aiortc sees it; what it reports makes the gateway protect what it sends."""

    def takes_correction(offer):
        return re.sub(r"(a=rtpmap:(\d+) opus/48000/2\r\n)", r"\1a=fmtp:\2 useinbandfec=1\r\n", offer)

    async def scenario():
        async with WHIPCaller(gateway, "echo", change=takes_correction) as caller:
            transport = caller.connection.getTransceivers()[0].receiver.transport
            handle, count = transport._handle_rtp_data, 0

            async def handle_most(data, **arguments):
                nonlocal count
                count += 1
                if count % 10:
                    await handle(data, **arguments)

            await caller.wait_connected()
            await caller.wait_heard(0.5, 15)
            assert gateway.metric("tandem_opus_protected_legs") == 0
            transport._handle_rtp_data = handle_most
            await asyncio.to_thread(wait_until, lambda: gateway.metric("tandem_opus_protected_legs") == 1, 20, "no error correction")
            assert gateway.metric("tandem_opus_reduced_legs") == 0
            assert await caller.hang_up() == 200

    run(scenario())


OFFER_HEAD = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"


async def post(gateway, to, data, content_type="application/sdp", **headers):
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as http:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with http.post(f"{gateway.http_url}/whip/{to}", data=data, headers={"Content-Type": content_type, **named}) as response:
            return response.status, response.headers, await response.text()


async def offer(gateway, change=lambda text: text):
    """An offer as aiortc writes it."""
    from aiortc import RTCPeerConnection
    from whip_caller import SpeechTrack

    connection = RTCPeerConnection()
    connection.addTrack(SpeechTrack(()))
    await connection.setLocalDescription(await connection.createOffer())
    text = change(connection.localDescription.sdp)
    await connection.close()
    return text


def test_refusals(gateway):
    def only_g722(text):
        text = re.sub(r"(m=audio \d+ \S+) .*", r"\1 9", text)
        return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(("a=rtpmap", "a=fmtp", "a=rtcp-fb"))).replace("a=mid:0\r\n", "a=mid:0\r\na=rtpmap:9 G722/8000\r\n")

    async def scenario():
        good = await offer(gateway)
        for wanted, arguments in (
            (404, ("nobody", good)),
            (415, ("echo", good, "text/plain")),
            (400, ("echo", "this is no session description")),
            (400, ("echo", "")),
            (413, ("echo", "v=0\r\n" + "a=x:" + "y" * 3_000_000 + "\r\n")),
            (406, ("echo", await offer(gateway, only_g722))),
        ):
            status, headers, body = await post(gateway, *arguments)
            assert status == wanted, f"{status} instead of {wanted}: {body[:300]}"
            assert headers["Content-Type"].split(";")[0] == "application/problem+json", headers
            assert "title" in body and "detail" in body

    run(scenario())


def test_the_far_end_that_rejects(start_gateway):
    gateway = start_gateway(routes=[{"name": "closed", "when": {"to": "closed"}, "do": [{"reject": 503}]}])

    async def scenario():
        status, _, _ = await post(gateway, "closed", await offer(gateway))
        assert status == 503

    run(scenario())


def test_cors_and_options(start_gateway):
    gateway = start_gateway(configuration={"http": {"origins": ["https://shop.example"], "admin_token": "0123456789abcdef0123456789abcdef"}})

    async def scenario():
        good = await offer(gateway)
        async with aiohttp.ClientSession() as http:
            async with http.options(f"{gateway.http_url}/whip/echo") as response:
                assert response.status in (200, 204)
                assert "application/sdp" in response.headers["Accept-Post"]
            preflight = {"Origin": "https://shop.example", "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "content-type, if-match"}
            async with http.options(f"{gateway.http_url}/whip/echo", headers=preflight) as response:
                assert response.headers["Access-Control-Allow-Origin"] == "https://shop.example"
                assert "PATCH" in response.headers["Access-Control-Allow-Methods"] and "DELETE" in response.headers["Access-Control-Allow-Methods"]
                assert "if-match" in response.headers["Access-Control-Allow-Headers"].lower()
            async with http.get(f"{gateway.http_url}/api/v1/records", headers={"Origin": "https://shop.example", "Authorization": "Bearer 0123456789abcdef0123456789abcdef"}) as response:
                # The answer itself depends on Accept.
                assert response.status == 200 and sorted(response.headers.getall("Vary")) == ["Accept", "Origin"]
        status, _, body = await post(gateway, "echo", good, Origin="https://elsewhere.example")
        assert status == 403, body
        status, headers, _ = await post(gateway, "echo", good, Origin="https://shop.example")
        assert status == 201
        exposed = headers["Access-Control-Expose-Headers"].lower()
        assert all(name in exposed for name in ("location", "etag", "link"))
        async with aiohttp.ClientSession() as http, http.delete(gateway.http_url + headers["Location"], headers={"Origin": "https://shop.example"}) as response:
            assert response.status == 200
        status, headers, _ = await post(gateway, "echo", good, Origin=gateway.http_url)  # the same origin always
        assert status == 201
        async with aiohttp.ClientSession() as http, http.delete(gateway.http_url + headers["Location"]) as response:
            assert response.status == 200

    run(scenario())


def test_draining_refuses_browsers(start_gateway):
    gateway = start_gateway(configuration={"limits": {"max_calls": 100, "drain_seconds": 4}})

    async def scenario():
        async with WHIPCaller(gateway, "echo") as caller:
            await caller.wait_connected()
            good = await offer(gateway)
            gateway.terminate()
            for _ in range(50):
                status, headers, _ = await post(gateway, "echo", good)
                if status == 503:
                    break
                await asyncio.sleep(0.05)
            assert status == 503 and int(headers["Retry-After"]) > 0
            await asyncio.wait_for(caller.ended.wait(), 20)

    run(scenario())
    assert gateway.process.wait(15) == 0
