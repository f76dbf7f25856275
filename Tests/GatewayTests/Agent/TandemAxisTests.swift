import TestKit
import Testing

@testable import Gateway

@Suite struct TandemAxisTests {
    @Test func samplesThatWereHadAreNotPlayedTwice() {
        var axis = TandemAxis()
        #expect(axis.arrived(pts: 0, count: 100, generation: 1, isJump: false) == .play(skip: 0))
        #expect(axis.arrived(pts: 50, count: 100, generation: 1, isJump: false) == .play(skip: 50))
        #expect(axis.arrived(pts: 0, count: 150, generation: 1, isJump: false) == .drop)
        #expect(axis.next == 150)
    }

    @Test func jumpsMustBeAnnounced() {
        var axis = TandemAxis()
        #expect(axis.arrived(pts: 10, count: 5, generation: 1, isJump: false) == .jump)
        #expect(axis.arrived(pts: 10, count: 5, generation: 1, isJump: true) == .play(skip: 0))
        #expect(axis.arrived(pts: .max, count: 5, generation: 1, isJump: true) == .jump)
        #expect(axis.arrived(pts: -1, count: 5, generation: 1, isJump: true) == .jump)
    }

    /// Positions of the playout are added to what the agent says.
    @Test func aClockThatNoSampleReachesIsAJump() {
        var axis = TandemAxis()
        #expect(axis.arrived(pts: .max - 1000, count: 500, generation: 1, isJump: true) == .jump)
        #expect(axis.arrived(pts: 1 << 50, count: 500, generation: 1, isJump: true) == .play(skip: 0))
        axis.queued(pts: 1 << 50, at: 1_000_000, generation: 1, heard: 1_000_000)
        #expect(axis.pts(at: 1_000_400) == 1 << 50 + 400)
    }

    @Test func aClearThatComesAgainLeavesWhatBeganSince() {
        var axis = TandemAxis()
        axis.queued(pts: 0, at: 0, generation: 1, heard: 0)
        axis.queued(pts: 3000, at: 3000, generation: 2, heard: 0)
        // The gateway cuts everything off at 1000, where the next answer begins.
        #expect(axis.clear(upTo: 2) == nil)
        axis.queued(pts: 6000, at: 1000, generation: 3, heard: 1000)
        #expect(axis.clear(upTo: 1) == 1000 && axis.clear(upTo: 2) == 1000)
    }

    @Test func aClearedGenerationIsDroppedAndTheNextOneStays() {
        var axis = TandemAxis()
        _ = axis.arrived(pts: 0, count: 100, generation: 1, isJump: false)
        axis.queued(pts: 0, at: 0, generation: 1, heard: 0)
        _ = axis.arrived(pts: 100, count: 100, generation: 2, isJump: false)
        axis.queued(pts: 100, at: 100, generation: 2, heard: 0)
        #expect(axis.clear(upTo: 1) == 100)
        #expect(axis.arrived(pts: 200, count: 10, generation: 1, isJump: false) == .drop)
        #expect(axis.stale == 10 && axis.current == 2)
        #expect(axis.clear(upTo: 1) == 100)
        #expect(axis.clear(upTo: 2) == nil)
        #expect(axis.arrived(pts: 210, count: 10, generation: 3, isJump: false) == .play(skip: 0))
    }

    @Test func theAgentsClockIsKnownAtEveryPosition() {
        var axis = TandemAxis()
        axis.queued(pts: 0, at: 0, generation: 1, heard: 0)
        axis.queued(pts: 500, at: 100, generation: 1, heard: 0)
        axis.queued(pts: 600, at: 200, generation: 4, heard: 50)
        #expect(axis.pts(at: 0) == 0 && axis.pts(at: 99) == 99 && axis.pts(at: 100) == 500 && axis.pts(at: 250) == 650)
        #expect(axis.generation(at: 199) == 1 && axis.generation(at: 200) == 4)
    }

    @Test func whatHostileAgentsSendIsBorne() {
        var generator = SeededGenerator(seed: 5)
        var axis = TandemAxis()
        var end: Int64 = 0
        for _ in 0..<20_000 {
            let pts = Bool.random(using: &generator) ? Int64.random(in: 0...10_000, using: &generator) : Int64(bitPattern: generator.next())
            let count = Int.random(in: 0...48_000, using: &generator)
            let generation = Int(UInt16.random(in: 0...UInt16.max, using: &generator))
            if case .play(let skip) = axis.arrived(pts: pts, count: count, generation: generation, isJump: Bool.random(using: &generator)) {
                #expect((0...count).contains(skip))
                axis.queued(pts: pts + Int64(skip), at: end, generation: generation, heard: end)
                end += Int64(count - skip)
            }
            if generator.next() % 50 == 0 { _ = axis.clear(upTo: generation) }
        }
    }
}
