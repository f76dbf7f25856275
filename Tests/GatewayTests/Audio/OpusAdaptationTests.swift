import NIOCore
import RTP
import SDP
import TestKit
import Testing

@testable import Gateway

/// Bitrate, error correction and packet time follow what reports say, and nothing follows noise.
@Suite struct OpusAdaptationTests {
    private static func limits(_ change: (inout OpusAdaptation.Limits) -> Void = { _ in }) -> OpusAdaptation.Limits {
        var limits = OpusAdaptation.Limits(
            bitrate: 24000, expectedLoss: 0, packetTimes: 20...60, takesErrorCorrection: true, takesRedundancy: false)
        change(&limits)
        return limits
    }

    /// A line with a queue in front of it, and a peer that reports on it every five seconds.
    private struct Line {
        var adaptation: OpusAdaptation
        /// Bits per second with all headers; the queue in front holds half a second.
        var rate = 1_000_000.0
        var randomLoss = 0.0
        /// Milliseconds there and back without any queue.
        var roundTrip = 40.0
        /// Up to so much is added to a round trip, milliseconds.
        var jitter = 0.0
        private(set) var queue = 0.0
        private(set) var now = VirtualGateway.start
        private(set) var changes = 0
        /// Milliseconds, the longest at any report.
        private(set) var longestQueue = 0.0
        private var reports = 0
        private var generator = SeededGenerator(seed: 5)

        init(_ limits: OpusAdaptation.Limits) { adaptation = OpusAdaptation(limits) }

        mutating func run(seconds: Int) {
            longestQueue = 0
            for _ in 0..<seconds / 5 {
                now = now + .seconds(5)
                reports += 1
                let report = report(fiveSecondsOf: adaptation.decision)
                if adaptation.receive(report, now: now) { changes += 1 }
            }
        }

        private mutating func report(fiveSecondsOf decision: OpusAdaptation.Decision) -> PeerReport {
            let packets = 5000 / decision.packetTime
            let bits = Double(decision.bitrate * decision.packetTime / 1000 * (decision.isRedundant ? 2 : 1) + 54 * 8)
            var lost = 0
            for _ in 0..<packets {
                queue = max(0, queue - rate * Double(decision.packetTime) / 1000)
                if queue > rate / 2 || generator.happens(randomLoss) { lost += 1 } else { queue += bits }
            }
            let delay = queue / rate * 1000
            longestQueue = max(longestQueue, delay)
            return PeerReport(
                number: reports, packets: packets, fractionLost: Double(lost) / Double(packets),
                roundTripMilliseconds: roundTrip + delay + jitter * generator.unit(), roundTripStart: now - .seconds(1))
        }
    }

    @Test func withoutLossThereIsNoErrorCorrection() {
        var line = Line(Self.limits())
        line.run(seconds: 300)
        #expect(line.changes == 0)
        #expect(line.adaptation.decision == .init(bitrate: 24000, expectedLoss: 0, packetTime: 20, isRedundant: false))
    }

    @Test(arguments: [0.03, 0.05, 0.1]) func randomLossBuysErrorCorrectionAndKeepsTheRate(loss: Double) {
        var line = Line(Self.limits())
        line.randomLoss = loss
        line.run(seconds: 10)
        #expect((5...20).contains(line.adaptation.decision.expectedLoss))
        for _ in 0..<60 {
            line.run(seconds: 5)
            #expect(line.adaptation.decision.bitrate == 24000)
            #expect(line.adaptation.decision.packetTime == 20)
            #expect(line.adaptation.decision.expectedLoss > 0)
        }
        #expect(line.changes < 16)
        line.randomLoss = 0
        line.run(seconds: 120)
        #expect(line.adaptation.decision.expectedLoss == 0)
    }

    /// Heavy loss is put to the test once, found to be nothing of ours, and what was sent returns.
    @Test func heavyRandomLossKeepsTheRateInTheEnd() {
        var line = Line(Self.limits())
        line.randomLoss = 0.25
        line.run(seconds: 60)
        #expect(line.adaptation.decision.bitrate == 24000)
        #expect(line.adaptation.decision.packetTime == 20)
        #expect((20...30).contains(line.adaptation.decision.expectedLoss))
        let changes = line.changes
        line.run(seconds: 200)
        #expect(line.adaptation.decision.bitrate == 24000)
        #expect(line.changes < changes + 10)
    }

