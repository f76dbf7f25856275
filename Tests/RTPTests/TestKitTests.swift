import NIOCore
import TestKit
import Testing

/// The tools that other tests rely on do what they say.
@Suite struct TestKitTests {
    @Test func theAgendaIsInOrderOfTimeAndThenOfScheduling() {
        var time = VirtualTime<Int>()
        let start = time.now
        time.schedule(in: .milliseconds(20), 2)
        time.schedule(in: .milliseconds(10), 1)
        time.schedule(in: .milliseconds(20), 3)
        time.schedule(at: start - .seconds(1), 0)
        time.schedule(in: .milliseconds(31), 4)
        var seen: [Int] = []
        while let event = time.next(until: start + .milliseconds(30)) {
            seen.append(event)
            if event == 1 { #expect(time.now == start + .milliseconds(10)) }
        }
        #expect(seen == [0, 1, 2, 3])
        #expect(time.now == start + .milliseconds(30))
        #expect(!time.isEmpty)
    }

    /// Sends one packet every 20 ms and takes out what arrives.
    private func run(
        _ network: inout LossyNetwork<Int>, packets: Int, bytes: Int = 0
    ) -> [(number: Int, at: NIODeadline)] {
        var arrivals: [(number: Int, at: NIODeadline)] = []
        for number in 0...packets {
            let now = NIODeadline.uptimeNanoseconds(UInt64(number) * 20_000_000)
            if number < packets { network.send(number, bytes: bytes, now: now) }
            while let arrival = network.receive(now: number < packets ? now : .distantFuture) {
                arrivals.append((arrival.datagram, arrival.at))
            }
        }
        return arrivals
    }

    @Test func aGoodNetworkChangesNothing() {
        var network = LossyNetwork<Int>(seed: 1)
        network.delay = .milliseconds(7)
        let arrivals = run(&network, packets: 100)
        #expect(arrivals.map(\.number) == Array(0..<100))
        #expect(arrivals[3].at == .uptimeNanoseconds(67_000_000))
    }

    @Test func lossesComeAtTheRateAsked() {
        var network = LossyNetwork<Int>(seed: 2)
        network.loss = .independent(0.1)
        #expect(abs(run(&network, packets: 20_000).count - 18_000) < 200)
        var exact = LossyNetwork<Int>(seed: 2)
        exact.loss = .exactly([2, 3])
        #expect(run(&exact, packets: 5).map(\.number) == [0, 1, 4])
    }

    @Test func burstsAreLongerThanChance() {
        var network = LossyNetwork<Int>(seed: 3)
        network.loss = .bursts(toBad: 0.01, toGood: 0.2, lossInGood: 0, lossInBad: 1)
        let arrived = Set(run(&network, packets: 50_000).map(\.number))
        var bursts = 0
        for number in 1..<50_000 where !arrived.contains(number) && arrived.contains(number - 1) { bursts += 1 }
        let mean = Double(network.lost) / Double(max(bursts, 1))
        #expect(mean > 4 && mean < 6)
    }

    @Test func reorderingDuplicatesAndJitter() {
        var network = LossyNetwork<Int>(seed: 4)
        network.reordering = 0.05
        network.duplication = 0.02
        let arrivals = run(&network, packets: 10_000)
        #expect(arrivals.count == 10_000 + network.duplicated)
        #expect(abs(network.reordered - 500) < 80)
        #expect(abs(network.duplicated - 200) < 60)
        #expect(zip(arrivals, arrivals.dropFirst()).contains { $0.number > $1.number })
        #expect(zip(arrivals, arrivals.dropFirst()).allSatisfy { $0.at <= $1.at })
        var jittery = LossyNetwork<Int>(seed: 5)
        jittery.jitter = .milliseconds(100)
        #expect(run(&jittery, packets: 1_000).map(\.number) == Array(0..<1_000))
        jittery.jitterReorders = true
        #expect(run(&jittery, packets: 1_000).map(\.number) != Array(0..<1_000))
    }

    @Test func aNarrowLineQueuesAndThenDrops() {
        var network = LossyNetwork<Int>(seed: 6)
        // 100 bytes each 20 ms are 40 kbit/s: half of it fits.
        network.rate = 20_000
        network.queueLimit = .milliseconds(200)
        let arrivals = run(&network, packets: 1_000, bytes: 100)
        #expect(abs(arrivals.count - 505) < 10)
        #expect(zip(arrivals, arrivals.dropFirst()).allSatisfy { $1.at - $0.at >= .milliseconds(40) })
    }

    @Test func theSameSeedIsTheSameNetwork() {
        func make(_ seed: UInt64) -> [Int] {
            var network = LossyNetwork<Int>(seed: seed)
            network.loss = .independent(0.3)
            network.jitter = .milliseconds(50)
            network.jitterReorders = true
            return run(&network, packets: 500).map(\.number)
        }
        #expect(make(7) == make(7))
        #expect(make(7) != make(8))
    }
}
