import NIOCore
import TestKit
import Testing

@testable import RTP

/// Transport-wide sequence numbers on what we send, and the feedback on them.
@Suite struct TransportFeedbackTests {
    private static let own: UInt32 = 0xAAAA_0001
    private static let peer: UInt32 = 0xBBBB_0001
    private static var formats: RTPFormats {
        var formats = RTPFormats.browser
        formats.transportSequence = 3
        return formats
    }

    private static func arrivals(_ bytes: [UInt8]) -> [(UInt16, Int64?)]? {
        bytes.withUnsafeBytes { raw in
            guard let arrivals = TransportArrivals(raw) else { return nil }
            var list: [(UInt16, Int64?)] = []
            arrivals.forEach { list.append(($0, $1)) }
            return list
        }
    }

    @Test func packetsCarryANumberOfTheTransport() throws {
        let listener = Listener(formats: Self.formats)
        let packets = [listener.write([1, 2, 3], timestamp: 0), listener.write([4, 5], timestamp: 960)]
        #expect(Array(packets[0][12...]) == [0xBE, 0xDE, 0, 1, 0x31, 0, 1, 0, 1, 2, 3])
        #expect(Array(packets[1][12...]) == [0xBE, 0xDE, 0, 1, 0x31, 0, 2, 0, 4, 5])
        for packet in packets {
            let view = try #require(packet.withUnsafeBytes { RTPPacketView($0).map { ($0.extensionProfile, $0.payload.count) } })
            #expect(view.0 == 0xBEDE)
            #expect(view.1 == packet.count - 20)
        }
        #expect(listener.startDigit(5, duration: .milliseconds(100), timestamp: 1920))
        let key = try #require(listener.writeDigit())
        #expect(Array(key[12..<20]) == [0xBE, 0xDE, 0, 1, 0x31, 0, 3, 0])
        #expect(Listener(formats: .browser).write([1], timestamp: 0).count == 13)
    }

    @Test func everyKindOfChunkIsRead() throws {
        // From 65534 on: a run of two small times, a run of one lost, and a vector of a large time back, a small one and none.
        let runs: [UInt8] = [0xFF, 0xFE, 0, 6, 0, 0, 2, 7, 0x20, 2, 0x00, 1, 0xE4, 0, 4, 8, 0xFF, 0xFF, 16]
        let list = try #require(Self.arrivals(runs))
        #expect(list.map(\.0) == [65534, 65535, 0, 1, 2, 3])
        #expect(list.map(\.1) == [1000, 3000, nil, 2750, 6750, nil])
        let ones = try #require(Self.arrivals([0, 9, 0, 4, 0, 0, 1, 0, 0xB4, 0, 1, 2, 3]))
        #expect(ones.map(\.0) == [9, 10, 11, 12])
        #expect(ones.map(\.1) == [250, 750, nil, 1500])
    }

