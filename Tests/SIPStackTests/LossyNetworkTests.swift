import NIOCore
import Testing

@testable import SIPStack

/// Whole calls over a network that loses a third of everything, delays, reorders and doubles, on virtual time.
@Suite struct LossyNetworkTests {
    enum Script: Int, CaseIterable, Sendable { case callerHangsUp, weHangUp, weRefuse, callerCancels }

    private struct Packet {
        let at: NIODeadline
        let toEndpoint: Bool
        let bytes: [UInt8]
    }

    private final class World {
        let harness: Harness
        let phone: SimulatedPhone
        let script: Script
        var random: SplitMix
        var packets: [Packet] = []
        var scheduled: [(at: NIODeadline, action: (World) -> Void)] = []
        var incoming = 0
        var acknowledged = 0
        var cancelled = 0
        var hungUp = 0
        var otherEnds = 0
        var now: NIODeadline

        init(seed: Int, script: Script) {
            harness = Harness(seed: UInt64(seed))
            phone = SimulatedPhone(number: seed)
            self.script = script
            random = SplitMix(UInt64(seed) &* 7_919)
            now = harness.now
        }

        func transmit(_ bytes: [UInt8], toEndpoint: Bool) {
            let copies = random.next() % 10 == 0 ? 2 : 1
            for _ in 0..<copies where random.next() % 100 >= 33 {
                packets.append(Packet(at: now + .milliseconds(Int64(5 + random.next() % 300)), toEndpoint: toEndpoint, bytes: bytes))
            }
        }

        func after(_ amount: TimeAmount, _ action: @escaping (World) -> Void) { scheduled.append((now + amount, action)) }

        func collect() {
            for message in harness.takeSent() { transmit(Array(message.text.utf8), toEndpoint: false) }
            for event in harness.takeEvents() { handle(event) }
            for message in harness.takeSent() { transmit(Array(message.text.utf8), toEndpoint: false) }
            for bytes in phone.outbox { transmit(bytes, toEndpoint: true) }
            phone.outbox = []
        }

        func handle(_ event: SIPOutput) {
            switch event {
            case .incoming(let call):
                incoming += 1
                harness.run { $0.ring(call.id, now: $1, into: &$2) }
                switch script {
                case .callerHangsUp: after(.seconds(2)) { $0.harness.run { $0.accept(call.id, sdp: Harness.ourSDP, now: $1, into: &$2) } }
                case .weHangUp:
                    after(.seconds(2)) { $0.harness.run { $0.accept(call.id, sdp: Harness.ourSDP, now: $1, into: &$2) } }
                    after(.seconds(4)) { $0.harness.run { $0.hangUp(call.id, now: $1, into: &$2) } }
                case .weRefuse: after(.seconds(1)) { $0.harness.run { $0.reject(call.id, status: 486, now: $1, into: &$2) } }
                case .callerCancels: after(.seconds(200)) { $0.harness.run { $0.reject(call.id, status: 408, now: $1, into: &$2) } }
                }
            case .acknowledged: acknowledged += 1
            case .cancelled: cancelled += 1
            case .ended(_, .hungUp): hungUp += 1
            case .ended: otherEnds += 1
            case .send, .close, .reoffer, .info, .message, .textRefused, .referral, .progress, .answered, .failed: break
            }
        }

        /// Runs until nothing is left to happen.
        func run() {
            phone.call(now: now)
            if script == .callerCancels { after(.seconds(20)) { $0.phone.giveUp(now: $0.now) } }
            collect()
            var hasHungUp = false
            while true {
                let times = [harness.endpoint.deadline, phone.deadline, packets.map(\.at).min(), scheduled.map(\.at).min()].compactMap { $0 }
                guard let next = times.min() else { return }
                harness.advance(max(next, now) - now)
                now = harness.now
                phone.expire(now: now)
                let due = packets.filter { $0.at <= now }
                packets.removeAll { $0.at <= now }
                for packet in due {
                    if packet.toEndpoint { harness.receive(packet.bytes) } else { phone.receive(packet.bytes, now: now) }
                }
                let actions = scheduled.filter { $0.at <= now }
                scheduled.removeAll { $0.at <= now }
                for action in actions { action.action(self) }
                if script == .callerHangsUp, phone.isUp, !hasHungUp {
                    hasHungUp = true
                    after(.seconds(5)) { $0.phone.hangUp(now: $0.now) }
                }
                collect()
            }
        }
    }

    @Test(arguments: Script.allCases) func callsSurvive(_ script: Script) {
        for seed in 1...60 {
            let world = World(seed: seed, script: script)
            world.run()
            let story: Comment = "\(script) seed \(seed)"
            #expect(world.incoming == 1, story)
            #expect(world.otherEnds == 0, story)
            #expect(world.harness.isIdle, story)
            switch script {
            case .callerHangsUp:
                #expect(world.phone.finalStatus == 200 && world.acknowledged == 1 && world.hungUp == 1 && world.phone.byeAnswered, story)
            case .weHangUp:
                #expect(world.phone.finalStatus == 200 && world.phone.byeReceived && world.acknowledged <= 1 && world.hungUp == 0, story)
            case .weRefuse:
                #expect(world.phone.finalStatus == 486 && world.acknowledged == 0, story)
            case .callerCancels:
                #expect(world.phone.finalStatus == 487 && world.cancelled == 1, story)
            }
        }
    }
}
