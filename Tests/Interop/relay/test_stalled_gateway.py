"""A machine that stands still: what waited meanwhile is dropped, not played, and everything goes on by itself."""

import os
import signal
import time

import numpy as np
import speech
from sip_caller import SIPCaller

STALL = 2.0


def test_the_backlog_of_a_stall_is_dropped(gateway):
    with SIPCaller(gateway.sip_udp) as phone:
        call = phone.call("echo")
        call.media.wait_heard(1, 10)
        assert not call.media.sounding()
        os.kill(gateway.process.pid, signal.SIGSTOP)
        try:
            # Said while nobody listens, and over well before somebody does again.
            call.media.play(np.concatenate([speech.tone(1000, STALL - 0.5), np.zeros(4000, np.int16)]))
            call.media.wait_played(10)
        finally:
            os.kill(gateway.process.pid, signal.SIGCONT)
        call.media.wait_heard_further(0.5, 10)
        # 0.3 s of lateness is jitter (ARCHITECTURE 4a.4); a frame or two at its edge.
        assert len(call.media.sounding()) <= 2
        assert gateway.metric("tandem_skipped_ticks_total") > 0

        # No delay has stayed, and new calls are taken.
        for attempt in (call, phone.call("echo")):
            attempt.media.wait_heard(0.3, 5)
            asked = time.time()
            attempt.media.play(speech.tone(700, 0.3))
            heard = attempt.media.wait_sound(5, after=asked)
            assert heard.arrived - asked < 0.15 + attempt.media.worst_lateness
            assert attempt.hang_up() == 200
    assert gateway.metric("tandem_overloaded_loops") == 0
