import NIOCore
import TestKit
import Testing

@testable import RTP

/// The feedback on what the peer sends: what is told of which packet, and when.
@Suite struct TransportArrivalTests {
    private static var formats: RTPFormats {
        var formats = RTPFormats.browser
        formats.transportSequence = 3
        formats.reducedSize = true
        return formats
    }

    /// A packet of the peer with a level (extension 1) in front of its transport-wide number.
    private static func packet(_ index: Int, transport: Int) -> [UInt8] {
        var bytes = RTPPacket(
            payloadType: 111, sequence: UInt16(truncatingIfNeeded: 1_000 + index), timestamp: UInt32(index * 960)
        ).bytes
        bytes[0] = 0x90
        let number = UInt16(truncatingIfNeeded: transport)
        bytes.insert(contentsOf: [0xBE, 0xDE, 0, 2, 0x10, 0x55, 0x31, UInt8(number >> 8), UInt8(number & 0xFF), 0, 0, 0], at: 12)
        return bytes
    }

    /// The numbers and times of a feedback packet, read as a peer's would be: milliseconds of the listener's clock.
    private static func read(_ feedback: [UInt8]) throws -> [(sequence: UInt16, milliseconds: Double?)] {
        try feedback.withUnsafeBytes { bytes in
            #expect(RTCPReader.isValid(bytes))
            var reader = RTCPReader(bytes)
            let next = reader.next()
            let part = try #require(next)
            #expect(part.type == RTCPType.transportFeedback && part.count == 15)
            #expect(part.body.word(at: 0) == 0xAAAA_0001 && part.body.word(at: 4) == 0xBBBB_0001)
            let body = UnsafeRawBufferPointer(rebasing: part.body[8...])
            let arrivals = try #require(TransportArrivals(body))
            var list: [(UInt16, Double?)] = []
            arrivals.forEach { sequence, time in
                list.append((sequence, time.map { Double(Int64(arrivals.reference) * 64_000 + $0) / 1000 }))
            }
            return list
        }
    }

    /// Milliseconds of the listener's clock, as the reference time counts them.
    private static func clock(_ listener: Listener) -> Double {
        Double(listener.now.uptimeNanoseconds % (64_000_000 << 24)) / 1e6
    }

    @Test func everyPacketIsToldOfOnceWithItsTime() throws {
        let listener = Listener(formats: Self.formats)
        var came: [(UInt16, Double?)] = []
        var told: [(sequence: UInt16, milliseconds: Double?)] = []
        var feedbacks = 0
        // Numbers over the wrap of 16 bits, every ninth packet lost, and a pause of 300 ms and one of 10 s.
        for index in 0..<120 {
            if index == 50 { listener.advance(milliseconds: 300) }
            if index == 80 { listener.advance(milliseconds: 10_000) }
            if index % 9 == 4 {
                came.append((UInt16(truncatingIfNeeded: 65_500 + index), nil))
            } else {
                came.append((UInt16(truncatingIfNeeded: 65_500 + index), Self.clock(listener)))
                listener.receive(Self.packet(index, transport: 65_500 + index))
            }
            while let feedback = listener.writeFeedback() {
                feedbacks += 1
                #expect(feedback.count <= 64)
                told += try Self.read(feedback)
            }
            listener.advance(milliseconds: 20)
        }
        #expect(told.map(\.sequence) == came.prefix(told.count).map(\.0))
        #expect(told.count > 108)
        for (index, one) in told.enumerated() {
            #expect((one.milliseconds == nil) == (came[index].1 == nil))
            if let time = one.milliseconds, let expected = came[index].1 { #expect(abs(time - expected) < 0.26) }
        }
        // Every 200 ms, and one more where a time did not fit.
        #expect((11...15).contains(feedbacks))
        #expect(listener.statistics.transportReportsSent == feedbacks)
    }

    @Test func aPacketThatComesAfterItsFeedbackIsToldOfAgain() throws {
        let listener = Listener(formats: Self.formats)
        for index in 0..<12 where index != 8 {
            listener.receive(Self.packet(index, transport: index))
            listener.advance(milliseconds: 20)
        }
        let first = try Self.read(try #require(listener.writeFeedback()))
        #expect(first.first { $0.sequence == 8 }?.milliseconds == nil)
        #expect(listener.writeFeedback() == nil)
        listener.receive(Self.packet(8, transport: 8))
        listener.receive(Self.packet(8, transport: 8))
        #expect(listener.writeFeedback() == nil)
        listener.advance(milliseconds: 200)
        let second = try Self.read(try #require(listener.writeFeedback()))
        #expect(second.first?.sequence == 8 && second.first?.milliseconds != nil)
        listener.advance(milliseconds: 200)
        #expect(listener.writeFeedback() == nil)
    }

    @Test func aPeerWithoutReducedSizeGetsACompoundPacket() throws {
        var formats = Self.formats
        formats.reducedSize = false
        let listener = Listener(formats: formats)
        listener.receive(Self.packet(0, transport: 0))
        listener.advance(milliseconds: 200)
        let feedback = try #require(listener.writeFeedback())
        #expect(Array(feedback[0..<2]) == [0x80, RTCPType.receiverReport])
        feedback.withUnsafeBytes { #expect(RTCPReader.isValid($0)) }
    }

    @Test func noNumberNoFeedback() {
        let listener = Listener(formats: .browser)
        listener.receive(Self.packet(0, transport: 0))
        listener.advance(milliseconds: 1000)
        #expect(listener.writeFeedback() == nil)
        let other = Listener(formats: Self.formats)
        other.receive(RTPPacket(payloadType: 111, sequence: 1, timestamp: 0).bytes)
        other.advance(milliseconds: 1000)
        #expect(other.writeFeedback() == nil)
    }

    @Test func leapsAndNonsenseStayWithinThePacket() throws {
        let listener = Listener(formats: Self.formats)
        var generator = SeededGenerator(seed: 4)
        var transport = 0
        var feedbacks = 0
        for index in 0..<20_000 {
            let kind = Int.random(in: 0..<50, using: &generator)
            transport += kind == 0 ? .random(in: -70_000...70_000, using: &generator) : kind < 6 ? .random(in: -20...40, using: &generator) : 1
            var bytes = Self.packet(index, transport: transport)
            if index % 7 == 0 { bytes[Int.random(in: 12..<24, using: &generator)] = .random(in: .min ... .max, using: &generator) }
            listener.receive(bytes)
            listener.advance(milliseconds: Double(Int.random(in: 0...40, using: &generator)))
            while let feedback = listener.writeFeedback() {
                feedbacks += 1
                #expect(feedback.count <= RTPSession.controlPacketCapacity)
                _ = try Self.read(feedback)
            }
        }
        #expect(feedbacks > 500)
    }
}
