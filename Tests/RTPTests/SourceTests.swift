import NIOCore
import Testing

@testable import RTP

@Suite struct SourceTests {
    private static let other: UInt32 = 0xCCCC_0002

    private func established() -> Listener {
        let listener = Listener()
        for index in 0..<3 { listener.receive(.voice(index)) }
        _ = listener.take()
        return listener
    }

    @Test func aNewSourceNeedsTwoInSequence() {
        let listener = established()
        listener.receive(.voice(500, ssrc: Self.other))
        #expect(listener.take().isEmpty)
        #expect(listener.remoteSSRC == 0xBBBB_0001)
        listener.receive(.voice(501, ssrc: Self.other))
        #expect(
            listener.take() == [.gap(StreamGap(reason: .newSource, lostPackets: 0)), .voice(501, new: true)])
        listener.receive(.voice(502, ssrc: Self.other))
        #expect(listener.take() == [.voice(502)])
        #expect(listener.remoteSSRC == Self.other)
    }

    @Test func notTwoOutOfSequence() {
        let listener = established()
        for index in [500, 502, 504, 503] { listener.receive(.voice(index, ssrc: Self.other)) }
        #expect(listener.take().isEmpty)
        #expect(listener.statistics.discarded == 4)
    }

    @Test func notFromTwoAddresses() {
        let listener = established()
        listener.receive(.voice(500, ssrc: Self.other))
        listener.receive(.voice(501, ssrc: Self.other), from: TransportAddress(ipv4: 0x0A00_0001, port: 1))
        #expect(listener.take().isEmpty)
    }

    @Test func notOfAPayloadTypeThatIsUnknown() {
        let listener = established()
        for index in 0..<4 {
            var packet = RTPPacket.voice(index, ssrc: Self.other)
            packet.payloadType = 99
            listener.receive(packet)
        }
        #expect(listener.take().isEmpty)
    }

    @Test func twoStreamsAtOnceDoNotAlternate() {
        let listener = established()
        for index in 3..<50 {
            listener.receive(.voice(index))
            listener.receive(.voice(index, ssrc: Self.other))
        }
        #expect(listener.take() == (3..<50).map { .voice($0) })
    }

    @Test func whatIsHeldGoesOnBeforeTheNewSource() {
        let listener = Listener()
        for index in [0, 1, 3] { listener.receive(.voice(index)) }
        listener.advance(milliseconds: 20)
        listener.receive(.voice(2))
        listener.receive(.voice(5))
        _ = listener.take()
        listener.receive(.voice(8, ssrc: Self.other))
        listener.receive(.voice(9, ssrc: Self.other))
        let heard = listener.take()
        #expect(heard.count == 4)
        #expect(heard[1] == .voice(5))
        #expect(heard[3] == .voice(9, new: true))
        #expect(listener.deadline == nil)
        #expect(listener.statistics.lost == 1)
        // The old source's numbers are forgotten.
        listener.receive(.voice(4))
        #expect(listener.take().isEmpty)
    }

    @Test func aKeyEndsWithItsSource() {
        let listener = established()
        listener.receive(.digit(5, sequence: 1_003, timestamp: 9_000, duration: 160))
        listener.receive(.voice(500, ssrc: Self.other))
        listener.receive(.voice(501, ssrc: Self.other))
        #expect(
            listener.take() == [
                .digit(.started(digit: 5, timestamp: 9_000)),
                .digit(.ended(digit: 5, durationSamples: 160, clockRate: 8_000)),
                .gap(StreamGap(reason: .newSource, lostPackets: 0)), .voice(501, new: true),
            ])
    }
}
