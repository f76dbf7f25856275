"""aiortc as the browser, through the gateway, to phones: sound both ways by figures, what a caller hears before the answer and
instead of one, and how each side's end reaches the other."""

import asyncio
import time

import numpy as np
import pytest
import speech
from baresip import Baresip
from heard import tone
from browser_driver import Recording
from scipy.signal import resample_poly
from signal_caller import SignalCaller
from sound import best_correlation, longest_gap_ms, pesq_score, write_wav
from verdict import assert_same_speech
from whip_caller import RATE, WHIPCaller

NUMBER = "+14155550199"
SAID, ANSWERED = speech.BROWSER_SENTENCE, speech.AGENT_SENTENCE
# One Opus coding with G.711 behind or before it; a sentence that was never said stays below 0.5.
UNDERSTOOD = 0.85
# PESQ for narrow band ends at 4.5; G.711 alone brings this speech to 3.9, with Opus before it to 3.3.
CLEAR = 3.0


def run(scenario, limit=60):
    asyncio.run(asyncio.wait_for(scenario, limit))


@pytest.fixture
def gateway_to(start_gateway):
    def start(callee, country=None, accept_from=None, **step):
        trunk = {"hosts": [callee.uri], **({"country": country} if country else {}), **({"accept_from": accept_from} if accept_from else {})}
        return start_gateway(trunks={"callee": trunk}, routes=[{"name": "out", "when": {"to": NUMBER}, "do": [{"trunk": "callee", **step}]}])

    return start


