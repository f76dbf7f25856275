import NIOCore
import TestKit
import Testing

@testable import Gateway

@Suite struct PacketPlayoutTests {
    /// A playout on its grid, and what it sent.
    private final class Fixture {
        let playout = PacketPlayout()
        var sent: [(payload: [UInt8], samples: Int, time: Int64)] = []
        var slot: Int64 = 0
        var now: NIODeadline { .uptimeNanoseconds(1_000_000_000) + .milliseconds(20 * slot) }

        func say(_ payload: [UInt8] = [0x08, 1, 2, 3], samples: Int = 960) {
            payload.withUnsafeBytes { playout.append($0, samples: samples, now: now) }
        }

        @discardableResult
        func next(isHeld: Bool = false) -> PlayoutQueue.Slot {
            defer { slot += 1 }
            return playout.next(slot: slot, isHeld: isHeld, now: now) { [self] in sent.append((Array($0), $1, $2)) }
        }
    }

    @Test func pacedSpeechIsHeldBackAndABurstIsNot() {
        let paced = Fixture()
        for _ in 0..<10 {
            paced.say()
            paced.next()
        }
        // Three packets are 60 ms.
        #expect(paced.sent.first?.time == 2 * 960 && paced.sent.count == 8)
        let burst = Fixture()
        for _ in 0..<10 { burst.say() }
        burst.next()
        #expect(burst.sent.count == 1 && burst.playout.queued == 9 * 960)
    }

    @Test func aBreakWithinSpeechIsAGapAndItsEndIsNone() {
        let fixture = Fixture()
        for _ in 0..<5 { fixture.say() }
        for _ in 0..<10 { fixture.next() }
        #expect(fixture.playout.counters.gaps == 0)
        for _ in 0..<5 { fixture.say() }
        #expect(fixture.playout.counters.gaps == 1)
        for _ in 0..<50 { fixture.next() }
        fixture.say()
        #expect(fixture.playout.counters.gaps == 1)
    }

    @Test func packetsOfAnyLengthFollowEachOtherWithoutAGap() {
        let fixture = Fixture()
        let lengths = [120, 480, 2880, 960, 1920, 5760, 240, 960, 480, 480]
        for length in lengths { fixture.say(samples: length) }
        for _ in 0..<30 { fixture.next() }
        let speech = fixture.sent.filter { $0.payload.count == 4 }
        #expect(speech.map(\.samples) == lengths)
        #expect(zip(speech, speech.dropFirst()).allSatisfy { $1.time == $0.time + Int64($0.samples) })
        #expect(fixture.playout.played == Int64(lengths.reduce(0, +)))
    }

    /// What an agent is ahead of its own pace is made up for in its pauses.
    @Test func aStandingQueueIsBroughtDown() throws {
        let fixture = Fixture()
        let speaker = try #require(Speaker(codec: "opus", rate: 48_000, timestamp: 0, sequence: 0))
        var begins = NIODeadline.uptimeNanoseconds(0)
        func packet() -> [UInt8] {
            begins = begins + .milliseconds(20)
            return speaker.due(now: begins).first?.payload ?? []
        }
        for _ in 0..<25 { fixture.say(packet()) }
        for slot in 0..<1000 {
            if slot % 100 == 0 { speaker.say(SoundMaterial.tone(hertz: 700, seconds: 1, rate: 48_000)) }
            fixture.say(packet())
            fixture.next()
        }
        #expect(fixture.playout.counters.shortened > 0 && fixture.playout.counters.gaps == 0)
        #expect(fixture.playout.queuedMilliseconds <= 100, "\(fixture.playout.queuedMilliseconds) ms")
        #expect(fixture.playout.played + Int64(fixture.playout.queued) == 1025 * 960)
        // None of the speech.
        #expect(fixture.sent.count { $0.payload.count > 20 } >= 490)
    }
}