    @Test(arguments: [14_000.0, 20_000, 30_000, 40_000]) func aNarrowLineIsFilledWithoutAQueue(rate: Double) {
        var line = Line(Self.limits())
        line.run(seconds: 30)
        line.rate = rate
        line.run(seconds: 60)
        line.run(seconds: 60)
        let decision = line.adaptation.decision
        #expect(line.longestQueue < 260)
        #expect((6000..<24000).contains(decision.bitrate))
        #expect(rate >= 40_000 || decision.packetTime >= 40)
        #expect(rate >= 20_000 || decision.packetTime == 60)
        let bits = Double(decision.bitrate) + 432_000 / Double(decision.packetTime)
        #expect(bits > 0.6 * rate)
        // Seldom another decision, once the line is known.
        let changes = line.changes
        line.run(seconds: 300)
        #expect(line.changes - changes < 36)

        line.rate = 1_000_000
        line.run(seconds: 120)
        #expect(line.adaptation.decision == .init(bitrate: 24000, expectedLoss: 0, packetTime: 20, isRedundant: false))
    }

    /// A measurement that is reported twice, or was made before less was sent, is none.
    @Test func oneQueueLowersTheRateOnce() {
        var adaptation = OpusAdaptation(Self.limits())
        var now = VirtualGateway.start
        func report(_ number: Int, _ roundTrip: Double, from start: NIODeadline) -> PeerReport {
            PeerReport(number: number, packets: 250, fractionLost: 0, roundTripMilliseconds: roundTrip, roundTripStart: start)
        }
        _ = adaptation.receive(report(1, 40, from: now - .seconds(1)), now: now)
        let start = now + .seconds(3)
        now = now + .seconds(5)
        _ = adaptation.receive(report(2, 400, from: start), now: now)
        let once = adaptation.decision
        #expect(once.bitrate < 24000)
        for number in 3...5 {
            now = now + .seconds(1)
            _ = adaptation.receive(report(number, 400, from: start), now: now)
            _ = adaptation.receive(report(number, 400, from: start + .milliseconds(100)), now: now)
        }
        #expect(adaptation.decision == once)
        _ = adaptation.receive(report(6, 400, from: now - .seconds(1)), now: now)
        #expect(adaptation.decision.bitrate < once.bitrate || adaptation.decision.packetTime > once.packetTime)
    }

    @Test func jitterOfTheRoundTripChangesNothing() {
        var line = Line(Self.limits())
        line.jitter = 55
        line.run(seconds: 600)
        #expect(line.changes == 0)
        line.roundTrip = 300
        line.run(seconds: 200)
        let changes = line.changes
        line.jitter = 85
        line.run(seconds: 300)
        #expect(line.changes == changes)
        #expect(line.adaptation.decision.bitrate == 24000)
    }

    /// Copies instead of error correction where the line carries both, and the first thing given up where it does not.
    @Test func redundancyIsForLossOnAWideLine() {
        var line = Line(Self.limits { $0.takesRedundancy = true })
        line.run(seconds: 60)
        #expect(!line.adaptation.decision.isRedundant)
        line.randomLoss = 0.06
        line.run(seconds: 60)
        #expect(line.adaptation.decision == .init(bitrate: 24000, expectedLoss: 0, packetTime: 20, isRedundant: true))
        line.rate = 55_000
        line.run(seconds: 20)
        #expect(!line.adaptation.decision.isRedundant)
        #expect(line.adaptation.decision.bitrate == 24000)
        #expect(line.adaptation.decision.expectedLoss > 0)
        line.rate = 1_000_000
        line.run(seconds: 90)
        #expect(line.adaptation.decision.isRedundant)
        line.randomLoss = 0
        line.run(seconds: 60)
        #expect(!line.adaptation.decision.isRedundant)
        // Twice as much would be more than anybody is sent.
        var rich = Line(Self.limits { ($0.takesRedundancy, $0.bitrate) = (true, 40000) })
        rich.randomLoss = 0.06
        rich.run(seconds: 60)
        #expect(!rich.adaptation.decision.isRedundant)
    }

    /// A handover to a longer way looks like a queue at first.
    @Test func aLongerWayIsNoQueueForLong() {
        var line = Line(Self.limits())
        line.run(seconds: 60)
        line.roundTrip = 400
        line.run(seconds: 60)
        #expect(line.adaptation.decision == .init(bitrate: 24000, expectedLoss: 0, packetTime: 20, isRedundant: false))
        let changes = line.changes
        line.run(seconds: 300)
        #expect(line.changes == changes)
    }

    /// A policer drops what is too much and queues nothing: only less sent shows it.
    @Test func lossThatRisesWithTheRateLowersIt() {
        var adaptation = OpusAdaptation(Self.limits())
        var now = VirtualGateway.start
        for number in 1...24 {
            now = now + .seconds(5)
            let decision = adaptation.decision
            let bits = Double(decision.bitrate) + 432_000 / Double(decision.packetTime)
            let lost = max(0, 1 - 34_000 / bits)
            _ = adaptation.receive(
                PeerReport(
                    number: number, packets: 250, fractionLost: lost, roundTripMilliseconds: 30, roundTripStart: now - .seconds(1)),
                now: now)
        }
        #expect(adaptation.decision.bitrate < 24000)
        #expect(adaptation.loss < 0.15)
    }

