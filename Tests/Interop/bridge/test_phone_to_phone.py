"""Phone to phone through the gateway: the same codec passes untouched, different ones are understood; digits, hold, and the end
from either side."""

import random
import time

import g711
import heard
import numpy as np
import pytest
import speech
from browser_driver import Recording
from sipp import Sipp
from sound import best_correlation, longest_gap_ms, pesq_score
from verdict import assert_same_speech
from waiting import wait_until

NUMBER = "+14155550199"


@pytest.fixture
def connect(start_gateway, start_callee, start_phone):
    """(gateway, phone, call, called) of a call that is up, each side with its codec."""

    def connect(calling=0, called_with=0, takes_events=True, **trunk):
        def behave(call):
            call.takes_events = takes_events
            call.answer(called_with)

        callee = start_callee(behave)
        gateway = start_gateway(trunks={"callee": {"hosts": [callee.uri], **trunk}}, routes=[{"name": "out", "when": {"to": NUMBER}, "do": [{"trunk": "callee"}]}])
        phone = start_phone(gateway)
        call = phone.call(NUMBER, payload_type=calling)
        called = callee.wait_call()
        called.wait_acknowledged()
        call.media.wait_heard(0.2, 5)
        called.media.wait_heard(0.2, 5)
        return gateway, phone, call, called

    return connect


@pytest.mark.parametrize("payload_type", [0, 8], ids=["PCMU", "PCMA"])
def test_the_same_codec_passes_bit_for_bit(connect, payload_type):
    _, _, call, called = connect(payload_type, payload_type)
    streams = (call.media, called.media)

    def passes(seed):
        # Every code, also the two that decode to the same value.
        sent = [random.Random(seed + at).randbytes(8000) for at in (0, 1)]
        for media, data in zip(streams, sent):
            media.play_encoded(data)
        for media in streams:
            media.wait_played(10)
        time.sleep(0.3)
        return all(data in bytes_heard(media) for data, media in zip(sent, reversed(streams)))

    # A second without a stall of this machine, which would be filled, is enough.
    assert any(passes(seed) for seed in range(0, 10, 2))
    call.hang_up()
    called.wait_bye()
    for media in streams:
        assert media.lost() == 0 and len({packet.ssrc for packet in media.packets}) == 1


def bytes_heard(media):
    return b"".join(packet.payload for packet in media.audio_packets())


@pytest.mark.parametrize(("calling", "called_with"), [(0, 8), (8, 0), (0, 0)], ids=["PCMU-PCMA", "PCMA-PCMU", "PCMU-PCMU"])
def test_speech_both_ways(connect, calling, called_with):
    # One call of three is enough: where this machine stands still for 100 ms, silence is filled in, and PESQ hears it.
    for attempt in (1, 2, 3):
        try:
            return speak_both_ways(*connect(calling, called_with))
        except AssertionError:
            if attempt == 3:
                raise


def speak_both_ways(gateway, _, call, called):
    first, second = speech.samples(speech.PHONE_SENTENCE), speech.samples(speech.AGENT_SENTENCE)
    call.media.play(first)
    called.media.play(second)
    call.media.wait_heard_further(max(len(first), len(second)) / 8000 + 0.5, 20)
    assert called.hang_up() == 200
    call.wait_bye()
    for said, media, sender in ((first, called.media, call.media), (second, call.media, called.media)):
        recording = media.recording()
        assert_same_speech(said, recording, 0.97, gateway, sender)
        lag, correlation = best_correlation(said, recording, 8000)
        if correlation >= 0.97:  # else this machine stood still, and that has been looked at
            # No worse than the two codings alone.
            coded = g711.decode(g711.encode(g711.decode(g711.encode(said, sender.payload_type), sender.payload_type), media.payload_type), media.payload_type)
            assert pesq_score(said, recording, 8000) >= pesq_score(said, coded, 8000) - 0.1
            assert longest_gap_ms(recording[max(0, int(lag * 8000)) :][: len(said)], 8000) <= longest_gap_ms(said, 8000) + 20
        # Through the gateway within two packets, unless this machine stood still: from the first loud one sent to the first heard.
        delay = media.wait_sound(1).arrived - sender.first_sound_sent
        assert delay < 0.04 + sender.worst_lateness or gateway.metric("tandem_skipped_ticks_total") > 0, delay


