import NIOCore
import Testing

@testable import SIPStack

/// Whole calls of ours over a network that loses a third of everything, delays, reorders and doubles, on virtual time.
@Suite struct OutgoingLossyTests {
    private struct Packet {
        let at: NIODeadline
        let toEndpoint: Bool
        let host: Int
        let bytes: [UInt8]
    }

    private final class World {
        let harness: Harness
        let callees: [SimulatedCallee]
        /// When we take the call back, and whether we hang up a while after an answer.
        let cancelAfter: TimeAmount?
        var random: SplitMix
        var packets: [Packet] = []
        var answered = 0
        var failures: [SIPFailure] = []
        var ended = 0
        var hangUpAt: NIODeadline?

        init(seed: Int, scripts: [SimulatedCallee.Script], cancelAfter: TimeAmount?) {
            harness = Harness(seed: UInt64(seed))
            callees = scripts.map { SimulatedCallee($0) }
            self.cancelAfter = cancelAfter
            random = SplitMix(UInt64(seed) &* 7_919)
        }

        func transmit(_ bytes: [UInt8], toEndpoint: Bool, host: Int) {
            let copies = random.next() % 10 == 0 ? 2 : 1
            for _ in 0..<copies where random.next() % 100 >= 33 {
                packets.append(Packet(at: harness.now + .milliseconds(Int64(5 + random.next() % 300)), toEndpoint: toEndpoint, host: host, bytes: bytes))
            }
        }

        func collect() {
            for event in harness.takeEvents() {
                switch event {
                case .answered:
                    answered += 1
                    hangUpAt = harness.now + .seconds(10)
                case .failed(_, let failure): failures.append(failure)
                case .ended: ended += 1
                default: break
                }
            }
            let sent = harness.sent
            _ = harness.takeSent()
            for (message, flow, _) in sent {
                transmit(Array(message.text.utf8), toEndpoint: false, host: flow.remote.host == Callee.second.host ? 1 : 0)
            }
            for (host, callee) in callees.enumerated() {
                for bytes in callee.outbox { transmit(bytes, toEndpoint: true, host: host) }
                callee.outbox = []
            }
        }

        func run(_ order: SIPCallOrder, hangsUp: Bool) {
            harness.run { $0.call(order, now: $1, into: &$2) }
            var cancelAt = cancelAfter.map { harness.now + $0 }
            collect()
            while true {
                var times = [harness.endpoint.deadline, packets.map(\.at).min(), cancelAt] + callees.map(\.deadline)
                if hangsUp { times.append(hangUpAt) }
                guard let next = times.compactMap({ $0 }).min() else { return }
                harness.advance(max(next, harness.now) - harness.now)
                let now = harness.now
                for callee in callees { callee.expire(now: now) }
                let due = packets.filter { $0.at <= now }
                packets.removeAll { $0.at <= now }
                for packet in due {
                    if packet.toEndpoint {
                        harness.receive(packet.bytes, from: Callee.flow)
                    } else if callees.indices.contains(packet.host) {
                        callees[packet.host].receive(packet.bytes, now: now)
                    }
                }
                if let at = cancelAt, at <= now {
                    cancelAt = nil
                    harness.run { $0.cancel(Callee.id, now: $1, into: &$2) }
                }
                if hangsUp, let at = hangUpAt, at <= now {
                    hangUpAt = nil
                    harness.run { $0.hangUp(Callee.id, now: $1, into: &$2) }
                }
                collect()
            }
        }
    }

    @Test(arguments: SimulatedCallee.Script.allCases) func callsSurvive(_ script: SimulatedCallee.Script) throws {
        for seed in 1...20 {
            let world = World(seed: seed, scripts: [script, .answers], cancelAfter: nil)
            let targets = [SIPTarget(Callee.address), SIPTarget(Callee.second)]
            world.run(try Callee.order(targets: targets, ringLimit: .seconds(50)), hangsUp: script != .answersAndHangsUp)
            let story: Comment = "\(script) seed \(seed) \(world.failures) \(world.harness.endpoint.counters)"
            #expect(world.harness.isIdle, story)
            #expect(world.answered + world.failures.count == 1, story)
            #expect(world.callees.allSatisfy { $0.unacknowledged == 0 }, story)
            let second = world.callees[1].invites
            switch script {
            case .answersAndHangsUp: #expect(world.answered == 1 && (world.ended == 1 || second == 1), story)
            case .answers: #expect(world.answered == 1 && world.ended == 0, story)
            case .isBusyElsewhere: #expect(world.answered == 1 && second == 1, story)
            case .refuses: #expect(second == 1 || world.failures.first?.kind == .rejected(status: 486), story)
            case .neverAnswers: #expect(second == 1 || world.failures.first?.kind == .noAnswer && world.callees[0].cancels == 1, story)
            }
        }
    }

    @Test(arguments: SimulatedCallee.Script.allCases) func callsTakenBackLeaveNothing(_ script: SimulatedCallee.Script) throws {
        for seed in 1...40 {
            // Before, around and after the answer at three seconds.
            let world = World(seed: seed, scripts: [script], cancelAfter: .milliseconds(Int64(seed) * 120))
            world.run(try Callee.order(), hangsUp: false)
            let story: Comment = "\(script) seed \(seed) \(world.harness.endpoint.counters)"
            #expect(world.harness.isIdle && world.answered + world.failures.count <= 1 && world.ended == 0, story)
            #expect(world.callees[0].unacknowledged == 0, story)
        }
    }
}
