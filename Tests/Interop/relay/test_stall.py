"""The whole process stands still for two seconds, as on a machine that is paused or starved: afterwards nothing is late."""

import signal
import time

import numpy as np
import speech
from waiting import wait_until

STALL = 2.0


def test_a_stall_leaves_no_delay(start_gateway, start_phone, start_agent):
    agent = start_agent(echo=True)
    gateway = start_gateway(agents={"assistant": agent.configuration})
    media = start_phone(gateway).call("assistant").media
    media.wait_heard(1, 10)

    gateway.process.send_signal(signal.SIGSTOP)
    time.sleep(STALL)
    gateway.process.send_signal(signal.SIGCONT)
    went_on = time.time()
    # A hundred packets wait in the socket; the newest may still come in a turn of their own.
    wait_until(lambda: gateway.metric("tandem_backlog_dropped_total") >= 90, 5, "the backlog was not dropped")
    time.sleep(0.5)
    soon = [packet for packet in media.audio_packets() if went_on <= packet.arrived < went_on + 0.5]
    assert len(soon) <= 45, f"{len(soon)} packets within half a second: a backlog was played"

    media.play(np.asarray(speech.samples(speech.PHONE_SENTENCE)))
    echo = wait_until(lambda: [packet for packet in media.sounding(1000) if packet.arrived > went_on], 5, "no echo after the stall")[0]
    # 60 ms of playout hold, a slot, and what a busy machine adds; the stall was two seconds.
    assert echo.arrived - media.first_sound_sent < 0.6
