import NIOCore
import Testing

@testable import SIPStack

/// Calls of ours that come back to us.
@Suite struct LoopTests {
    private static let listening = SIPTarget(SIPAddress(host: "203.0.113.10", port: 5060))

    /// Everything that two endpoints (or one with itself) send each other, until nothing moves; each call that comes in goes on out.
    private func relay(_ harnesses: [Harness], number: (String) -> String = { $0 }, handsPathOn: Bool = true) throws -> Int {
        var calls = 0
        var upstream: [[SIPCallID: SIPCallID]] = Array(repeating: [:], count: harnesses.count)
        for _ in 0..<2_000 {
            var isQuiet = true
            for (index, harness) in harnesses.enumerated() {
                let peer = harnesses[(index + 1) % harnesses.count]
                for message in harness.takeSent() {
                    isQuiet = false
                    peer.receive(Array(message.text.utf8), from: SIPFlow(transport: .udp, remote: Self.listening.address, listener: 0))
                }
                for event in harness.takeEvents() {
                    isQuiet = false
                    switch event {
                    case .incoming(let incoming):
                        calls += 1
                        let id = SIPCallID.outgoing(UInt64(calls + 1))
                        upstream[index][id] = incoming.id
                        let order = try Callee.order(
                            id: id, number: number(incoming.requested.user), targets: [Self.listening], maxForwards: incoming.onwardMaxForwards,
                            path: handsPathOn ? incoming.path : [])
                        harness.run { $0.call(order, now: $1, into: &$2) }
                    case .failed(let id, let failure):
                        if let caller = upstream[index][id] { harness.run { $0.reject(caller, status: failure.status, now: $1, into: &$2) } }
                        outcomes.append(failure)
                    default: break
                    }
                }
            }
            if isQuiet { break }
        }
        for harness in harnesses {
            harness.advance(.seconds(40))
            #expect(harness.isIdle)
        }
        return calls
    }

    private final class Outcomes { var all: [SIPFailure] = [] }
    private let box = Outcomes()
    private var outcomes: [SIPFailure] {
        get { box.all }
        nonmutating set { box.all = newValue }
    }

    @Test func aTrunkThatPointsAtUs() throws {
        let harness = Harness()
        _ = harness.dial(try Callee.order(targets: [Self.listening]))
        #expect(try relay([harness]) == 0, "refused before it becomes a call")
        #expect(outcomes.map(\.kind) == [.loop] && outcomes.first?.status == 482 && harness.endpoint.counters.loopsRefused == 1)
    }

    @Test func twoGatewaysThatPointAtEachOther() throws {
        let harnesses = [Harness(seed: 1), Harness(seed: 2)]
        _ = harnesses[0].dial(try Callee.order(targets: [Self.listening]))
        #expect(try relay(harnesses) == 1, "the second gateway takes it, the first knows it again")
        #expect(outcomes.last?.kind == .loop)
    }

    @Test func aNumberThatGrowsWithEveryRound() throws {
        let harnesses = [Harness(seed: 1), Harness(seed: 2)]
        _ = harnesses[0].dial(try Callee.order(targets: [Self.listening]))
        #expect(try relay(harnesses, number: { "9" + $0 }) <= 2 * CallPath.maximumPasses)
        #expect(outcomes.last?.kind == .loop)
    }

    /// Gateways of other makers keep neither our Via nor our field.
    @Test func maxForwardsEndsWhatNobodyMarks() throws {
        let harnesses = [Harness(seed: 1), Harness(seed: 2)]
        _ = harnesses[0].dial(try Callee.order(targets: [Self.listening], maxForwards: 20))
        #expect(try relay(harnesses, handsPathOn: false) == 20)
        #expect(outcomes.first?.kind == .tooManyHops)
    }

    /// A proxy keeps our Via below its own: the same number is a loop, another one a forwarded call.
    @Test(arguments: [("+14155550123", 482), ("+14155550199", 100)]) func overAProxy(_ user: String, _ status: Int) throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order()))
        var lines = invite.text.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
        lines[0] = "INVITE sip:\(user)@203.0.113.10 SIP/2.0"
        lines.insert("Via: SIP/2.0/UDP 198.51.100.60;branch=z9hG4bKproxy", at: 1)
        lines.removeAll { $0.hasPrefix(CallPath.fieldName) }
        _ = harness.takeSent()
        harness.receive(lines.joined(separator: "\r\n"))
        #expect(harness.takeSent().map(\.status) == [status])
    }

    @Test func foreignMarksAreHandedOnAndBounded() throws {
        let harness = Harness()
        let mark = CallPath.mark(random: "0123456789abcdef", seed: 99, user: "x")
        harness.receive(Caller().invite(extra: ["X-Tandem-Path: \(mark), nonsense, \(String(repeating: "a", count: 400))"]))
        let incoming = try #require(harness.incoming)
        #expect(incoming.path == [mark] && incoming.onwardMaxForwards == 69)
        let invite = try #require(harness.dial(try Callee.order(path: Array(repeating: mark, count: 30) + ["a\r\nX: y"])))
        let marks = (invite["X-Tandem-Path"] ?? "").split(separator: ",").map { $0.filter { $0 != " " } }
        #expect(marks.count == CallPath.maximumMarks && marks.first == mark && invite["X"] == nil)
        #expect(invite["Via"]?.contains(marks.last ?? "-") == true)
    }

    @Test func noHopsLeft() throws {
        let harness = Harness()
        #expect(harness.dial(try Callee.order(maxForwards: 0)) == nil)
        #expect(harness.failure?.kind == .tooManyHops && harness.failure?.status == 483 && harness.isIdle)
    }
}