def test_digits_both_ways(connect):
    _, _, call, called = connect()
    call.media.press("123*")
    called.media.press("987#")
    wait_until(lambda: (call.media.digits_heard(), called.media.digits_heard()) == ("987#", "123*"), 8,
               lambda: f"digits; so far {call.media.digits_heard()!r} and {called.media.digits_heard()!r}")  # fmt: skip
    call.hang_up()


def test_digits_by_info_arrive_as_events(connect):
    _, _, call, called = connect()
    assert call.info_digit("7") == 200
    wait_until(lambda: called.media.digits_heard() == "7", 5, lambda: f"7; so far {called.media.digits_heard()!r}")
    answer = called.request("INFO", "Signal=4\r\nDuration=160\r\n", content_type="application/dtmf-relay")
    assert answer.status == 200
    wait_until(lambda: call.media.digits_heard() == "4", 5, lambda: f"4; so far {call.media.digits_heard()!r}")
    call.hang_up()


def test_digits_for_a_phone_without_events_are_tones(connect):
    _, _, call, called = connect(takes_events=False)
    call.media.press("159*")
    call.media.wait_played(5)
    called.media.wait_heard_further(0.6, 5)
    assert heard.digits(Recording(called.media.recording(), 8000)) == "159*"
    assert called.media.digits_heard() == ""
    # Its own tones are heard, and passed on as the events that the calling phone takes.
    called.media.play(np.concatenate([tones(digit) for digit in "720#"]))
    called.media.wait_played(5)
    wait_until(lambda: call.media.digits_heard() == "720#", 5, lambda: f"720#; so far {call.media.digits_heard()!r}")
    assert heard.digits(Recording(call.media.recording(), 8000)) == ""
    call.hang_up()


def tones(digit):
    """A digit's two tones for 120 ms, and 120 ms of silence."""
    row, column = heard.DTMF[digit]
    return np.concatenate([speech.tone(row, 0.12, amplitude=6000) + speech.tone(column, 0.12, amplitude=6000), np.zeros(960, np.int16)])


def test_a_hold_of_the_caller_is_not_seen_by_the_callee(start_gateway, start_callee, out_folder):
    callee = start_callee()
    gateway = start_gateway(trunks={"callee": {"hosts": [callee.uri]}}, routes=[{"name": "out", "when": {"to": NUMBER}, "do": [{"trunk": "callee"}]}])
    caller = Sipp(out_folder, gateway, "hold_resume", to=NUMBER)
    caller.finish()
    called = callee.wait_call()
    called.wait_bye()
    assert called.methods() == ["ACK", "BYE"]
    packets = called.media.audio_packets()
    assert len({packet.ssrc for packet in packets}) == 1 and called.media.lost() == 0
    # Sound or silence, but never a dead stream.
    assert max(later.arrived - earlier.arrived for earlier, later in zip(packets, packets[1:])) < 0.5


def test_a_callee_that_falls_silent_is_filled(connect):
    """No packets at all (no voice, no comfort noise) is silence to the other side, not a dead stream."""
    _, _, call, called = connect()
    called.media.sending = False
    before = len(call.media.audio_packets())
    time.sleep(1.5)
    came = call.media.audio_packets()[before:]
    assert len(came) > 60, len(came)
    called.media.sending = True
    called.media.play(speech.tone(440, 0.5))
    call.media.wait_sound(5, after=came[-1].arrived)
    assert call.media.lost() == 0 and len({packet.ssrc for packet in call.media.packets}) == 1
    call.hang_up()
