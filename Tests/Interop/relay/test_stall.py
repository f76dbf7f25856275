"""The whole process stands still for two seconds, as on a machine that is paused or starved: afterwards nothing is late."""

import asyncio
import signal
import time

import numpy as np
import speech
from waiting import wait_until
from whip_caller import WHIPCaller

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


async def heard_after(moment, heard, limit=4):
    """Seconds from `moment` to the first of the times of arrival that `heard` finds."""
    while time.time() < moment + limit:
        arrivals = [arrived for arrived in heard() if arrived >= moment]
        if arrivals:
            return min(arrivals) - moment
        await asyncio.sleep(0.02)
    raise AssertionError(f"nothing heard within {limit} s")


def loud_frames(caller):
    return [arrived for frame, arrived in zip(list(caller.frames), list(caller.arrivals)) if np.abs(frame.astype(int)).max(initial=0) > 2500]


def test_a_browser_and_a_phone_after_stalls(start_gateway, start_callee):
    """Both ways, twice in a row: the delay is what it was."""
    callee = start_callee()
    route = {"name": "out", "when": {"to": "+1NXXNXXXXXX"}, "do": [{"trunk": "carrier"}]}
    gateway = start_gateway(trunks={"carrier": {"hosts": [callee.uri]}}, routes=[route])

    async def talk():
        async with WHIPCaller(gateway, "+12025550123", speech.tone(1000, 0.3, 48000)) as caller:
            await caller.wait_connected()
            media = (await asyncio.to_thread(callee.wait_call)).media
            await asyncio.sleep(1)

            async def delays():
                caller.track.begin()
                up = await heard_after(time.time(), lambda: [packet.arrived for packet in media.sounding(2500)])
                await asyncio.sleep(0.6)
                media.play(speech.tone(1000, 0.3))
                down = await heard_after(time.time(), lambda: loud_frames(caller))
                await asyncio.sleep(0.6)
                return np.array([up, down])

            before = await delays()
            for _ in range(2):
                dropped = gateway.metric("tandem_backlog_dropped_total")
                gateway.process.send_signal(signal.SIGSTOP)
                await asyncio.sleep(STALL)
                gateway.process.send_signal(signal.SIGCONT)
                await asyncio.sleep(1)
                # A hundred packets of each waited in the sockets.
                assert gateway.metric("tandem_backlog_dropped_total") >= dropped + 180
                after = await delays()
                assert np.all(after < before + 0.25), (before, after)

    asyncio.run(talk())


def test_a_browser_and_an_agent_after_stalls(start_gateway, start_agent):
    """There and back by an agent that repeats what it hears."""
    agent = start_agent(echo=True)
    gateway = start_gateway(agents={"assistant": agent.configuration})

    async def talk():
        async with WHIPCaller(gateway, "assistant", speech.tone(1000, 0.3, 48000)) as caller:
            await caller.wait_connected()
            await asyncio.sleep(1)

            async def delay():
                caller.track.begin()
                found = await heard_after(time.time(), lambda: loud_frames(caller))
                await asyncio.sleep(0.8)
                return found

            before = await delay()
            for _ in range(2):
                gateway.process.send_signal(signal.SIGSTOP)
                await asyncio.sleep(STALL)
                gateway.process.send_signal(signal.SIGCONT)
                await asyncio.sleep(1)
                after = await delay()
                assert after < before + 0.3, (before, after)

    asyncio.run(talk())
