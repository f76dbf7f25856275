"""Timers and losses once through the real binary: SIP, RTP and DTLS by way of a relay that loses and delays by a seed."""

import asyncio
import re
import time

import heard
import numpy as np
import pytest
import speech
from browser_driver import Recording
from bunching_relay import BunchingRelay
from sip_caller import SIPCaller
from sound import best_correlation, tone_report
from udp_relay import UDPRelay
from waiting import wait_until
from whip_caller import RATE, WHIPCaller


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_sip_through_heavy_loss(gateway, seed):
    """A third of all SIP datagrams is lost, both ways: the call comes up, sounds, and is gone on both sides."""
    said = speech.samples(speech.PHONE_SENTENCE)
    with UDPRelay(gateway.sip_udp, loss=0.33, seed=seed) as relay, SIPCaller(relay.inner, contact=relay.outer, seed=seed) as phone:
        call = phone.invite("echo")
        assert call.wait_final(32) == 200
        call.media.play(said)
        call.media.wait_heard_further(len(said) / 8000 + 1, 20)
        assert best_correlation(said, call.media.recording(), 8000)[1] >= 0.97
        assert call.hang_up() in (200, 481)  # 481: the BYE arrived, its 200 was lost with the dialog gone
        assert relay.dropped > 0
    gateway.await_idle(35)


def test_bye_of_the_gateway_through_heavy_loss(start_gateway, agent):
    gateway = start_gateway(agents={"assistant": agent.configuration})
    with UDPRelay(gateway.sip_udp, loss=0.4, seed=11) as relay, SIPCaller(relay.inner, contact=relay.outer) as phone:
        call = phone.invite("assistant")
        assert call.wait_final(32) == 200
        agent.wait_call().close()
        call.wait_bye(33)
        gateway.await_idle(35)


@pytest.mark.parametrize("loss", [0.01, 0.05])
def test_rtp_through_loss(agent, agent_gateway, loss):
    """The agent's stream has no hole though packets are missing, and they are counted."""
    said, answer = speech.samples(speech.PHONE_SENTENCE), speech.samples(speech.AGENT_SENTENCE)
    with UDPRelay(loss=loss, seed=5) as relay, SIPCaller(agent_gateway.sip_udp) as phone:
        call = phone.call("assistant", media_relay=relay)
        agent_call = agent.wait_call()
        call.media.play(said)
        agent_call.wait_heard(len(said) / 8000 + 1, 20)
        agent_call.say(answer)
        agent_call.mark("end")
        agent_call.wait_mark("end", len(answer) / 8000 + 3)
        call.media.wait_heard_further(0.3, 3)
        lost, concealed = agent_gateway.metric("tandem_rtp_lost_total"), agent_gateway.metric("tandem_concealed_milliseconds_total")
        assert call.hang_up() == 200
    assert relay.dropped > 0
    assert not agent_call.transcript.violations
    wanted = 0.95 if loss < 0.02 else 0.85
    assert best_correlation(said, agent_call.transcript.heard(), 8000)[1] >= wanted
    assert best_correlation(answer, call.media.recording(), 8000)[1] >= wanted
    assert lost > 0 and concealed > 0, (lost, concealed)


def test_rtp_through_reordering(agent, agent_gateway):
    """One packet in ten is 30 ms late. The agent hears every one: a wait is learnt, nothing has to be made up for long."""
    said = np.resize(speech.samples(speech.PHONE_SENTENCE), 8000 * 12)
    with UDPRelay(late=0.1, late_seconds=0.03, seed=6) as relay, SIPCaller(agent_gateway.sip_udp) as phone:
        call = phone.call("assistant", media_relay=relay)
        agent_call = agent.wait_call()
        call.media.play(said)
        agent_call.wait_heard(len(said) / 8000 + 1, 25)
        assert call.hang_up() == 200
    assert relay.delayed > 0
    assert not agent_call.transcript.violations
    # The first seconds teach the wait.
    later = said[8000 * 3 :]
    assert best_correlation(later, agent_call.transcript.heard(), 8000)[1] >= 0.97


