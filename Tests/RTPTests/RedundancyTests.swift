import NIOCore
import TestKit
import Testing

@testable import RTP

/// Copies of earlier packets (RFC 2198): received, they fill holes; sent, they go one packet back.
@Suite struct RedundancyTests {
    private static let formats: RTPFormats = {
        var formats = RTPFormats.browser
        formats.receiveRedundancy = RTPFormat(payloadType: 63, clockRate: 48_000)
        formats.sendRedundancy = 63
        return formats
    }()

    private static func sound(_ index: Int) -> [UInt8] { [0xA0, UInt8(truncatingIfNeeded: index)] }

    /// A redundant packet of sound number `index` with copies of those `back` packets before it.
    private static func packet(_ index: Int, back: [Int], copyType: UInt8 = 111) -> RTPPacket {
        var payload: [UInt8] = []
        for distance in back {
            let header = UInt32(0x80 | copyType) << 24 | UInt32(distance * 960) << 10 | UInt32(sound(index - distance).count)
            payload += withUnsafeBytes(of: header.bigEndian) { Array($0) }
        }
        payload.append(111)
        for distance in back { payload += sound(index - distance) }
        return plain(index, type: 63, payload: payload + sound(index))
    }

    private static func plain(_ index: Int, type: UInt8 = 111, payload: [UInt8]? = nil) -> RTPPacket {
        RTPPacket(
            payloadType: type, sequence: UInt16(truncatingIfNeeded: 1_000 + index),
            timestamp: UInt32(truncatingIfNeeded: 1_000 + index * 960), payload: payload ?? sound(index))
    }

    private static func frame(_ index: Int, new: Bool = false) -> Heard {
        .frame(sequence: Int64(1_000 + index), timestamp: Int64(1_000 + index * 960), new: new)
    }

    @Test func packetsInOrderAreHeardOnceAndAtOnce() {
        let listener = Listener(formats: Self.formats)
        listener.receive(Self.plain(0))
        for index in 1..<5 { listener.receive(Self.packet(index, back: [1])) }
        #expect(listener.take() == [Self.frame(0, new: true)] + (1..<5).map { Self.frame($0) })
        #expect(listener.payloads == (0..<5).map(Self.sound))
        #expect(listener.statistics.restored == 0)
        #expect(listener.statistics.packetsReceived == 5)
    }

    @Test func aCopyTakesThePlaceOfALostPacket() {
        let listener = Listener(formats: Self.formats)
        for index in 0..<3 { listener.receive(Self.packet(index, back: index > 0 ? [1] : [])) }
        listener.receive(Self.packet(4, back: [1]))
        #expect(listener.take() == [Self.frame(0, new: true)] + (1..<5).map { Self.frame($0) })
        #expect(listener.payloads == (0..<5).map(Self.sound))
        #expect(listener.statistics.restored == 1)
        #expect(listener.statistics.concealable == 0)
        // The network lost it all the same.
        #expect(listener.statistics.lost == 1)
    }

