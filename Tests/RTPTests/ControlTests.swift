import NIOCore
import TestKit
import Testing

@testable import RTP

/// A compound packet as a test writes it down.
private func packet(type: UInt8, count: UInt8, _ words: [UInt32]) -> [UInt8] {
    let length = UInt16(words.count)
    return [0x80 | count, type, UInt8(length >> 8), UInt8(length & 0xFF)]
        + words.flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } }
}

private func words(_ bytes: [UInt8]) -> [UInt32] {
    stride(from: 0, to: bytes.count - 3, by: 4).map { offset in bytes.withUnsafeBytes { $0.word(at: offset) } }
}

@Suite struct ControlTests {
    private static let peer: UInt32 = 0xBBBB_0001
    private static let own: UInt32 = 0xAAAA_0001

    /// Moves to the next report and writes it.
    private func report(
        _ listener: Listener, wallClock: NTPTimestamp = NTPTimestamp(seconds: 7, fraction: 0)
    ) -> [UInt8]? {
        listener.now = listener.reportDeadline
        return listener.writeControl(wallClock: wallClock)
    }

    @Test func theFirstReportComesAfterHalfTheInterval() {
        let listener = Listener()
        let wait = (listener.reportDeadline - listener.now).nanoseconds / 1_000_000
        #expect((1_000...3_100).contains(wait))
        listener.now = listener.reportDeadline - .nanoseconds(1)
        #expect(listener.writeControl() == nil)
        listener.now = listener.reportDeadline
        #expect(listener.writeControl() != nil)
        #expect(listener.writeControl() == nil)
    }

    @Test func laterOnesAreSpreadAroundFiveSeconds() {
        let listener = Listener()
        var intervals: [Double] = []
        for _ in 0..<500 {
            let before = listener.now
            #expect(report(listener) != nil)
            intervals.append(Double((listener.now - before).nanoseconds) / 1e9)
        }
        let later = intervals.dropFirst()
        #expect(later.allSatisfy { $0 > 2.05 && $0 < 6.16 })
        let mean = later.reduce(0, +) / Double(later.count)
        #expect(mean > 3.9 && mean < 4.3)
        #expect(Set(later).count > 400)
    }

    @Test func aSenderReportMapsOurAxisToOurClock() throws {
        let listener = Listener()
        _ = listener.write([1, 2, 3, 4], timestamp: 8_000)
        listener.now = listener.now + .milliseconds(20)
        _ = listener.write([1, 2, 3, 4], timestamp: 8_160)
        let sentAt = listener.now
        let bytes = try #require(report(listener, wallClock: NTPTimestamp(seconds: 0x1122_3344, fraction: 0x5566_7788)))
        let elapsed = (listener.now - sentAt).nanoseconds * 8_000 / 1_000_000_000
        let content = words(bytes)
        #expect(content[0] == 0x80C8_0006)
        #expect(content[1] == Self.own)
        #expect(content[2...3] == [0x1122_3344, 0x5566_7788])
        let timestamp = Int64(content[4] &- 0xFFFF_FF00)
        #expect(abs(timestamp - 8_160 - elapsed) <= 1)
        #expect(content[5...6] == [2, 8])
        // The canonical name: CNAME "test", a zero, filled to whole words.
        #expect(content[7] == 0x81CA_0003)
        #expect(content[8] == Self.own)
        #expect(bytes.suffix(8) == [1, 4] + Array("test".utf8) + [0, 0])
    }