def test_a_wide_voice_through_loss(agent, agent_gateway):
    """The pitch of a man's voice at 16 kHz goes on through lost packets."""
    hertz, seconds = 110, 6
    said = speech.tone(hertz, seconds, rate=16000)
    with UDPRelay(loss=0.05, seed=7) as relay, SIPCaller(agent_gateway.sip_udp) as phone:
        call = phone.call("assistant", payload_type=9, media_relay=relay)
        agent_call = agent.wait_call()
        call.media.play(said)
        agent_call.wait_heard(seconds + 1.5, 20)
        concealed = agent_gateway.metric("tandem_concealed_milliseconds_total")
        assert call.hang_up() == 200
    assert relay.dropped > 0 and concealed > 0
    report = tone_report(agent_call.transcript.heard(), 8000, hertz)
    assert report.frequency == pytest.approx(hertz, abs=0.5)
    # Made up at another pitch, it is 17 dB.
    assert report.longest_gap_ms < 30 and report.snr_db > 20, report


def test_an_agent_hears_what_comes_in_bunches(agent, agent_gateway):
    """Packets in order but up to 100 ms late: once that is known, nothing is made up in their place."""
    said = np.resize(speech.samples(speech.PHONE_SENTENCE), 8000 * 13)
    with BunchingRelay(0.1, seed=8) as relay, SIPCaller(agent_gateway.sip_udp) as phone:
        call = phone.call("assistant", media_relay=relay)
        agent_call = agent.wait_call()
        call.media.play(said)
        # The first seconds teach the wait.
        agent_call.wait_heard(4, 10)
        before = agent_gateway.metric("tandem_concealed_milliseconds_total")
        agent_call.wait_heard(len(said) / 8000, 25)
        concealed = agent_gateway.metric("tandem_concealed_milliseconds_total") - before
        assert call.hang_up() == 200
    assert not agent_call.transcript.violations
    assert concealed < 180, f"{concealed} ms of 9 s"
    later = said[8000 * 4 : 8000 * 12]
    assert best_correlation(later, agent_call.transcript.heard(), 8000)[1] >= 0.95


def test_a_phone_that_falls_silent_for_a_while(agent, agent_gateway):
    """Two seconds of nothing and then everything at once (a stalled network): the agent's stream keeps its time."""
    with SIPCaller(agent_gateway.sip_udp) as phone:
        call = phone.call("assistant")
        agent_call = agent.wait_call()
        call.media.play(speech.tone(500, 1))
        agent_call.wait_heard(1.5, 5)
        call.media.sending = False
        began = time.time()
        wait_until(lambda: time.time() - began > 2, 3, "two seconds")
        call.media.sending = True
        call.media.play(speech.tone(700, 1))
        agent_call.wait_heard(5, 10)
        arrivals = agent_call.transcript.media_arrivals()
        assert call.hang_up() == 200
    assert not agent_call.transcript.violations
    assert len(arrivals) * 0.02 == pytest.approx(arrivals[-1] - arrivals[0], abs=0.25)


@pytest.mark.parametrize("setup", ["active", "passive"])
def test_ice_dtls_and_opus_through_loss(gateway, setup):
    """A DTLS handshake while one datagram in four is lost, both ways, then sound while one in a hundred is."""
    # The first two checks of ICE pass: aioice repeats them so late (8 s, 16 s) that it would be the one on trial.
    said = speech.samples(speech.BROWSER_SENTENCE, RATE)

    async def scenario():
        with UDPRelay(gateway.webrtc_address, loss=0.25, seed=8, spare_first=2) as relay:
            host, port = relay.inner

            def by_way_of_the_relay(answer):
                lines = [line for line in answer.splitlines(keepends=True) if not line.startswith("a=candidate")]
                answer = "".join(lines)
                candidate = f"a=candidate:1 1 udp 2130706431 {host} {port} typ host\r\n"
                return re.sub(r"(a=ice-ufrag:)", candidate + r"\1", answer, count=1)

            async with WHIPCaller(gateway, "echo", said, setup=setup, change_answer=by_way_of_the_relay) as caller:
                await caller.wait_connected(40)
                assert relay.dropped > 0
                relay.loss = 0.01
                await caller.wait_heard(0.5, 15)
                caller.track.begin()
                await caller.wait_heard(len(said) / RATE + 3, 40)
                assert await caller.hang_up() == 200
                # aiortc fills nothing in for what it lost, so its recording shrinks: compared in pieces.
                back = heard.speech(Recording(caller.heard(), RATE), said, RATE)
                assert back.correlation >= 0.8, back

    asyncio.run(asyncio.wait_for(scenario(), 100))
