"""What an offer asks of the Opus it is sent (RFC 7587), packet by packet at aiortc, and packets that are asked for again."""

import asyncio
import re
import struct

import numpy as np
import pylibsrtp
import pytest
import speech
from waiting import wait_until
from whip_caller import RATE, WHIPCaller


def run(scenario, limit=60):
    asyncio.run(asyncio.wait_for(scenario, limit))


def asking(parameters="", *attributes):
    """Changes an offer: the parameters of its Opus, and attributes of the section; %d stands for the payload type."""

    def change(offer):
        payload_type = re.search(r"a=rtpmap:(\d+) opus/48000/2\r\n", offer)[1]
        lines = [f"a=fmtp:{payload_type} {parameters}"] if parameters else []
        lines += [f"a={attribute}".replace("%d", payload_type) for attribute in attributes]
        return offer.replace(f"a=rtpmap:{payload_type} opus/48000/2\r\n", f"a=rtpmap:{payload_type} opus/48000/2\r\n" + "".join(f"{line}\r\n" for line in lines))

    return change


class Packets:
    """The RTP packets that come to a caller from now on, decrypted: (sequence number, timestamp, payload size)."""

    def __init__(self, caller):
        self.seen = []
        transport = caller.connection.getTransceivers()[0].receiver.transport
        self._handle = transport._handle_rtp_data
        transport._handle_rtp_data = self._record

    async def _record(self, data, **arguments):
        sequence, timestamp = struct.unpack_from("!HI", data, 2)
        self.seen.append((sequence, timestamp, len(data) - 12))
        await self._handle(data, **arguments)

    async def wait(self, count, limit=15):
        await asyncio.to_thread(wait_until, lambda: len(self.seen) >= count, limit, lambda: f"{count} packets; {len(self.seen)} came")


@pytest.mark.parametrize(
    ("attributes", "milliseconds"),
    [(["ptime:10"], 10), (["ptime:40"], 40), (["ptime:60"], 60), (["ptime:60", "maxptime:40"], 40), (["maxptime:10"], 10), ([], 20)],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_packets_are_as_long_as_the_offer_asks(gateway, attributes, milliseconds):
    async def scenario():
        async with WHIPCaller(gateway, "echo", speech.tone(500, 30, RATE), change=asking("", *attributes)) as caller:
            assert f"a=ptime:{milliseconds}\r\n" in caller.answer
            await caller.wait_connected()
            caller.track.begin()
            await caller.wait_heard(0.5, 15)
            packets = Packets(caller)
            await packets.wait(20)
            steps = [(later[1] - earlier[1]) % 2**32 for earlier, later in zip(packets.seen, packets.seen[1:]) if later[0] == (earlier[0] + 1) % 2**16]
            # One may stand aside, where the echo's stream paused.
            assert steps.count(milliseconds * 48) >= len(steps) - 1, steps
            assert await caller.hang_up() == 200

    run(scenario())


def test_a_constant_bitrate_where_it_is_asked_for(gateway):
    async def sizes(parameters):
        async with WHIPCaller(gateway, "echo", speech.samples(speech.BROWSER_SENTENCE, RATE), change=asking(parameters)) as caller:
            await caller.wait_connected()
            await caller.wait_heard(0.5, 15)
            caller.track.begin()
            packets = Packets(caller)
            await packets.wait(120)
            assert await caller.hang_up() == 200
            return np.array([size for _, _, size in packets.seen[20:]])

    constant, variable = (asyncio.run(asyncio.wait_for(sizes(parameters), 40)) for parameters in ("cbr=1;maxaveragebitrate=16000", "maxaveragebitrate=16000"))
    assert np.ptp(constant) == 0 and constant[0] == pytest.approx(40, abs=2), constant
    assert np.ptp(variable) > 10 and variable.mean() < 60, variable


@pytest.mark.parametrize(("rate", "passes"), [(8000, False), (16000, True), (48000, True)])
def test_no_wider_than_the_peer_plays(gateway, rate, passes):
    """A tone of 1 kHz and one of 6 kHz: the higher one comes back only to a peer that plays it, at its level."""
    low, high = 1000, 6000

    async def scenario():
        spoken = speech.tone(low, 30, RATE, 6000) + speech.tone(high, 30, RATE, 6000)
        async with WHIPCaller(gateway, "echo", spoken, change=asking(f"maxplaybackrate={rate};stereo=1;sprop-stereo=1;usedtx=1")) as caller:
            await caller.wait_connected()
            caller.track.begin()
            await caller.wait_heard(2.5, 20)
            heard = caller.heard()[-RATE:].astype(float)
            spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard)))) / len(heard) * 4
            loud = {tone: 20 * np.log10(max(spectrum[tone - 5 : tone + 6].max(), 1e-3) / 6000) for tone in (low, high)}
            # aiortc makes its one channel two at 3 dB less each; mixed to one again nothing else is lost.
            assert abs(loud[low] + 3) < 1.5, loud
            assert abs(loud[high] + 3) < 3 if passes else loud[high] < -20, loud
            assert await caller.hang_up() == 200

    run(scenario())


class Thief:
    """Stands before a caller's SRTP and takes one packet away, the first time it comes."""

    def __init__(self, transport):
        self._transport, self._inner = transport, transport._rx_srtp
        self.stolen, self.came_again = None, False
        transport._rx_srtp = self

    def unprotect(self, data):
        sequence = struct.unpack_from("!H", data, 2)[0]
        if self.stolen is None:
            self.stolen = sequence
            raise pylibsrtp.Error("taken away")
        self.came_again = self.came_again or sequence == self.stolen
        return self._inner.unprotect(data)

    def __getattr__(self, name):
        return getattr(self._inner, name)


def test_a_packet_that_is_asked_for_comes_again(gateway):
    """Generic NACK (RFC 4585, 6.2.1): the peer offers it, misses a packet and gets the same one once more."""

    async def scenario():
        async with WHIPCaller(gateway, "echo", speech.tone(500, 30, RATE), change=asking("useinbandfec=1", "rtcp-fb:%d nack")) as caller:
            assert re.search(r"a=rtcp-fb:\d+ nack\r\n", caller.answer)
            await caller.wait_connected()
            caller.track.begin()
            await caller.wait_heard(1, 15)
            receiver = caller.connection.getTransceivers()[0].receiver
            thief = Thief(receiver.transport)
            await asyncio.to_thread(wait_until, lambda: thief.stolen is not None, 5, "a packet")
            packets = Packets(caller)
            source = int(re.search(r"a=ssrc:(\d+) ", caller.answer)[1])
            await receiver._send_rtcp_nack(source, [thief.stolen])
            await asyncio.to_thread(wait_until, lambda: thief.came_again, 5, "the packet again")
            # It came with its protection whole: SRTP passed it on.
            await asyncio.to_thread(wait_until, lambda: any(sequence == thief.stolen for sequence, _, _ in packets.seen), 5, "the packet, decrypted")
            assert gateway.metric("tandem_resent_packets_total") == 1
            assert await caller.hang_up() == 200

    run(scenario())
