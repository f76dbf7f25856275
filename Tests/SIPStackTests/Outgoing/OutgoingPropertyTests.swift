import NIOCore
import Testing

@testable import SIPStack

/// Whatever the hosts say in whatever order, and whatever we do meanwhile: one end for every call, and nothing stays behind.
@Suite struct OutgoingPropertyTests {
    private static let statuses = [100, 180, 183, 199, 200, 200, 202, 302, 401, 404, 407, 408, 481, 482, 483, 486, 487, 500, 503, 503, 600, 699]

    @Test func anyOrderOfAnythingEndsOnce() throws {
        for seed in 0..<200 {
            var random = SplitMix(UInt64(seed))
            let harness = Harness(seed: UInt64(seed))
            let transports: [SIPTransport] = [.udp, .tcp]
            let targets = (0..<1 + Int(random.next() % 3)).map { number in
                SIPTarget(SIPAddress(host: "198.51.100.\(7 + number)", port: 5060), transport: transports[Int(random.next() % 2)])
            }
            let credentials = random.next() % 2 == 0 ? SIPCredentials(username: "a", password: "b") : nil
            _ = harness.dial(try Callee.order(targets: targets, credentials: credentials, ringLimit: .seconds(Int64(5 + random.next() % 40))))
            var isTakenBack = false
            var wasAnswered = false
            for _ in 0..<30 {
                let requests = harness.sent.filter { $0.message.method != nil && $0.message.method != "ACK" }
                guard let request = requests.isEmpty ? nil : requests[Int(random.next() % UInt64(requests.count))] else { break }
                let flow = SIPFlow(
                    transport: request.flow.transport, remote: request.flow.remote, connection: request.flow.transport == .tcp ? 1 + random.next() % 3 : 0,
                    listener: request.flow.listener)
                switch random.next() % 12 {
                case 0: harness.advance(.milliseconds(Int64(random.next() % 9_000)))
                case 1: harness.run { $0.connectionFailed(to: request.flow.remote, transport: request.flow.transport, now: $1, into: &$2) }
                case 2: harness.run { $0.connectionClosed(1 + random.next() % 3, now: $1, into: &$2) }
                case 3 where random.next() % 4 == 0:
                    isTakenBack = true
                    harness.run { $0.cancel(Callee.id, now: $1, into: &$2) }
                case 4:
                    let method = ["BYE", "UPDATE", "INVITE", "INFO"][Int(random.next() % 4)]
                    harness.receive(Callee.request(method, in: request.message, tag: "t\(random.next() % 3)", sequence: Int(random.next() % 9), body: Harness.sdp), from: flow)
                default:
                    var extra: [String] = []
                    let status = Self.statuses[Int(random.next() % UInt64(Self.statuses.count))]
                    if status == 401 { extra.append("WWW-Authenticate: Digest realm=\"r\", nonce=\"\(random.next())\", stale=\(random.next() % 2 == 0)") }
                    if status == 503, random.next() % 2 == 0 { extra.append("Retry-After: \(random.next() % 100)") }
                    let body = random.next() % 2 == 0 ? Harness.sdp : ""
                    harness.receive(Callee.response(status, to: request.message, tag: "t\(random.next() % 3)", extra: extra, body: body), from: flow)
                }
                wasAnswered = wasAnswered || !harness.answers.isEmpty
            }
            harness.advance(.seconds(80))
            let story: Comment = "seed \(seed)"
            if !isTakenBack, harness.terminals == 0 {
                #expect(!harness.answers.isEmpty, story)
                harness.run { $0.hangUp(Callee.id, now: $1, into: &$2) }
            } else if !isTakenBack {
                #expect(harness.terminals == 1, story)
            } else {
                #expect(harness.terminals <= 1, story)
            }
            #expect(harness.answers.count <= 1 && (harness.failure == nil || harness.answers.isEmpty), story)
            harness.advance(.seconds(120))
            #expect(harness.isIdle, "seed \(seed): \(harness.endpoint.counters)")
        }
    }

    @Test func mutatedAnswersLeaveNothing() throws {
        var random = SplitMix(4_711)
        for round in 0..<60 {
            let harness = Harness(seed: UInt64(round))
            let credentials = SIPCredentials(username: "a", password: "b")
            let invite = try #require(harness.dial(try Callee.order(targets: [SIPTarget(Callee.address), SIPTarget(Callee.second)], credentials: credentials)))
            let messages = [
                Callee.response(183, to: invite, body: Harness.sdp), Callee.response(200, to: invite, extra: ["Record-Route: <sip:1.2.3.4;lr>"], body: Harness.sdp),
                Callee.response(407, to: invite, extra: ["Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256"]),
                Callee.response(503, to: invite, extra: ["Retry-After: 5"]), Callee.response(486, to: invite), Callee.request("BYE", in: invite, sequence: 3),
            ].map { Array($0.utf8) }
            for _ in 0..<40 {
                let original = messages[Int(random.next() % UInt64(messages.count))]
                harness.receive(MutationTests.mutate(original, with: messages, random: &random), from: Callee.flow)
                harness.advance(.milliseconds(Int64(random.next() % 500)))
            }
            harness.run { $0.cancel(Callee.id, now: $1, into: &$2) }
            harness.advance(.seconds(150))
            #expect(harness.isIdle, "round \(round): \(harness.endpoint.counters)")
        }
    }
}