    @Test func aKeysStandingTimestampDoesNotBendTheMapping() throws {
        let listener = Listener()
        let start = listener.now
        _ = listener.write(timestamp: 0)
        listener.now = listener.reportDeadline - .milliseconds(400)
        let elapsed = (listener.now - start).nanoseconds * 8_000 / 1_000_000_000
        #expect(listener.startDigit(1, duration: .seconds(2), timestamp: elapsed))
        while listener.now < listener.reportDeadline {
            while listener.writeDigit() != nil {}
            listener.now = listener.now + .milliseconds(20)
        }
        let content = words(try #require(listener.writeControl()))
        let expected = (listener.now - start).nanoseconds * 8_000 / 1_000_000_000
        #expect(abs(Int64(content[4] &- 0xFFFF_FF00) - expected) <= 1)
    }

    @Test func whoSentNothingForTwoReportsIsNoSender() throws {
        let listener = Listener()
        _ = listener.write(timestamp: 0)
        #expect(try #require(report(listener))[1] == 200)
        #expect(try #require(report(listener))[1] == 200)
        #expect(try #require(report(listener))[1] == 201)
        _ = listener.write(timestamp: 800)
        #expect(try #require(report(listener))[1] == 200)
    }

    @Test func aReportBlockSaysWhatWasLost() throws {
        let listener = Listener()
        for index in 0..<100 where index % 10 != 5 {
            listener.receive(.voice(index))
            listener.now = listener.now + .milliseconds(20)
        }
        let first = words(try #require(report(listener)))
        #expect(first[0] == 0x81C9_0007)
        #expect(first[2] == Self.peer)
        #expect(first[3] == UInt32(10 * 256 / 100) << 24 | 10)
        #expect(first[4] == 1_099)
        // Nothing since: no block.
        #expect(words(try #require(report(listener)))[0] == 0x80C9_0001)
        for index in 100..<110 { listener.receive(.voice(index)) }
        let third = words(try #require(report(listener)))
        #expect(third[3] == 10)
        #expect(third[4] == 1_109)
    }

    @Test func theHighestSequenceCountsItsRounds() throws {
        let listener = Listener()
        for index in 0..<140_000 { listener.receive(.voice(index)) }
        let content = words(try #require(report(listener)))
        #expect(content[4] == 140_999)
        #expect(content[3] == 0)
    }

    @Test func aBlockRefersToTheLastSenderReport() throws {
        let listener = Listener()
        listener.receive(.voice(0))
        listener.now = listener.reportDeadline - .milliseconds(500)
        listener.receiveControl(packet(type: 200, count: 0, [Self.peer, 0x1111_2222, 0x3333_4444, 0, 0, 0]))
        let content = words(try #require(report(listener)))
        #expect(content[6] == 0x2222_3333)
        #expect(content[7] == 32_768)
        #expect(listener.statistics.controlReceived == 1)
    }

    @Test func aStrangersSenderReportIsNotReferredTo() throws {
        let listener = Listener()
        listener.receive(.voice(0))
        listener.receiveControl(packet(type: 200, count: 0, [0xDEAD, 0x1111_2222, 0x3333_4444, 0, 0, 0]))
        #expect(words(try #require(report(listener)))[6] == 0)
    }

    @Test func theRoundTripIsWhatThePeerDidNotWait() throws {
        let listener = Listener()
        _ = listener.write(timestamp: 0)
        _ = report(listener, wallClock: NTPTimestamp(seconds: 0x0001_ABCD, fraction: 0xEF01_0000))
        listener.now = listener.now + .milliseconds(1_080)
        // It was kept for one second; the loss is 25 %, minus two packets in all, the jitter 160.
        let block: [UInt32] = [Self.own, 0x40FF_FFFE, 9, 160, 0xABCD_EF01, 65_536]
        listener.receiveControl(packet(type: 201, count: 1, [Self.peer] + block))
        let statistics = listener.statistics
        #expect(abs((statistics.roundTripMilliseconds ?? 0) - 80) < 0.001)
        #expect(statistics.peerFractionLost == 0.25)
        #expect(statistics.peerLost == -2)
        #expect(statistics.peerJitterMilliseconds == 20)
    }

    @Test func aRoundTripIsNotTakenFromReportsNeverSent() {
        let listener = Listener()
        _ = listener.write(timestamp: 0)
        _ = report(listener)
        for reference in [UInt32(0), 0x1234_5678] {
            listener.receiveControl(packet(type: 201, count: 1, [Self.peer, Self.own, 0, 0, 0, reference, 0]))
        }
        #expect(listener.statistics.roundTripMilliseconds == nil)
        // A report on somebody else's stream says nothing of ours.
        listener.receiveControl(packet(type: 201, count: 1, [Self.peer, 0xDEAD, 0x4000_0001, 0, 0, 0x0007_0000, 0]))
        #expect(listener.statistics.roundTripMilliseconds == nil)
    }

    @Test func asksForTheRoundTripWhileItSendsNothing() throws {
        var generator = SeededGenerator(seed: 1)
        var configuration = RTPSession.Configuration(formats: .telephone, cname: "x", using: &generator)
        configuration.asksForRoundTrip = true
        var now = NIODeadline.uptimeNanoseconds(1_000)
        var session = RTPSession(configuration: configuration, now: now)
        now = session.reportDeadline
        var buffer = [UInt8](repeating: 0, count: RTPSession.controlPacketCapacity)
        let length = buffer.withUnsafeMutableBytes {
            let wallClock = NTPTimestamp(seconds: 0xAAAA_1111, fraction: 0x2222_BBBB)
            return session.writeControl(now: now, wallClock: wallClock, into: $0)
        }
        let content = words(Array(buffer.prefix(try #require(length))))
        #expect(content[2...6] == [0x80CF_0004, configuration.localSSRC, 0x0400_0002, 0xAAAA_1111, 0x2222_BBBB])
        now = now + .milliseconds(40)
        let answer = packet(
            type: 207, count: 0, [Self.peer, 0x0500_0003, configuration.localSSRC, 0x1111_2222, 0])
        var events: [RTPEvent] = []
        answer.withUnsafeBytes { session.receiveControl($0, now: now, into: &events) }
        let roundTrip = session.statistics.roundTripMilliseconds
        #expect(abs((roundTrip ?? 0) - 40) < 0.001)
    }

    @Test func goodbyeOfTheSource() {
        let listener = Listener()
        listener.receiveControl(packet(type: 203, count: 1, [Self.peer]))
        #expect(listener.take().isEmpty)
        listener.receive(.voice(0))
        _ = listener.take()
        listener.receiveControl(packet(type: 203, count: 1, [0xDEAD]))
        #expect(listener.take().isEmpty)
        let receiverReport = packet(type: 201, count: 0, [Self.peer])
        listener.receiveControl(receiverReport + packet(type: 203, count: 2, [0xDEAD, Self.peer]))
        #expect(listener.take() == [.goodbye])
    }

    @Test func ourGoodbyeIsACompoundPacket() throws {
        let listener = Listener()
        _ = listener.write(timestamp: 0)
        listener.receive(.voice(0))
        let bytes = try #require(listener.writeGoodbye())
        #expect(bytes.withUnsafeBytes { RTCPReader.isValid($0) })
        #expect(bytes[1] == 200)
        #expect(words(bytes).suffix(2) == [0x81CB_0001, Self.own])
    }

    @Test(arguments: [
        ("nothing", []),
        ("half a header", [0x80, 201]),
        ("wrong version", [0x40, 201, 0, 1, 0, 0, 0, 1]),
        ("no RTCP type", [0x80, 100, 0, 1, 0, 0, 0, 1]),
        ("longer than the datagram", [0x80, 201, 0, 2, 0, 0, 0, 1]),
        ("shorter than the datagram", [0x80, 201, 0, 1, 0, 0, 0, 1, 0]),
        ("a block that is not there", [0x81, 201, 0, 1, 0, 0, 0, 1]),
        ("a sender report without its content", [0x80, 200, 0, 1, 0, 0, 0, 1]),
        ("a BYE without its source", [0x81, 203, 0, 0]),
        ("padding in the middle", [0xA0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 4, 0x80, 201, 0, 1, 0, 0, 0, 1]),
        ("too much padding", [0xA0, 201, 0, 1, 0, 0, 0, 8]),
    ])
    func countsWhatIsNoControlPacket(_ name: String, _ bytes: [UInt8]) {
        let listener = Listener()
        listener.receive(.voice(0))
        _ = listener.take()
        listener.receiveControl(bytes)
        #expect(listener.take().isEmpty)
        #expect(listener.statistics.controlMalformed == 1, "\(name)")
        #expect(listener.statistics.controlReceived == 0)
    }

    @Test func skipsWhatItDoesNotKnow() {
        let listener = Listener()
        listener.receive(.voice(0))
        _ = listener.take()
        let feedback = packet(type: 206, count: 1, [Self.peer, Self.own])
        let padded: [UInt8] = [0xA1, 203, 0, 2, 0xBB, 0xBB, 0, 1, 0, 0, 0, 4]
        listener.receiveControl(feedback + padded)
        #expect(listener.take() == [.goodbye])
    }

    @Test func jitterFollowsTheStandardsFormula() {
        let listener = Listener()
        var expected = 0.0
        for index in 0..<200 {
            listener.receive(.voice(index))
            if index > 0 {
                // Alternately 25 and 15 ms apart: always 5 ms = 40 units away from the timestamps.
                expected += (40 - expected) / 16
            }
            listener.now = listener.now + .milliseconds(index % 2 == 0 ? 25 : 15)
        }
        #expect(abs(listener.statistics.jitterMilliseconds - expected / 8) < 0.001)
        #expect(expected > 39)
    }

    @Test func twoSessionsMeasureEachOther() throws {
        let left = Listener()
        let right = Listener()
        var toRight = LossyNetwork<[UInt8]>(seed: 5)
        toRight.loss = .independent(0.1)
        toRight.delay = .milliseconds(35)
        var toLeft = LossyNetwork<[UInt8]>(seed: 6)
        toLeft.delay = .milliseconds(45)
        func handOver(_ bytes: [UInt8], to listener: Listener) {
            if bytes.withUnsafeBytes({ RTPPacketView.isControl($0) }) {
                listener.receiveControl(bytes)
            } else {
                listener.receive(bytes)
            }
        }
        for millisecond in 0..<60_000 {
            left.advance(milliseconds: 1)
            right.advance(milliseconds: 1)
            if millisecond % 20 == 0 {
                toRight.send(left.write(timestamp: Int64(millisecond) * 8), now: left.now)
                toLeft.send(right.write(timestamp: Int64(millisecond) * 8), now: right.now)
            }
            let clock = NTPTimestamp(unixNanoseconds: left.now.uptimeNanoseconds)
            if let report = left.writeControl(wallClock: clock) { toRight.send(report, now: left.now) }
            if let report = right.writeControl(wallClock: clock) { toLeft.send(report, now: right.now) }
            while let arrival = toRight.receive(now: right.now) { handOver(arrival.datagram, to: right) }
            while let arrival = toLeft.receive(now: left.now) { handOver(arrival.datagram, to: left) }
        }
        let statistics = left.statistics
        #expect(abs((statistics.roundTripMilliseconds ?? 0) - 80) < 1.1)
        #expect(abs((right.statistics.roundTripMilliseconds ?? 0) - 80) < 1.1)
        let lost = try #require(statistics.peerLost)
        #expect(lost > 200 && lost <= toRight.lost)
        #expect((statistics.peerFractionLost ?? 0) > 0.03)
        #expect(right.statistics.peerLost == 0)
    }
}