    @Test(arguments: [
        // Cut short; no packet; more than anybody sends; the reserved symbol; an empty run; a time that is missing.
        [0, 1, 0, 1, 0, 0, 1], [0, 1, 0, 0, 0, 0, 1, 0, 0x20, 1, 4], [0, 1, 0xFF, 0xFF, 0, 0, 1, 0, 0x1F, 0xFF, 0x1F, 0xFF],
        [0, 1, 0, 1, 0, 0, 1, 0, 0x60, 1, 4, 4, 4], [0, 1, 0, 1, 0, 0, 1, 0, 0x20, 0, 4], [0, 1, 0, 2, 0, 0, 1, 0, 0x20, 2, 4],
        [0, 1, 0, 1, 0, 0, 1, 0], [0, 1, 0, 1, 0, 0, 1, 0, 0x40, 1, 4],
    ] as [[UInt8]]) func nonsenseIsNotRead(_ bytes: [UInt8]) { #expect(Self.arrivals(bytes) == nil) }

    /// A feedback packet about numbers from `first` on: microseconds from 64 ms times `reference`, `nil` for lost.
    static func feedback(from first: UInt16, reference: UInt32, _ times: [Int64?]) -> [UInt8] {
        var chunks: [UInt8] = []
        var deltas: [UInt8] = []
        var last: Int64 = 0
        for time in times {
            let chunk: UInt16 = time == nil ? 1 : 0x4001
            chunks += [UInt8(chunk >> 8), UInt8(chunk & 0xFF)]
            guard let time else { continue }
            let ticks = Int16((time - last) / 250)
            last = time
            deltas += [UInt8(truncatingIfNeeded: ticks >> 8), UInt8(truncatingIfNeeded: ticks)]
        }
        func bytes(_ words: [UInt32]) -> [UInt8] { words.flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } } }
        var body = bytes([peer, own, UInt32(first) << 16 | UInt32(times.count), reference << 8]) + chunks + deltas
        let padding = (4 - body.count % 4) % 4
        if padding > 0 { body += [UInt8](repeating: 0, count: padding - 1) + [UInt8(padding)] }
        return [(padding > 0 ? 0xA0 : 0x80) | 15, 205, UInt8(body.count / 1024), UInt8(body.count / 4 & 0xFF)] + body
    }

    @Test func aReportSaysDelayLossAndRate() throws {
        let listener = Listener(formats: Self.formats)
        let start = listener.now
        // 50 packets of 46 bytes of sound every 20 ms: 100 bytes each on the line.
        for index in 0..<50 {
            _ = listener.write([UInt8](repeating: 7, count: 46), timestamp: Int64(index) * 960)
            listener.now = listener.now + .milliseconds(20)
        }
        // The peer's clock begins anywhere; every tenth packet is lost, and each takes 30 ms, from the 26th on 90 ms.
        let origin: Int64 = 0xFF_FFFF * 64_000
        for part in 0..<10 {
            let first = part * 5
            let times = (first..<first + 5).map { index -> Int64? in
                index % 10 == 9 ? nil : Int64(index) * 20_000 + (index < 25 ? 30_000 : 90_000) - Int64(first) * 20_000
            }
            // The reference advances by 100 ms each time, in steps of 64 ms, over the wrap of its 24 bits.
            let reference = (origin + Int64(first) * 20_000) / 64_000
            let shift = origin + Int64(first) * 20_000 - reference * 64_000
            listener.now = start + .milliseconds(Int64(part) * 100 + 200)
            listener.receiveControl(
                Self.feedback(from: UInt16(first + 1), reference: UInt32(truncatingIfNeeded: reference) & 0xFF_FFFF, times.map { $0.map { $0 + shift } }))
            if part == 4 {
                let report = try #require(listener.transportReport)
                #expect(report.number == 1)
                #expect(report.packets == 25 && report.lost == 2)
                #expect(report.sentFrom == start)
                #expect(abs((report.deliveredBitsPerSecond ?? 0) - 40_000) < 4_500)
            }
        }
        let report = try #require(listener.transportReport)
        #expect(report.number == 2)
        #expect(report.packets == 20)
        #expect(listener.statistics.controlMalformed == 0)
        // 60 ms more, as far as ticks of 250 µs tell.
        let first = try #require(listener.transportDelays.first)
        #expect(abs(report.delayMilliseconds - first - 60) < 1)
    }

    /// What a lost feedback was about came all the same: the rate is that of the times it is known of.
    @Test func lostFeedbackDoesNotLowerTheRate() throws {
        let listener = Listener(formats: Self.formats)
        for index in 0..<25 {
            _ = listener.write([UInt8](repeating: 7, count: 46), timestamp: Int64(index) * 960)
            listener.now = listener.now + .milliseconds(20)
        }
        for part in [0, 2, 4] {
            let times = (part * 5..<part * 5 + 5).map { Int64($0) * 20_000 + 30_000 as Int64? }
            listener.receiveControl(Self.feedback(from: UInt16(part * 5 + 1), reference: 100, times))
            listener.now = listener.now + .milliseconds(200)
        }
        let report = try #require(listener.transportReport)
        #expect(report.number == 1 && report.packets == 15 && report.lost == 0)
        #expect(abs((report.deliveredBitsPerSecond ?? 0) - 40_000) < 500)
    }

    /// Hardly anything is sent in a pause: what came then says nothing of what the way carries. Whether it came, and when, does.
    @Test(arguments: [false, true]) func aPauseTellsNoRate(_ isPause: Bool) throws {
        let listener = Listener(formats: Self.formats)
        for index in 0..<5 {
            _ = listener.write([7], timestamp: Int64(index) * 4800, marker: isPause && index > 1)
            listener.now = listener.now + .milliseconds(100)
        }
        listener.receiveControl(Self.feedback(from: 1, reference: 100, [30_000, 130_000]))
        listener.now = listener.now + .milliseconds(400)
        listener.receiveControl(Self.feedback(from: 3, reference: 100, [230_000, nil, 430_000]))
        let report = try #require(listener.transportReport)
        #expect(report.packets == 5 && report.lost == 1 && (report.deliveredBitsPerSecond == nil) == isPause)
    }

    @Test func nonsenseDoesNoHarm() {
        let listener = Listener(formats: Self.formats)
        for index in 0..<300 { _ = listener.write([1, 2, 3], timestamp: Int64(index) * 960) }
        var generator = SeededGenerator(seed: 9)
        let vectors = [
            Self.feedback(from: 40, reference: 5, (0..<40).map { $0 % 5 == 0 ? nil : Int64($0) * 20_000 }),
            Self.feedback(from: 65_500, reference: 0x80_0000, [1_000, -4_000_000, 3_000_000, nil]),
        ]
        for _ in 0..<20_000 {
            var vector = vectors.randomElement(using: &generator) ?? []
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                vector[Int.random(in: vector.indices, using: &generator)] = UInt8.random(in: .min ... .max, using: &generator)
            }
            listener.receiveControl(vector)
            listener.now = listener.now + .milliseconds(3)
            #expect((listener.transportReport?.lost ?? 0) >= 0)
        }
        #expect(listener.statistics.controlReceived > 1000)
    }
}
