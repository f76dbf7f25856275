"""baresip, a phone that people really use: speech both ways, digits, PCMA, TCP, hanging up from either side."""

import time

import pytest
import speech
from baresip import Baresip
from sound import best_correlation, longest_gap_ms
from waiting import wait_until

# Bytes between the phone and the built-in agent are G.711 both ways, so nothing but a gap could lower this.
SAME = 0.97


@pytest.fixture
def start_phone(start_gateway, out_folder):
    started = []

    def start(sentence=speech.PHONE_SENTENCE, before=1.0, after=20.0, **options):
        file = speech.wav_file(sentence, options.get("rate", 8000), silence_before=before, silence_after=after)
        started.append(Baresip(out_folder / f"phone-{len(started) + 1}", file, **options))
        return started[-1]

    yield start
    for phone in started:
        phone.stop()


def address(gateway, to, transport="udp"):
    host, port = gateway.sip[transport]
    return f"sip:{to}@{host}:{port};transport={transport}"


@pytest.mark.parametrize(("transport", "codecs", "rate", "same"), [
    ("udp", "pcmu", 8000, SAME), ("udp", "pcma", 8000, SAME), ("tcp", "pcmu", 8000, SAME),
    ("udp", "G722/16000", 16000, 0.95), ("udp", "opus/48000", 48000, 0.9),
])  # fmt: skip
def test_echo(gateway, start_phone, transport, codecs, rate, same):
    phone = start_phone(transport=transport, codecs=codecs, rate=rate)
    phone.dial(address(gateway, "echo", transport))
    phone.wait_event("CALL_ESTABLISHED")
    said = speech.samples(speech.PHONE_SENTENCE, rate)
    _speak(len(said) / rate + 2.5, phone)
    phone.hang_up()
    phone.wait_event("CALL_CLOSED")
    phone.stop()
    lag, correlation = best_correlation(said, phone.heard(), rate)
    assert correlation >= same, (lag, correlation)
    # The sentence came in one piece: no silence longer than the longest of its own.
    heard = phone.heard()[int(lag * rate) :][: len(said)]
    assert longest_gap_ms(heard, rate) <= longest_gap_ms(said, rate) + 20


def _speak(seconds, phone):
    """Waits while the phone speaks; a call that ends meanwhile is a failure."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert "CALL_CLOSED" not in phone.types(), phone.log()
        time.sleep(0.1)


def test_speech_both_ways_with_a_websocket_agent(agent, agent_gateway, start_phone):
    phone = start_phone()
    phone.dial(address(agent_gateway, "assistant"))
    phone.wait_event("CALL_ESTABLISHED")
    call = agent.wait_call()
    said, answer = speech.samples(speech.PHONE_SENTENCE), speech.samples(speech.AGENT_SENTENCE)
    call.wait_heard(1 + len(said) / 8000 + 1, 20)
    call.say(answer)
    call.mark("said")
    call.wait_mark("said", len(answer) / 8000 + 3)
    phone.press("18#")
    wait_until(lambda: call.transcript.digits() == "18#", 8, lambda: f"digits 18#: {call.transcript.digits()}")
    phone.hang_up()
    call.wait_for("stop", 5)
    call.wait_closed()
    phone.stop()
    assert not call.transcript.violations
    assert best_correlation(said, call.transcript.heard(), 8000)[1] >= SAME
    assert best_correlation(answer, phone.heard(), 8000)[1] >= 0.9


def test_the_agent_hangs_up_on_the_phone(agent, agent_gateway, start_phone):
    phone = start_phone()
    phone.dial(address(agent_gateway, "assistant"))
    phone.wait_event("CALL_ESTABLISHED")
    agent.wait_call().close()
    phone.wait_event("CALL_CLOSED", 5)


def test_the_parrot_repeats_the_phone(gateway, start_phone):
    # The greeting gets its time first: the agent falls silent for a caller who speaks.
    phone = start_phone(before=6.0)
    phone.dial(address(gateway, "demo"))
    phone.wait_event("CALL_ESTABLISHED")
    said = speech.samples(speech.PHONE_SENTENCE)
    _speak(6 + 2 * len(said) / 8000 + 4, phone)
    phone.hang_up()
    phone.wait_event("CALL_CLOSED")
    phone.stop()
    assert best_correlation(said, phone.heard(), 8000)[1] >= 0.9


@pytest.mark.parametrize("milliseconds", [10, 40])
def test_packets_are_as_long_as_the_phone_asks(agent, agent_gateway, start_phone, milliseconds):
    phone = start_phone(milliseconds=milliseconds)
    phone.dial(address(agent_gateway, "assistant"))
    phone.wait_event("CALL_ESTABLISHED")
    call = agent.wait_call()
    said, answer = speech.samples(speech.PHONE_SENTENCE), speech.samples(speech.AGENT_SENTENCE)
    call.wait_heard(1 + len(said) / 8000 + 1, 20)
    packets = {way: agent_gateway.metric(f"tandem_rtp_packets_{way}_total") for way in ("sent", "received")}
    began = time.monotonic()
    call.say(answer)
    call.mark("said")
    call.wait_mark("said", len(answer) / 8000 + 3)
    due = (time.monotonic() - began) * 1000 / milliseconds
    for way, before in packets.items():
        count = agent_gateway.metric(f"tandem_rtp_packets_{way}_total") - before
        assert 0.6 * due < count < 1.4 * due, (way, count, due)
    phone.hang_up()
    phone.wait_event("CALL_CLOSED")
    phone.stop()
    assert best_correlation(said, call.transcript.heard(), 8000)[1] >= SAME
    assert best_correlation(answer, phone.heard(), 8000)[1] >= 0.9


def test_star_hangs_up_the_parrot(gateway, start_phone):
    phone = start_phone()
    phone.dial(address(gateway, "demo"))
    phone.wait_event("CALL_ESTABLISHED")
    phone.press("*")
    phone.wait_event("CALL_CLOSED", 5)


def test_an_unknown_destination(gateway, start_phone):
    phone = start_phone()
    phone.dial(address(gateway, "nobody"))
    closed = phone.wait_event("CALL_CLOSED", 5)
    assert "404" in closed["param"]
