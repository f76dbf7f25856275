"""What a phone line carries beside a voice, with a phone that shares no code with the gateway: keys as tones, fax machines, echo."""

import time

import numpy as np
import pytest
import sip_caller
import speech
from hybrid_stream import HybridStream
from native_agent import NativeAgent
from rtp_stream import EVENT
from waiting import wait_until

LOW, HIGH = [697, 770, 852, 941], [1209, 1336, 1477, 1633]
KEYS = "123A456B789C*0#D"


def key(digit, milliseconds):
    """The two tones of a key at -13 dBFS each."""
    place = KEYS.index(digit)
    return speech.tone(LOW[place // 4], milliseconds / 1000, amplitude=7000) + speech.tone(HIGH[place % 4], milliseconds / 1000, amplitude=7000)


def silence(milliseconds):
    return np.zeros(milliseconds * 8, np.int16)


class PlainCall(sip_caller.Call):
    """Offers no telephone-events."""

    def offer(self, direction="sendrecv"):
        lines = super().offer(direction).split("\r\n")
        return "\r\n".join(line.removesuffix(f" {EVENT}") for line in lines if f":{EVENT}" not in line)


@pytest.fixture
def without_events(monkeypatch):
    monkeypatch.setattr(sip_caller, "Call", PlainCall)


@pytest.fixture
def native():
    """An agent whose speech the gateway cuts off when the caller speaks."""

    async def act(call, event):
        if event.name == "call":
            await call.command("set", vad="interrupt")

    agent = NativeAgent(act)
    yield agent
    agent.stop()


@pytest.fixture
def gateway(start_gateway, native):
    return start_gateway(agents={"native": native.configuration})


@pytest.fixture
def media(gateway, start_phone):
    call = start_phone(gateway).call("native")
    call.media.wait_heard(0.3, 10)
    return call.media


def digits(agent):
    return "".join(event["digit"] for event in agent.of("dtmf"))


def test_keys_as_fast_as_dialling_machines_press_them(without_events, native, media):
    """50 ms each, and 50 ms between them."""
    media.play(np.concatenate([silence(200), *(np.concatenate([key(one, 50), silence(50)]) for one in KEYS * 2)]))
    wait_until(lambda: len(digits(native)) == 32, 10, lambda: digits(native))
    assert digits(native) == KEYS * 2
    assert {event["source"] for event in native.of("dtmf")} == {"inband"}


def test_a_long_key_is_one_key_and_speech_is_none(without_events, native, media):
    media.play(np.concatenate([silence(200), key("5", 3000), silence(100), speech.samples(speech.PHONE_SENTENCE), key("#", 100), silence(200)]))
    media.wait_played(25)
    wait_until(lambda: "#" in digits(native), 3, lambda: digits(native))
    assert digits(native) == "5#"


def test_tones_toward_a_phone_without_events(without_events, native, media):
    native.do("command", "dtmf", digits=KEYS, duration_ms=100, gap_ms=60)
    media.wait_sound(5)
    media.wait_heard_further(3.5, 10)
    sound = media.recording().astype(float)
    loud = np.flatnonzero(np.abs(sound) > 600)
    breaks = np.flatnonzero(np.diff(loud) > 200)
    starts, ends = loud[np.concatenate([[0], breaks + 1])], loud[np.concatenate([breaks, [-1]])]
    assert len(starts) == len(KEYS)
    # Less the ramps. ITU-T Q.24 lets receivers ask for 40 ms of each.
    assert min(ends - starts) / 8 > 90 and max(ends - starts) / 8 < 110 and min(starts[1:] - ends[:-1]) / 8 > 58
    for place, (start, end) in enumerate(zip(starts, ends)):
        middle = sound[start + 80 : end - 80] * np.hanning(end - start - 160)
        at = np.arange(len(middle)) / 8000
        lows, highs = ([np.abs(np.sum(middle * np.exp(-2j * np.pi * hertz * at))) for hertz in group] for group in (LOW, HIGH))
        assert (np.argmax(lows), np.argmax(highs)) == divmod(place, 4)
        assert 0 < 20 * np.log10(max(highs) / max(lows)) < 4


def test_events_and_sound_are_on_one_axis(native, media):
    """The phone takes events: no packet goes back in time, and after a key the sound is where the clock is."""
    native.do("command", "dtmf", digits="15#", duration_ms=100, gap_ms=60)
    wait_until(lambda: media.digits_heard() == "15#", 5, media.digits_heard)
    media.wait_heard_further(0.5, 5)
    packets = list(media.packets)
    for before, after in zip(packets, packets[1:]):
        advance = (after.timestamp - before.timestamp + 2**31) % 2**32 - 2**31
        is_same_key = before.payload_type == after.payload_type == EVENT and advance == 0
        assert advance > 0 or is_same_key, (before, after)
    for timestamp in {packet.timestamp for packet in packets if packet.payload_type == EVENT}:
        key_packets = [packet for packet in packets if packet.payload_type == EVENT and packet.timestamp == timestamp]
        lengths = [int.from_bytes(packet.payload[2:4], "big") for packet in key_packets]
        assert [packet.marker for packet in key_packets] == [True] + [False] * (len(key_packets) - 1)
        assert [packet.payload[1] >> 7 for packet in key_packets][-4:] == [0, 1, 1, 1] and lengths == sorted(lengths) and lengths[-1] == 800


@pytest.mark.parametrize("tone, frequency, seconds", [("fax_cng", 1100, 0.5), ("fax_ced", 2100, 2.0)])
def test_an_agent_is_told_of_a_fax_machine(native, gateway, media, tone, frequency, seconds):
    media.play(np.concatenate([silence(300), speech.tone(frequency, seconds), silence(500)]))
    message = native.wait_for("message", 5)
    assert (message["content_type"], message["body"]) == ("application/json", f'{{"tone":"{tone}"}}')
    assert gateway.metrics()["tandem_line_tones_total"][f'tone="{tone}"'] == 1


def level(samples):
    """Root mean square in dBFS."""
    return 10 * np.log10(np.mean(np.asarray(samples, float) ** 2) / 32768**2 + 1e-10)


def test_a_line_that_echoes(monkeypatch, native, gateway, start_phone):
    """The agent does not hear itself and is not interrupted by itself, but by who speaks; the record says how much was taken out."""
    monkeypatch.setattr(sip_caller, "RTPStream", lambda host, payload_type: HybridStream(host, payload_type, delay_ms=80, loss_db=12))
    call = start_phone(gateway).call("native")
    call.media.wait_heard(0.3, 10)
    said = np.concatenate([speech.samples(speech.AGENT_SENTENCE), speech.samples(speech.BROWSER_SENTENCE)])
    began = len(native.heard[0])
    native.do("say", said.tobytes())
    time.sleep(9)
    heard = np.frombuffer(bytes(native.heard[0][began:]), "<i2")
    assert level(heard[4 * 8000 : 8 * 8000]) < level(said[4 * 8000 : 8 * 8000]) - 30
    assert not native.of("cleared") and not native.of("speech")

    call.media.play(speech.samples(speech.PHONE_SENTENCE))
    assert native.wait_for("cleared", 3)["cause"] == "barge_in"
    call.hang_up()
    call_id = wait_until(lambda: gateway.api("GET", "records")[2]["items"], 5, "the record")[0]["id"]
    leg = gateway.api("GET", f"records/{call_id}")[2]["legs"][0]
    assert 8 < leg["echo_return_loss_db"] < 16 and leg["echo_removed_db"] > 18, leg