def narrow(samples):
    return resample_poly(samples.astype(float), 1, RATE // 8000)


def assert_understood(said, heard, file, gateway, sender=None):
    write_wav(file, heard, 8000)
    assert_same_speech(said, heard, UNDERSTOOD, gateway, sender)
    lag, correlation = best_correlation(said, heard, 8000)
    if correlation >= UNDERSTOOD:  # else this machine stood still, and that has been looked at
        part = heard[max(0, int(lag * 8000)) :][: len(said)]
        assert longest_gap_ms(part, 8000) <= longest_gap_ms(said, 8000) + 40
        assert pesq_score(said, heard, 8000) >= CLEAR


@pytest.mark.parametrize("payload_type", [0, 8], ids=["PCMU", "PCMA"])
def test_speech_both_ways(start_callee, gateway_to, out_folder, payload_type):
    callee = start_callee(lambda call: call.answer(payload_type))
    gateway = gateway_to(callee)
    said, answered = speech.samples(SAID, RATE), speech.samples(ANSWERED)

    async def scenario(number):
        async with WHIPCaller(gateway, NUMBER, said) as caller:
            await caller.wait_connected()
            called = await asyncio.to_thread(callee.wait_call, number)
            await asyncio.to_thread(called.wait_acknowledged)
            await caller.wait_heard(0.5, 10)
            caller.track.begin()
            await asyncio.to_thread(called.media.wait_heard_further, len(said) / RATE + 1, 30)
            called.media.play(answered)
            heard_before = len(caller.frames) * 0.02
            await caller.wait_heard(heard_before + len(answered) / 8000 + 1.5, 30)
            assert await caller.hang_up() == 200
            await asyncio.to_thread(called.wait_bye)
            assert (await caller.wait_gone())["cause"] == "caller_hangup"
            return caller, called

    for number in (1, 2, 3):
        caller, called = asyncio.run(asyncio.wait_for(scenario(number), 60))
        # What comes 300 ms late is dropped, as it should be: a machine that stands still so long proves nothing.
        if max(caller.track.worst_lateness, called.media.worst_lateness) < 0.25:
            break
    assert_understood(speech.samples(SAID), called.media.recording(), out_folder / "phone.wav", gateway, caller.track)
    assert_understood(answered, narrow(caller.heard()), out_folder / "browser.wav", gateway, called.media)
    # One stream without a hole, however the browser's packets came.
    assert len({packet.ssrc for packet in called.media.packets}) == 1 and called.media.lost() == 0
    times = [packet.timestamp for packet in called.media.audio_packets()]
    assert all(0 < (later - earlier) % 2**32 < 8000 for earlier, later in zip(times, times[1:]))


def test_speech_both_ways_with_baresip(start_gateway, gateway_to, out_folder):
    said, answered = speech.samples(SAID, RATE), speech.samples(ANSWERED)
    file = speech.wav_file(ANSWERED, 8000, silence_before=1.0, silence_after=60.0)
    with Baresip(out_folder / "phone", file, host="127.0.0.2", answers=True) as phone:
        # Its sound comes from another address of this machine than its session description says.
        gateway = gateway_to(phone, accept_from=["127.0.0.0/8"], to="+14155550142")

        async def scenario():
            async with WHIPCaller(gateway, NUMBER, said) as caller:
                await caller.wait_connected()
                await asyncio.to_thread(phone.wait_event, "CALL_ESTABLISHED")
                caller.track.begin()
                await caller.wait_heard(max(len(said) / RATE, len(answered) / 8000) + 4, 40)
                phone.hang_up()
                assert (await caller.wait_gone())["cause"] == "callee_hangup"
                return caller

        caller = asyncio.run(asyncio.wait_for(scenario(), 60))
        phone.stop()
        assert_understood(answered, narrow(caller.heard()), out_folder / "browser.wav", gateway)
        assert_understood(speech.samples(SAID), phone.heard(), out_folder / "phone.wav", gateway, caller.track)


# 425 Hz in most countries (ITU-T E.180); 440 and 480 Hz together where the trunk's country is 1.
@pytest.mark.parametrize(("country", "frequencies"), [(None, [425]), ("1", [440, 480])])
def test_ringback_until_the_answer(start_callee, gateway_to, country, frequencies):
    def behave(call):
        call.ring()
        time.sleep(3)
        call.answer()

    callee = start_callee(behave)
    gateway = gateway_to(callee, country)

    async def scenario():
        async with SignalCaller(gateway, NUMBER) as caller:
            await caller.wait_connected()
            await caller.wait_message("ringing")
            assert "connected" not in caller.types()
            await caller.wait_message("connected")
            before = caller.heard()
            assert caller.types() == ["session", "answer", "ringing", "connected"]
            await caller.wait_heard(len(before) / RATE + 1.5, 10)
            after = caller.heard()[len(before) + RATE // 2 :]
            await caller.tell("hangup")
            assert (await caller.wait_message("ended"))["cause"] == "caller_hangup"
            loud = before[np.abs(before) > 50]
            assert len(loud) > RATE / 2, "no ringback"
            spectrum = np.abs(np.fft.rfft(before * np.hanning(len(before)))) ** 2
            bins = np.fft.rfftfreq(len(before), 1 / RATE)
            share = sum(spectrum[np.abs(bins - frequency) < 12].sum() for frequency in frequencies) / spectrum.sum()
            assert share > 0.9, share
            assert np.abs(after).max() < 100, "ringback after the answer"

    run(scenario())


def test_early_media_instead_of_ringback(start_callee, gateway_to):
    announced = speech.samples(ANSWERED)

    def behave(call):
        call.ring()
        time.sleep(0.3)
        call.ring(183, early_media=True)
        time.sleep(1)
        call.media.play(announced)
        call.media.wait_played(20)
        call.refuse(480)

    callee = start_callee(behave)
    gateway = gateway_to(callee)

    async def scenario():
        async with WHIPCaller(gateway, NUMBER) as caller:
            problem = await caller.wait_gone(30)
            assert (problem["cause"], problem["sip_code"]) == ("no_answer", 480)
            return narrow(caller.heard())

    heard = asyncio.run(asyncio.wait_for(scenario(), 60))
    assert best_correlation(announced, heard, 8000)[1] >= UNDERSTOOD


# The word and the code that the caller is told.
REFUSALS = [(486, "busy", 486), (600, "busy", 600), (480, "no_answer", 480), (603, "rejected", 603), (403, "rejected", 403), (404, "unreachable", 404), (503, "unreachable", 502)]


@pytest.mark.parametrize(("status", "cause", "told"), REFUSALS)
def test_a_refusal_in_words(start_callee, gateway_to, status, cause, told):
    callee = start_callee(lambda call: call.refuse(status))
    gateway = gateway_to(callee)

    async def scenario():
        async with SignalCaller(gateway, NUMBER) as caller:
            ended = await caller.wait_message("ended")
            assert (ended["cause"], ended["sip_code"]) == (cause, told)

    run(scenario())


def test_busy_is_a_tone_for_who_has_no_words(start_callee, gateway_to):
    def behave(call):
        call.ring()
        time.sleep(1)
        call.refuse(486)

    callee = start_callee(behave)
    gateway = gateway_to(callee)

    async def scenario():
        async with WHIPCaller(gateway, NUMBER) as caller:
            await caller.wait_connected()
            problem = await caller.wait_gone(15)
            assert (problem["cause"], problem["sip_code"]) == ("busy", 486)
            heard = caller.heard()
            # The last seconds are the tone: 425 Hz, as long on as off.
            frequency, share = tone(Recording(heard[-2 * RATE :], RATE), 0)
            assert abs(frequency - 425) < 5 and share > 0.8, (frequency, share)

    run(scenario())


def test_giving_up_while_it_rings(start_callee, gateway_to):
    callee = start_callee(lambda call: call.ring())
    gateway = gateway_to(callee)

    async def scenario():
        async with WHIPCaller(gateway, NUMBER) as caller:
            called = await asyncio.to_thread(callee.wait_call)
            await asyncio.sleep(0.3)
            assert await caller.hang_up() == 200
            await asyncio.to_thread(called.wait_cancel)
            await asyncio.to_thread(called.wait_acknowledged)
            assert (await caller.wait_gone())["cause"] == "caller_hangup"

    run(scenario())


def test_the_phone_hangs_up(start_callee, gateway_to):
    callee = start_callee()
    gateway = gateway_to(callee)

    async def scenario():
        async with SignalCaller(gateway, NUMBER) as caller:
            await caller.wait_connected()
            await caller.wait_message("connected")
            called = callee.wait_call()
            await asyncio.to_thread(called.wait_acknowledged)
            assert await asyncio.to_thread(called.hang_up) == 200
            assert (await caller.wait_message("ended"))["cause"] == "callee_hangup"

    run(scenario())


def test_digits_of_the_browser_reach_the_phone(start_callee, gateway_to):
    callee = start_callee()
    gateway = gateway_to(callee)

    async def scenario():
        async with SignalCaller(gateway, NUMBER) as caller:
            await caller.wait_connected()
            await caller.wait_message("connected")
            called = callee.wait_call()
            await asyncio.to_thread(called.media.wait_heard, 0.3, 5)
            await caller.tell("dtmf", digits="159#")
            end = time.monotonic() + 8
            while called.media.digits_heard() != "159#":
                assert time.monotonic() < end, called.media.digits_heard()
                await asyncio.sleep(0.05)
            assert called.media.lost() == 0
            await caller.tell("hangup")
            await asyncio.to_thread(called.wait_bye)

    run(scenario())
