import TestKit
import Testing

@testable import Gateway

@Suite struct SampleRingTests {
    /// Against an array that does the same, with sizes from nothing to far beyond what is kept.
    @Test func behavesLikeAnArray() {
        var generator = SeededGenerator(seed: 8)
        var ring = SampleRing(limit: 50_000)
        var model: [Int16] = []
        let buffer = SampleBuffer(capacity: 30_000)
        for _ in 0..<5000 {
            let count = Int.random(in: 0...(generator.happens(0.1) ? 30_000 : 700), using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0, 1:
                let samples = (0..<count).map { Int16(truncatingIfNeeded: $0 &* 31 &+ model.count) }
                let taken = ring.append(count) { target in for index in target.indices { target[index] = samples[index] } }
                #expect(taken == min(count, 50_000 - model.count))
                model += samples.prefix(taken)
            case 2, 3:
                let taken = ring.read(into: buffer.prefix(count))
                #expect(Array(buffer.prefix(taken)) == Array(model.prefix(taken)))
                #expect(taken == min(count, model.count))
                model.removeFirst(taken)
            case 4:
                ring.removeLast(count)
                model.removeLast(min(count, model.count))
            default:
                ring.removeFirst(count)
                model.removeFirst(min(count, model.count))
                ring.shrink()
            }
            #expect(ring.count == model.count)
            let seen = ring.peek(into: buffer.prefix(100))
            #expect(Array(buffer.prefix(seen)) == Array(model.prefix(100)))
        }
    }
}