    @Test func whatThePeerTakesIsNeverExceeded() {
        var line = Line(Self.limits { ($0.packetTimes, $0.bitrate, $0.takesErrorCorrection) = (20...20, 16000, false) })
        line.run(seconds: 30)
        line.rate = 12_000
        line.randomLoss = 0.2
        line.run(seconds: 200)
        #expect(line.adaptation.decision == .init(bitrate: 6000, expectedLoss: 0, packetTime: 20, isRedundant: false))
        line.rate = 1_000_000
        line.randomLoss = 0
        line.run(seconds: 200)
        #expect(line.adaptation.decision == .init(bitrate: 16000, expectedLoss: 0, packetTime: 20, isRedundant: false))
    }

    @Test func anotherFarEndKeepsWhatIsKnownOfTheLine() {
        var line = Line(Self.limits())
        line.rate = 25_000
        line.randomLoss = 0.05
        line.run(seconds: 60)
        let before = line.adaptation.decision
        line.adaptation.change(Self.limits { $0.bitrate = 32000 })
        #expect(line.adaptation.decision.bitrate <= before.bitrate + 500)
        #expect(line.adaptation.decision.expectedLoss == before.expectedLoss)
        line.adaptation.change(Self.limits { $0.packetTimes = 20...20 })
        #expect(line.adaptation.decision.packetTime == 20)
    }

    /// With packets of 60 ms a judgement on loss takes six seconds; what is sent grows every four all the same.
    @Test func longPacketsDoNotKeepTheRateDown() {
        var adaptation = OpusAdaptation(Self.limits())
        var now = VirtualGateway.start
        var number = 0
        func run(halfSeconds: Int, delay: Double, delivered: Double) {
            for _ in 0..<halfSeconds {
                now = now + .milliseconds(500)
                number += 1
                _ = adaptation.receive(
                    TransportReport(
                        number: number, packets: 500 / adaptation.decision.packetTime, lost: 0, delayMilliseconds: delay,
                        deliveredBitsPerSecond: delivered, sentFrom: now - .milliseconds(600)),
                    now: now)
            }
        }
        run(halfSeconds: 4, delay: 10, delivered: 45_600)
        run(halfSeconds: 1, delay: 200, delivered: 18_000)
        #expect(adaptation.decision.packetTime == 60 && adaptation.decision.bitrate == 8500)
        run(halfSeconds: 18, delay: 12, delivered: 15_000)
        #expect(adaptation.decision.bitrate == 8500)
        run(halfSeconds: 18, delay: 12, delivered: 15_000)
        // Three steps of a fifth.
        #expect(Double(adaptation.decision.bitrate) + 432_000 / Double(adaptation.decision.packetTime) > 25_500)
        run(halfSeconds: 80, delay: 12, delivered: 30_000)
        #expect(adaptation.decision == .init(bitrate: 24000, expectedLoss: 0, packetTime: 20, isRedundant: false))
    }

    /// While hardly anything is sent a queue is somebody else's, for the most part.
    @Test func aQueueInAPauseTakesLittleAway() {
        var adaptation = OpusAdaptation(Self.limits())
        var now = VirtualGateway.start
        for number in 1...14 {
            now = now + .milliseconds(500)
            let isPause = number > 4
            _ = adaptation.receive(
                TransportReport(
                    number: number, packets: isPause ? 3 : 25, lost: 0, delayMilliseconds: isPause ? 150 : 10,
                    deliveredBitsPerSecond: isPause ? nil : 45_600, sentFrom: now - .milliseconds(600)),
                now: now)
        }
        #expect((15_000..<24_000).contains(adaptation.decision.bitrate), "\(adaptation.decision)")
    }

    /// Reports are bytes from outside.
    @Test func nonsenseInReportsDoesNoHarm() {
        var adaptation = OpusAdaptation(Self.limits())
        var now = VirtualGateway.start
        var generator = SeededGenerator(seed: 9)
        for number in 1...5000 {
            now = now + .milliseconds(Int64.random(in: 0...3000, using: &generator))
            let roundTrips: [Double?] = [nil, 0, 1e-9, 30, 5000, 1e12]
            _ = adaptation.receive(
                PeerReport(
                    number: number, packets: [0, 1, 250, 65535].randomElement(using: &generator) ?? 0,
                    fractionLost: generator.unit(), roundTripMilliseconds: roundTrips.randomElement(using: &generator) ?? nil, roundTripStart: now - .seconds(Int64(number % 4))),
                now: now)
            #expect((6000...24000).contains(adaptation.decision.bitrate))
            #expect((20...60).contains(adaptation.decision.packetTime))
            #expect((0...30).contains(adaptation.decision.expectedLoss))
        }
    }
}
