import TestKit
import Testing

@testable import Gateway

@Suite("Ring of recorded sound")
struct RecordingRingTests {
    @Test func whatIsPutIsTaken() throws {
        let ring = RecordingRing(rate: 8000)
        var random = SeededGenerator(seed: 4)
        let scratch = SampleBuffer(capacity: RecordingRing.longestChunk)
        var waiting: [(side: RecordingSide, position: Int64, samples: [Int16])] = []
        var taken = 0
        for round in 0..<6000 {
            let samples = (0..<Int.random(in: 1...400, using: &random)).map { _ in Int16.random(in: .min ... .max, using: &random) }
            let side: RecordingSide = round % 3 == 0 ? .caller : .farEnd
            let fits = samples.withUnsafeBufferPointer { ring.append(side, rate: 8000, position: Int64(round), $0) }
            if fits { waiting.append((side, Int64(round), samples)) }
            // Emptied by fits and starts, so that it wraps at many places and is full at times.
            guard Int.random(in: 0..<300, using: &random) == 0 else { continue }
            while let chunk = ring.take(into: scratch.samples) {
                let expected = waiting.removeFirst()
                try #require(chunk.side == expected.side && chunk.position == expected.position && chunk.rate == 8000)
                try #require(Array(scratch.prefix(chunk.count)) == expected.samples)
                taken += 1
            }
            #expect(waiting.isEmpty)
        }
        #expect(taken > 2000)
    }

    @Test func aFullRingTakesNothing() {
        let ring = RecordingRing(rate: 8000)
        let samples = [Int16](repeating: 1, count: 160)
        func put() -> Bool { samples.withUnsafeBufferPointer { ring.append(.caller, rate: 8000, position: 0, $0) } }
        var count = 0
        while put() { count += 1 }
        // Four seconds of both sides.
        #expect(count >= 2 * 4000 / 20 - 40)
        let scratch = SampleBuffer(capacity: RecordingRing.longestChunk)
        #expect(ring.take(into: scratch.samples)?.count == 160)
        #expect(put())
        #expect(!put())
        let long = [Int16](repeating: 1, count: RecordingRing.longestChunk + 1)
        #expect(!long.withUnsafeBufferPointer { RecordingRing(rate: 48000).append(.caller, rate: 48000, position: 0, $0) })
    }
}
