"""Opus with pauses toward a peer that asks for them (`usedtx=1`, RFC 7587), packet by packet at aiortc, and as its decoder hears it."""

import asyncio
import struct
from dataclasses import dataclass

import numpy as np
import sound
import speech
from aiortc.codecs.opus import OpusDecoder
from aiortc.jitterbuffer import JitterFrame
from test_opus_parameters import asking
from whip_caller import RATE, WHIPCaller

FRAME = 960
PAUSE = 2.0


@dataclass
class Packet:
    sequence: int
    timestamp: int
    marker: bool
    payload: bytes


class Packets(list):
    """The RTP packets of sound that come to a caller from now on, decrypted."""

    def __init__(self, caller):
        super().__init__()
        transport = caller.connection.getTransceivers()[0].receiver.transport
        self._handle = transport._handle_rtp_data
        transport._handle_rtp_data = self._record

    async def _record(self, data, **arguments):
        sequence, timestamp = struct.unpack_from("!HI", data, 2)
        assert not data[0] & 0x3F, "neither extensions nor contributing sources were agreed on"
        self.append(Packet(sequence, timestamp, bool(data[1] & 0x80), data[12:]))
        await self._handle(data, **arguments)

    def heard(self):
        """What aiortc's decoder makes of them, each at its time; what was left out is silence."""
        decoder, origin = OpusDecoder(), self[0].timestamp
        samples = np.zeros(((self[-1].timestamp - origin) % 2**32) + FRAME, np.int16)
        for packet in self:
            at = (packet.timestamp - origin) % 2**32
            piece = np.concatenate([frame.to_ndarray().reshape(-1, 2).mean(axis=1) for frame in decoder.decode(JitterFrame(packet.payload, at))])
            samples[at : at + len(piece)] = piece
        return samples


def packets_of_a_pause(agent, gateway, parameters):
    """An agent says a tone, nothing for two seconds, and the tone again: the packets from the first one to the last."""

    async def scenario():
        async with WHIPCaller(gateway, "assistant", change=asking(parameters)) as caller:
            assert "usedtx" not in caller.answer
            await caller.wait_connected()
            call = await asyncio.to_thread(agent.wait_call)
            await caller.wait_heard(0.1, 15)
            packets = Packets(caller)
            tone = speech.tone(500, 1)
            call.say(np.concatenate([tone, np.zeros(int(PAUSE * 8000), np.int16), tone]))
            call.mark("said")
            await asyncio.to_thread(call.wait_mark, "said", 12)
            await asyncio.sleep(0.3)
            assert await caller.hang_up() == 200
            return packets

    return asyncio.run(asyncio.wait_for(scenario(), 60))


def test_a_pause_is_nearly_nothing_and_what_is_around_it_whole(agent, agent_gateway):
    packets = packets_of_a_pause(agent, agent_gateway, "useinbandfec=1;usedtx=1")
    steps = [((later.timestamp - earlier.timestamp) % 2**32, later) for earlier, later in zip(packets, packets[1:])]
    assert all((later.sequence - earlier.sequence) % 2**16 == 1 for earlier, later in zip(packets, packets[1:]))
    assert all(step % FRAME == 0 and later.marker == (step > FRAME) for step, later in steps), [(step, later.marker) for step, later in steps]
    heard = packets.heard()
    report = sound.tone_report(heard, RATE, 500)
    assert abs(report.frequency - 500) < 1, report
    assert len(report.gaps_ms) == 1 and abs(report.longest_gap_ms - PAUSE * 1000) < 15, report
    assert abs(report.last_sound_ms - report.first_sound_ms - 2000 - PAUSE * 1000) < 40, report
    # The pause begins 200 ms after the tone; a packet of it is a frame that was sent, and one that says that no more is.
    start, length = report.gaps_ms[0]
    # A tone sways for some packets after a pause, in any decoder of Opus; nothing in it jumps, and the rest is as it was.
    second = int((start + length) * RATE / 1000)
    for tone in heard[: int(start * RATE / 1000)], heard[second + RATE * 3 // 10 : second + RATE * 95 // 100]:
        part = sound.tone_report(tone, RATE, 500)
        assert part.clicks == 0 and part.snr_db > 15 and abs(part.level_dbfs - report.level_dbfs) < 1, part
    steepest = np.abs(np.diff(heard.astype(int))).max()
    assert steepest < 1.6 * np.abs(heard[: int(start * RATE / 1000)]).max() * 2 * np.pi * 500 / RATE + 300, steepest
    origin = packets[0].timestamp
    inside = [packet for packet in packets if start + 300 < (packet.timestamp - origin) % 2**32 / 48 < start + length - 40]
    assert 4 <= len(inside) < 10, len(inside)
    assert sum(len(packet.payload) <= 2 for packet in inside) >= 4, [len(packet.payload) for packet in inside]


def test_whoever_does_not_ask_gets_every_packet(agent, agent_gateway):
    packets = packets_of_a_pause(agent, agent_gateway, "useinbandfec=1")
    assert all((later.timestamp - earlier.timestamp) % 2**32 == FRAME for earlier, later in zip(packets, packets[1:]))
    assert len(packets) >= 200 and not any(len(packet.payload) <= 2 for packet in packets)
