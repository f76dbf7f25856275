"""Whoever speaks quietly into a browser, heard by an agent at the level of others (`browser: agc: auto`)."""

import asyncio

import numpy as np
import pytest
import speech
from active_level import active_level
from scipy.signal import resample_poly
from verdict import assert_same_speech
from waiting import wait_until
from whip_caller import RATE, WHIPCaller

TARGET = -23
QUIET = -40


@pytest.mark.parametrize("agc", ["auto", "off"])
def test_a_quiet_browser_is_heard(start_gateway, agent, agc):
    gateway = start_gateway(agents={"assistant": agent.configuration}, configuration={"browser": {"agc": agc}})
    sentence = np.tile(speech.samples(speech.BROWSER_SENTENCE, RATE), 2)[: 9 * RATE]
    # As loud as that in what is left of it at the agent's rate. aiortc makes stereo of it, with 3 dB less on each side.
    narrow = resample_poly(sentence.astype(float), 1, RATE // 8000)
    gain = 10 ** ((QUIET - active_level(narrow)) / 20) * 2**0.5
    said = (sentence * gain).astype(np.int16)

    async def scenario():
        async with WHIPCaller(gateway, "assistant", said) as caller:
            await caller.wait_connected()
            call = await asyncio.to_thread(agent.wait_call)
            await asyncio.to_thread(call.wait_heard, 0.5, 10)
            caller.track.begin()
            await asyncio.to_thread(call.wait_heard, len(said) / RATE + 2, 40)
            assert await caller.hang_up() == 200
            await asyncio.to_thread(call.wait_closed)
            return call.transcript.heard(), caller.track

    heard, track = asyncio.run(asyncio.wait_for(scenario(), 90))
    assert_same_speech(narrow * gain, heard, 0.85, gateway, track)
    # Of what was said last, before the silence after it.
    spoken = heard[: np.flatnonzero(np.abs(heard.astype(int)) > 100)[-1] + 1]
    level = active_level(spoken[-4 * 8000 :])
    leg = wait_until(lambda: gateway.api("GET", "records")[2]["items"], 5, "record of the call")[0]["legs"][0]
    if agc == "off":
        assert abs(level - QUIET) < 3 and leg["gain_db"] is None
    else:
        assert abs(level - TARGET) < 4
        assert abs(leg["speech_level_dbfs"] - QUIET) < 3 and abs(leg["gain_db"] - (TARGET - QUIET)) < 3.5
