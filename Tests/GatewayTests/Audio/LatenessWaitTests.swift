import NIOCore
import TestKit
import Testing

@testable import Gateway

/// What packets that come in order but late teach, and what teaches nothing.
@Suite struct LatenessWaitTests {
    private static let rate = 8000
    private var wait = LatenessWait(rate: rate)
    private var sent: Int64 = 0
    private var earliest = VirtualGateway.start

    /// Packets of 20 ms for so long, each as many milliseconds late as `lateness` says, none before the one before it.
    /// - Returns: the longest wait meanwhile, in milliseconds
    @discardableResult private mutating func run(seconds: Int64, clockError: Double = 0, lateness: (Int64) -> Double) -> Double {
        var longest = 0.0
        for index in 0..<seconds * 50 {
            let spoken = 20e6 * Double(sent) * (1 - clockError * 1e-6)
            let at = max(earliest, VirtualGateway.start + .nanoseconds(Int64(spoken + lateness(index) * 1e6)))
            earliest = at
            wait.observe(sent * 160, arrival: at)
            longest = max(longest, wait.milliseconds)
            sent += 1
        }
        return longest
    }

    @Test(arguments: [80.0, 100, 150]) mutating func bunchesAreWaitedForAndForgotten(_ jitter: Double) {
        var generator = SeededGenerator(seed: 3)
        run(seconds: 10) { _ in generator.unit() * jitter }
        #expect((jitter...jitter + 20).contains(wait.milliseconds), "\(wait.milliseconds)")
        run(seconds: 10) { _ in generator.unit() * jitter }
        #expect((jitter...jitter + 20).contains(wait.milliseconds), "\(wait.milliseconds)")
        run(seconds: 20) { _ in generator.unit() * 20 }
        #expect(wait.milliseconds == 0)
    }

    @Test mutating func aCalmNetworkTeachesNothing() {
        var generator = SeededGenerator(seed: 4)
        #expect(run(seconds: 60) { _ in generator.unit() * 35 } == 0)
    }

    @Test(arguments: [500.0, -500]) mutating func aWrongClockIsNoLateness(_ partsPerMillion: Double) {
        #expect(run(seconds: 600, clockError: partsPerMillion) { _ in 0 } == 0)
    }

    /// Packets held back for two seconds come all at once; no wait could have saved them.
    @Test mutating func aStallTeachesNothing() {
        run(seconds: 5) { _ in 0 }
        #expect(run(seconds: 4) { Double(max(0, 2000 - 20 * $0)) } == 0)
    }

    @Test mutating func aNewAxisKeepsWhatWasLearnt() {
        var generator = SeededGenerator(seed: 5)
        run(seconds: 5) { _ in generator.unit() * 100 }
        let learnt = wait.milliseconds
        wait.restart()
        sent += 500_000
        earliest = VirtualGateway.start + .seconds(6)
        wait.observe(sent * 160, arrival: earliest)
        #expect(learnt > 60 && wait.milliseconds == learnt)
    }
}
