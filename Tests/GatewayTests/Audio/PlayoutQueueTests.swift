import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Bursts of any size in, one slot out every 20 ms.
@Suite struct PlayoutQueueTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private let buffer = SampleBuffer(capacity: 160)

    private func append(_ samples: [Int16], _ queue: inout PlayoutQueue, at now: NIODeadline) {
        queue.append(samples.count, now: now) { target in
            for index in target.indices { target[index] = samples[index] }
        }
    }

    private func next(_ queue: inout PlayoutQueue, at now: NIODeadline) -> (samples: [Int16], slot: PlayoutQueue.Slot) {
        let slot = queue.next(into: buffer.samples, now: now)
        return (Array(buffer.samples), slot)
    }

    private func time(_ slot: Int) -> NIODeadline { Self.start + .milliseconds(Int64(20 * slot)) }

    @Test func aBurstComesOutAsItWentIn() {
        var queue = PlayoutQueue(rate: 8000)
        let speech = SoundMaterial.noise(seconds: 1, rate: 8000, level: -20, seed: 1)
        append(speech, &queue, at: Self.start)
        var heard: [Int16] = []
        for slot in 0..<50 {
            let (samples, result) = next(&queue, at: time(slot))
            #expect(result.isPlaying)
            heard += samples
        }
        #expect(heard == speech)
        #expect(queue.queued == 0)
        #expect(queue.counters == PlayoutQueue.Counters())
    }

    @Test func aShortPieceWaitsForTheHoldToPass() {
        var queue = PlayoutQueue(rate: 8000)
        append([Int16](repeating: 1000, count: 160), &queue, at: Self.start)
        #expect((0..<3).map { next(&queue, at: time($0)).slot.isPlaying } == [false, false, false])
        #expect(next(&queue, at: time(3)).slot.isPlaying)
    }

    @Test func withoutAHoldTheFirstSlotPlays() {
        var queue = PlayoutQueue(rate: 8000, holds: false)
        append([Int16](repeating: 1000, count: 160), &queue, at: Self.start)
        #expect(next(&queue, at: time(0)).slot.isPlaying)
    }

    @Test func aBreakInsideAnUtteranceIsAGapAndMakesTheHoldLonger() {
        var queue = PlayoutQueue(rate: 8000)
        append([Int16](repeating: 1000, count: 640), &queue, at: time(0))
        for slot in 0..<5 { _ = next(&queue, at: time(slot)) }
        append([Int16](repeating: 1000, count: 160), &queue, at: time(6))
        #expect(queue.counters.gaps == 1)
        // 80 ms now.
        #expect((6..<10).map { next(&queue, at: time($0)).slot.isPlaying } == [false, false, false, false])
        #expect(next(&queue, at: time(10)).slot.isPlaying)
    }

    @Test func silenceBetweenUtterancesIsNoGap() {
        var queue = PlayoutQueue(rate: 8000)
        append([Int16](repeating: 1000, count: 640), &queue, at: time(0))
        for slot in 0..<40 { _ = next(&queue, at: time(slot)) }
        append([Int16](repeating: 1000, count: 640), &queue, at: time(40))
        #expect(queue.counters.gaps == 0)
        #expect(next(&queue, at: time(40)).slot.isPlaying)
    }

    @Test func marksComeWithTheSlotOfTheirLastSample() {
        var queue = PlayoutQueue(rate: 8000)
        append([Int16](repeating: 1, count: 480), &queue, at: time(0))
        let first = queue.mark("a")
        append([Int16](repeating: 1, count: 100), &queue, at: time(0))
        let second = queue.mark("b")
        #expect(first && second)
        #expect((0..<4).map { next(&queue, at: time($0)).slot.marks } == [[], [], ["a"], ["b"]])
        let isWaiting = queue.mark("c")
        #expect(!isWaiting)
    }

    @Test func clearLeavesARampAndReturnsTheMarks() {
        var queue = PlayoutQueue(rate: 8000)
        append([Int16](repeating: 8000, count: 8000), &queue, at: time(0))
        _ = queue.mark("a")
        _ = queue.mark("b")
        _ = next(&queue, at: time(0))
        let cleared = queue.clear()
        #expect(cleared.marks == ["a", "b"])
        #expect(cleared.dropped == 8000 - 160)
        #expect(queue.queued == 0)
        let ramp = next(&queue, at: time(1)).samples
        #expect(ramp.prefix(40).first.map { abs(Int($0)) > 7000 } == true)
        #expect(zip(ramp, ramp.dropFirst()).allSatisfy { $0 >= $1 })
        #expect(ramp.dropFirst(40).allSatisfy { $0 == 0 })
        #expect(next(&queue, at: time(2)).samples.allSatisfy { $0 == 0 })
    }

    @Test func theNextAnswerBeginsOverTheRampOfTheLast() {
        var queue = PlayoutQueue(rate: 8000, holds: false)
        append([Int16](repeating: 8000, count: 8000), &queue, at: time(0))
        _ = next(&queue, at: time(0))
        let heard = queue.played
        _ = queue.clear()
        append([Int16](repeating: 100, count: 320), &queue, at: time(0))
        let joint = next(&queue, at: time(1)).samples
        #expect(joint[0] > 7000 && joint.dropFirst(40).allSatisfy { $0 == 100 })
        #expect(queue.played == heard + 160)
        // Where some of what is queued stays, too.
        var other = PlayoutQueue(rate: 8000, holds: false)
        append([Int16](repeating: 8000, count: 800), &other, at: time(0))
        append([Int16](repeating: 0, count: 800), &other, at: time(0))
        _ = next(&other, at: time(0))
        _ = other.clear(upTo: 800)
        let rest = next(&other, at: time(1)).samples
        #expect(rest[0] > 7000 && rest.dropFirst(40).allSatisfy { $0 == 0 })
    }

    @Test func whatIsBeyondTenMinutesIsCounted() {
        var queue = PlayoutQueue(rate: 8000)
        queue.append(8000 * 700, now: time(0)) { $0.update(repeating: 5) }
        #expect(queue.queuedMilliseconds == 600_000)
        #expect(queue.counters.overflowed == 8000 * 100)
    }

    @Test func aStandingQueueOfAPacedAgentIsBroughtDownInItsPauses() {
        var queue = PlayoutQueue(rate: 8000)
        let quiet = [Int16](repeating: 3, count: 160)
        for _ in 0..<20 { append(quiet, &queue, at: time(0)) }
        for slot in 0..<1000 {
            append(quiet, &queue, at: time(slot))
            _ = next(&queue, at: time(slot))
        }
        #expect(queue.queuedMilliseconds <= 100)
        #expect(queue.counters.shortened > 0)
        // Where a sample stands does not depend on what was passed over before it.
        #expect(queue.played + Int64(queue.queued) == 1020 * 160)
    }
}
