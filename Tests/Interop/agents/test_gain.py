"""A caller who speaks quietly, heard by an agent at the level of others (`agc: auto`)."""

import numpy as np
import pytest
import speech
from active_level import active_level
from verdict import assert_same_speech
from waiting import wait_until

TARGET = -23


@pytest.mark.parametrize("agc", ["auto", "off"])
def test_a_quiet_caller_is_heard(start_gateway, start_phone, agent, agc):
    trunk = {"accept_from": ["127.0.0.1/32"], "max_calls_per_second": 1000, "agc": agc}
    gateway = start_gateway(agents={"assistant": agent.configuration}, trunks={"phone": trunk})
    call = start_phone(gateway).call("assistant")
    agent_call = agent.wait_call()
    sentence = np.tile(speech.samples(speech.PHONE_SENTENCE), 2)[: 9 * 8000]
    said = (sentence * 10 ** ((-40 - active_level(sentence)) / 20)).astype(np.int16)
    call.media.play(said)
    agent_call.wait_heard(len(said) / 8000 + 1, 40)
    assert call.hang_up() == 200
    agent_call.wait_closed()
    heard = agent_call.transcript.heard()

    assert_same_speech(said, heard, 0.88, gateway, call.media)
    level = active_level(heard[-4 * 8000 :])
    leg = wait_until(lambda: gateway.api("GET", "records")[2]["items"], 5, "record of the call")[0]["legs"][0]
    if agc == "off":
        assert abs(level + 40) < 3 and leg["gain_db"] is None
    else:
        assert abs(level - TARGET) < 4
        assert abs(leg["speech_level_dbfs"] + 40) < 3 and abs(leg["gain_db"] - 17) < 3.5
