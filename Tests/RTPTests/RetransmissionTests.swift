import NIOCore
import TestKit
import Testing

@testable import RTP

/// Generic NACK (RFC 4585 section 6.2.1), both ways.
@Suite struct RetransmissionTests {
    private static let own: UInt32 = 0xAAAA_0001
    private static let peer: UInt32 = 0xBBBB_0001
    private static var formats: RTPFormats {
        var formats = RTPFormats.telephone
        formats.retransmission = true
        return formats
    }

    private static func bytes(_ words: [UInt32]) -> [UInt8] {
        words.flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } }
    }

    /// A NACK of the peer for our packets.
    private static func nack(_ entries: [UInt32], about ssrc: UInt32 = own) -> [UInt8] {
        bytes([0x81CD_0000 | UInt32(2 + entries.count), peer, ssrc] + entries)
    }

    private static func resent(_ listener: Listener) -> [UInt16] {
        listener.take().compactMap { if case .resend(let sequence) = $0 { sequence } else { nil } }
    }

    /// A session that has sent so many packets, 20 ms each, from 0x7FF0 on.
    private static func sender(packets: Int, formats: RTPFormats = formats) -> Listener {
        let listener = Listener(formats: formats)
        for index in 0..<packets {
            _ = listener.write(timestamp: Int64(index) * 160)
            listener.now = listener.now + .milliseconds(20)
        }
        return listener
    }

    @Test func whatThePeerMissesIsSentAgain() {
        let listener = Self.sender(packets: 20)
        // 0x7FF8, and by the bit mask 0x7FF9, 0x7FFB and 0x8000.
        listener.receiveControl(Self.nack([0x7FF8_0085]))
        #expect(Self.resent(listener) == [0x7FF8, 0x7FF9, 0x7FFB, 0x8000])
        #expect(listener.statistics.resent == 4)
        // Not twice within a round trip, but after it.
        listener.receiveControl(Self.nack([0x7FF8_0000]))
        #expect(Self.resent(listener).isEmpty)
        listener.now = listener.now + .milliseconds(25)
        listener.receiveControl(Self.nack([0x7FF8_0000]))
        #expect(Self.resent(listener) == [0x7FF8])
    }

    @Test func onlyPacketsOfOursThatAreOfUse() {
        let listener = Self.sender(packets: 40)
        // About another source, never sent, too old.
        listener.receiveControl(Self.nack([0x8010_0000], about: 0xCCCC_0001))
        listener.receiveControl(Self.nack([0x8018_0000]))
        listener.receiveControl(Self.nack([0x7FF0_FFFF]))
        #expect(Self.resent(listener).allSatisfy { $0 >= 0x7FFE })
        let other = Self.sender(packets: 20, formats: .telephone)
        other.receiveControl(Self.nack([0x7FF8_0000]))
        #expect(Self.resent(other).isEmpty)
    }

    @Test func aFloodIsBounded() {
        let listener = Self.sender(packets: 0)
        var sent = 0
        let everything = Self.nack((0..<16).map { UInt32(0x7FF0 + $0 * 17) << 16 | 0xFFFF })
        for index in 0..<200 {
            _ = listener.write(timestamp: Int64(index) * 160)
            for _ in 0..<20 {
                listener.receiveControl(everything)
                listener.now = listener.now + .milliseconds(1)
            }
            sent += Self.resent(listener).count
        }
        #expect(sent > 20 && sent <= 100)
    }

    @Test func nonsenseDoesNoHarm() {
        let listener = Self.sender(packets: 20)
        var generator = SeededGenerator(seed: 7)
        let vectors = [Self.nack([0x7FF8_0085]), Self.nack([]), Self.nack([0xFFFF_FFFF, 0x0000_FFFF]), Self.bytes([0x81CD_0001, Self.peer])]
        for _ in 0..<20_000 {
            var vector = vectors.randomElement(using: &generator) ?? []
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                vector[Int.random(in: vector.indices, using: &generator)] = UInt8.random(in: .min ... .max, using: &generator)
            }
            listener.receiveControl(Array(vector.prefix(Int.random(in: 0...vector.count, using: &generator))))
        }
        let before = listener.statistics.controlMalformed
        listener.receiveControl(Self.bytes([0x81CD_0001, Self.peer]))
        #expect(listener.statistics.controlMalformed == before + 1)
    }

    // MARK: Asking

    /// A session that has heard some packets, and knows a round trip of so many milliseconds.
    private static func receiver(roundTrip: Double, formats: RTPFormats = formats) -> Listener {
        let listener = Listener(formats: formats)
        listener.setAsksAgain(true)
        _ = listener.write(timestamp: 0)
        listener.now = listener.reportDeadline
        _ = listener.writeControl(wallClock: NTPTimestamp(seconds: 7, fraction: 0))
        listener.now = listener.now + .nanoseconds(Int64(roundTrip * 1e6))
        // A receiver report on our source with the middle of that time, and no delay.
        listener.receiveControl(bytes([0x81C9_0007, peer, own, 0, 0x7FF0, 0, 0x0007_0000, 0]))
        for index in 0..<3 { listener.receive(.voice(index)) }
        _ = listener.take()
        return listener
    }

    @Test func aHoleIsAskedForAndWaitedFor() throws {
        let listener = Self.receiver(roundTrip: 10)
        listener.receive(.voice(5))
        #expect(listener.take().isEmpty)
        let request = try #require(listener.writeFeedback())
        // An empty receiver report, our name, and the NACK: 1003 and the one after it.
        #expect(request.prefix(4) == [0x80, 0xC9, 0, 1])
        #expect(Array(request.suffix(16)) == Self.bytes([0x81CD_0003, Self.own, Self.peer, 0x03EB_0001]))
        #expect(listener.writeFeedback() == nil)
        #expect(listener.deadline == listener.now + .milliseconds(18))
        listener.advance(milliseconds: 12)
        listener.receive(.voice(3))
        listener.receive(.voice(4))
        #expect(listener.take() == [.voice(3), .voice(4), .voice(5)])
        #expect(listener.statistics.retransmitted == 2)
        #expect(listener.statistics.reordered == 0)
        // What came again teaches nothing of the network.
        #expect(listener.statistics.reorderingWait == .zero)
    }

    @Test func withoutAnAnswerTheHoleIsGivenUp() {
        let listener = Self.receiver(roundTrip: 30)
        listener.receive(.voice(4))
        _ = listener.writeFeedback()
        listener.advance(milliseconds: 37)
        #expect(listener.take().isEmpty)
        listener.advance(milliseconds: 1)
        #expect(listener.take() == [.lost(count: 1, timestamp: 1_480, step: 160, next: [0, 4]), .voice(4)])
        // A peer that never answers is not waited for.
        for index in stride(from: 6, to: 30, by: 2) {
            listener.receive(.voice(index))
            _ = listener.writeFeedback()
            listener.advance(milliseconds: 40)
        }
        _ = listener.take()
        listener.receive(.voice(32))
        #expect(listener.writeFeedback() == nil)
        #expect(listener.take().count == 2)
        listener.advance(milliseconds: 10_000)
        listener.receive(.voice(34))
        #expect(listener.writeFeedback() != nil)
    }

    @Test(arguments: [35.0, 300.0]) func aLongWayIsNotWaitedFor(_ roundTrip: Double) {
        let listener = Self.receiver(roundTrip: roundTrip)
        listener.receive(.voice(4))
        #expect(listener.writeFeedback() == nil)
        #expect(listener.take().count == 2)
    }

    @Test func nobodyIsAskedWhoDidNotOfferIt() {
        let listener = Self.receiver(roundTrip: 30, formats: .telephone)
        listener.receive(.voice(4))
        #expect(listener.writeFeedback() == nil)
        #expect(listener.take().count == 2)
    }

    @Test func packetsAreKeptAsTheyWent() {
        let kept = SentPackets()
        for sequence in UInt16(65_520)...65_535 { Self.keep(sequence, in: kept) }
        for sequence in UInt16(0)..<30 { Self.keep(sequence, in: kept) }
        #expect(kept.packet(65_533) == nil)
        for sequence in [UInt16(65_534), 65_535, 0, 29] {
            #expect(kept.packet(sequence).map { Array($0) } == RTPPacket(sequence: sequence, timestamp: 1, payload: [UInt8(sequence & 0xFF)]).bytes)
        }
        #expect(kept.packet(30) == nil)
    }

    private static func keep(_ sequence: UInt16, in kept: SentPackets) {
        RTPPacket(sequence: sequence, timestamp: 1, payload: [UInt8(sequence & 0xFF)]).bytes.withUnsafeBytes { kept.keep($0) }
    }
}