    /// What no copy fills is announced, with the copy behind it for forward error correction.
    @Test func partOfALongerHoleIsFilled() {
        let listener = Listener(formats: Self.formats)
        for index in 0..<2 { listener.receive(Self.plain(index)) }
        listener.receive(Self.packet(5, back: [1]))
        #expect(
            listener.take() == [
                Self.frame(0, new: true), Self.frame(1),
                .lost(count: 2, timestamp: 1_000 + 2 * 960, step: 960, next: Self.sound(4)), Self.frame(4), Self.frame(5),
            ])
        listener.receive(Self.packet(8, back: [2, 1]))
        #expect(listener.take() == [Self.frame(6), Self.frame(7), Self.frame(8)])
        // A copy that leaves a hole behind itself.
        listener.receive(Self.packet(11, back: [2]))
        #expect(
            listener.take() == [
                Self.frame(9), .lost(count: 1, timestamp: 1_000 + 10 * 960, step: 960, next: Self.sound(11)), Self.frame(11),
            ])
    }

    @Test func copiesOfWhatWasHeardOrOfAnotherFormatAreLeftOut() {
        let listener = Listener(formats: Self.formats)
        for index in 0..<3 { listener.receive(Self.plain(index)) }
        listener.receive(Self.packet(4, back: [2, 3]))
        listener.receive(Self.packet(6, back: [1], copyType: 0))
        #expect(listener.statistics.restored == 0)
        #expect(listener.statistics.concealable == 2)
    }

    /// A packet that waits for one before it is read where it was put.
    @Test func aHeldPacketFillsTheHoleItWaitedFor() {
        let listener = Listener(formats: Self.formats)
        for index in 0..<3 { listener.receive(Self.plain(index)) }
        // One that comes late teaches to wait.
        listener.receive(Self.plain(4))
        listener.advance(milliseconds: 15)
        listener.receive(Self.plain(3))
        for index in 5..<7 { listener.receive(Self.plain(index)) }
        _ = listener.take()
        listener.receive(Self.packet(8, back: [1]))
        #expect(listener.take() == [])
        listener.advance(milliseconds: 60)
        #expect(listener.take() == [Self.frame(7), Self.frame(8)])
        #expect(listener.payloads.suffix(2) == [Self.sound(7), Self.sound(8)])
    }

    /// 0xEF is 111 with the bit that says that another block follows.
    private static let unreadable: [[UInt8]] = [
        [], [0x80], [0xEF, 0, 0], [0xEF, 0, 0, 1], [0xEF, 0, 3, 255, 111, 1], [0xBF, 0, 0, 0, 63], [63, 1, 2], [110, 1, 0, 0, 0],
        Array(repeating: 0xEF, count: 1_400),
    ]

    @Test(arguments: unreadable) func unreadableRedundancyKeepsItsPlaceAndIsNotHeard(payload: [UInt8]) {
        let listener = Listener(formats: Self.formats)
        for index in 0..<2 { listener.receive(Self.plain(index)) }
        listener.receive(Self.plain(2, type: 63, payload: payload))
        listener.receive(Self.plain(3))
        #expect(listener.take() == [Self.frame(0, new: true), Self.frame(1), Self.frame(3)])
        #expect(listener.statistics.unknownPayload == 1)
        #expect(listener.statistics.lost == 0)
    }

    @Test func mutatedRedundancyDoesNoHarm() {
        var generator = SeededGenerator(seed: 63)
        let listener = Listener(formats: Self.formats)
        for index in 0..<20_000 {
            var packet = Self.packet(index, back: index > 3 ? [3, 2, 1].suffix(Int.random(in: 0...3, using: &generator)) : [])
            for _ in 0...Int.random(in: 0..<3, using: &generator) {
                let place = Int.random(in: 0..<packet.payload.count, using: &generator)
                packet.payload[place] = UInt8.random(in: .min ... .max, using: &generator)
            }
            if generator.happens(0.1) { packet.payload.removeLast(Int.random(in: 0...packet.payload.count, using: &generator)) }
            if generator.happens(0.8) { listener.receive(packet) }
            listener.advance(milliseconds: 20)
        }
        #expect(listener.statistics.restored > 100)
        #expect(listener.statistics.unknownPayload > 100)
    }

    // MARK: Sending

    @Test func eachPacketCarriesTheOneBeforeIt() throws {
        let listener = Listener(formats: Self.formats)
        #expect(listener.write([1], timestamp: 0)[1] & 0x7F == 111)
        listener.session.setRedundant(true)
        // Nothing was remembered yet.
        #expect(listener.write([2], timestamp: 960)[1] & 0x7F == 111)
        let packet = listener.write([3, 4], timestamp: 1_920, marker: true)
        #expect(packet[1] == 0x80 | 63)
        #expect(Array(packet[12...]) == [0x80 | 111, 960 >> 6, 0, 1, 111, 2, 3, 4])
        listener.session.setRedundant(false)
        #expect(Array(listener.write([5], timestamp: 2_880)[12...]) == [5])
    }

    @Test func whatCannotBeRepeatedIsSentAlone() {
        let listener = Listener(formats: Self.formats)
        listener.session.setRedundant(true)
        _ = listener.write([1], timestamp: 0)
        // Longer ago than fourteen bits of timestamp say.
        #expect(listener.write([2], timestamp: 16_384)[1] & 0x7F == 111)
        #expect(listener.write([3], timestamp: 32_767)[1] & 0x7F == 63)
        let long = [UInt8](repeating: 7, count: 1_024)
        // Both together are too long; and so is this one for a block.
        #expect(listener.write(long, timestamp: 33_000)[1] & 0x7F == 63)
        #expect(listener.write([4], timestamp: 33_960)[1] & 0x7F == 111)
        #expect(listener.write([UInt8](repeating: 7, count: 1_023), timestamp: 34_000)[1] & 0x7F == 63)
        #expect(listener.write([UInt8](repeating: 8, count: 90), timestamp: 34_960)[1] & 0x7F == 111)
        let plain = Listener(formats: .browser)
        plain.session.setRedundant(true)
        for index in 0..<3 { #expect(plain.write([1], timestamp: Int64(index * 960))[1] & 0x7F == 111) }
    }

    /// What we send is what we can read.
    @Test func copiesThatWereSentAreReceived() {
        let sender = Listener(formats: Self.formats)
        let receiver = Listener(formats: Self.formats)
        sender.session.setRedundant(true)
        for index in 0..<100 {
            let bytes = sender.write(Self.sound(index), timestamp: Int64(index * 960))
            if index % 3 != 1 { receiver.receive(bytes) }
        }
        #expect(receiver.payloads == (0..<100).map(Self.sound))
        #expect(receiver.statistics.restored == 33)
    }
}
