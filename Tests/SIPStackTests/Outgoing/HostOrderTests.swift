import NIOCore
import Testing

@testable import SIPStack

/// Which host a call goes to next.
@Suite struct HostOrderTests {
    private static let targets = [SIPTarget(Callee.address), SIPTarget(Callee.second)]

    @Test(arguments: [408, 500, 502, 503, 504]) func theNextHostIsTriedAfter(_ status: Int) throws {
        let harness = Harness()
        let first = try #require(harness.dial(try Callee.order(targets: Self.targets)))
        harness.respond(status, to: first)
        let second = try #require(harness.invites.last)
        #expect(harness.sent.last?.flow.remote == Callee.second && second.requestURI == "sip:+14155550123@198.51.100.8:5060")
        #expect(second["Call-ID"] == first["Call-ID"] && second["CSeq"] == "2 INVITE" && second["Via"] != first["Via"])
        harness.respond(486, to: second)
        let failure = try #require(harness.failure)
        #expect(failure.kind == .rejected(status: 486) && failure.attempts.count == 2 && failure.target == Self.targets[1])
        #expect(harness.endpoint.counters.hostsLeft == 1)
        harness.advance(.seconds(40))
        #expect(harness.isIdle)
    }

    @Test func theBetterRefusalIsReported() throws {
        let harness = Harness()
        let first = try #require(harness.dial(try Callee.order(targets: Self.targets)))
        harness.respond(500, to: first)
        harness.respond(503, to: try #require(harness.invites.last))
        #expect(harness.failure?.status == 500 && harness.failure?.attempts.count == 2)
    }

    @Test func timeoutAfterRingingIsNotForTheNextHost() throws {
        let harness = Harness()
        let first = try #require(harness.dial(try Callee.order(targets: Self.targets)))
        harness.respond(180, to: first)
        harness.respond(408, to: first)
        #expect(harness.invites.count == 1 && harness.failure?.kind == .rejected(status: 408))
    }

    @Test func aSilentHostIsLeftAndTheLastOneGivenUp() throws {
        let harness = Harness()
        _ = try #require(harness.dial(try Callee.order(targets: Self.targets)))
        harness.advance(.milliseconds(5_900))
        #expect(harness.times { $0.requestURI.hasSuffix(".7:5060") } == [0, 500, 1_500, 3_500])
        harness.advance(.seconds(60))
        #expect(harness.times { $0.requestURI.hasSuffix(".8:5060") } == [6_000, 6_500, 7_500, 9_500, 13_500, 21_500, 37_500])
        let failure = try #require(harness.failure)
        #expect(failure.kind == .unreachable && failure.status == 408 && failure.attempts.map(\.result) == [.silent, .silent])
        #expect(!harness.sent.contains { $0.message.method == "CANCEL" }, "no CANCEL before a provisional response")
        #expect(harness.terminals == 1 && harness.isIdle)
    }

    @Test func aHostWithoutAnotherToFollowHasAllTheTime() throws {
        let harness = Harness()
        let targets = [Self.targets[0], SIPTarget(Callee.second, transport: .tls)]
        let invite = try #require(harness.dial(try Callee.order(targets: targets)))
        harness.advance(.seconds(20))
        #expect(harness.failure == nil, "the second host cannot be tried, so the first is not left")
        harness.respond(503, to: invite)
        let failure = try #require(harness.failure)
        #expect(failure.description == "the far end answered 503 (udp:198.51.100.7:5060: 503 Reason 503; tls:198.51.100.8:5060: no connection)")
    }

    /// The host that was left rings after all: it must stop, and if it answers it is hung up on.
    @Test(arguments: [false, true]) func aHostThatAwakesTooLateIsTakenBack(answers: Bool) throws {
        let harness = Harness()
        let first = try #require(harness.dial(try Callee.order(targets: Self.targets)))
        harness.advance(.seconds(7))
        let second = try #require(harness.invites.last)
        _ = harness.takeSent()
        if answers {
            harness.respond(200, to: first, body: Harness.sdp)
            #expect(harness.takeSent().map(\.method) == ["ACK", "BYE"])
        } else {
            harness.respond(180, to: first)
            #expect(harness.takeSent().map(\.method) == ["CANCEL"])
            harness.respond(487, to: first)
            #expect(harness.takeSent().map(\.method) == ["ACK"])
        }
        #expect(harness.events.isEmpty)
        harness.receive(Callee.response(200, to: second, tag: "callee2", body: Harness.sdp), from: Callee.flow)
        #expect(harness.answers == [Harness.sdp])
        harness.run { $0.hangUp(Callee.id, now: $1, into: &$2) }
        harness.advance(.seconds(70))
        #expect(harness.isIdle)
    }

    @Test func aPauseThatAHostAskedForIsKept() throws {
        let harness = Harness()
        let first = try #require(harness.dial(try Callee.order(targets: Self.targets)))
        harness.respond(503, to: first, extra: ["Retry-After: 30"])
        harness.respond(486, to: try #require(harness.invites.last))
        _ = harness.takeEvents()
        _ = harness.takeSent()
        harness.advance(.seconds(29))
        let skipping = try #require(harness.dial(try Callee.order(id: .outgoing(2), targets: Self.targets)))
        #expect(skipping.requestURI.hasSuffix(".8:5060"))
        harness.respond(486, to: skipping)
        #expect(harness.failure?.attempts.map(\.result) == [.waiting, .refused(status: 486, reason: "Reason 486")])
        _ = harness.takeEvents()
        #expect(harness.dial(try Callee.order(id: .outgoing(3))).map { $0.text == skipping.text } == true, "only that host: nothing is sent")
        #expect(harness.failure?.kind == .unreachable && harness.failure?.status == 503 && harness.failure?.retryAfter == .seconds(1))
        harness.advance(.seconds(2))
        let again = try #require(harness.dial(try Callee.order(id: .outgoing(4), targets: Self.targets)))
        #expect(again.requestURI.hasSuffix(".7:5060"))
        harness.respond(403, to: again)
        harness.advance(.seconds(40))
        #expect(harness.isIdle)
    }

    @Test func connectionsThatFailLeadToTheNextHostAtOnce() throws {
        let harness = Harness()
        let targets = [
            SIPTarget(host: "sip.carrier.example", transport: .tls, address: Callee.address),
            SIPTarget(host: "sip.carrier.example", transport: .tcp, address: Callee.address), SIPTarget(Callee.second, transport: .tcp),
        ]
        let first = try #require(harness.dial(try Callee.order(targets: targets)))
        #expect(first.requestURI == "sip:+14155550123@sip.carrier.example;transport=tcp", "there is no TLS listener")
        #expect(first["Contact"] == "<sip:203.0.113.10:5060;transport=tcp>" && harness.sent[0].flow.connection == 0)
        harness.run { $0.connectionFailed(to: Callee.address, transport: .tcp, now: $1, into: &$2) }
        #expect(harness.sent.last?.flow.remote == Callee.second)
        // This one answers, so its connection is known, and then breaks.
        let flow = SIPFlow(transport: .tcp, remote: Callee.second, connection: 9, listener: 1)
        harness.receive(Callee.response(180, to: try #require(harness.invites.last)), from: flow)
        harness.run { $0.connectionFailed(to: Callee.second, transport: .tcp, now: $1, into: &$2) }
        #expect(harness.failure == nil && harness.endpoint.isInUse(connection: 9))
        harness.run { $0.connectionClosed(9, now: $1, into: &$2) }
        let failure = try #require(harness.failure)
        #expect(failure.kind == .unreachable && failure.status == 503 && failure.attempts.map(\.result) == [.transport, .transport, .transport])
        #expect(harness.isIdle)
    }

    @Test func theConnectionOfTheAnswerCarriesTheCall() throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order(targets: [SIPTarget(Callee.address, transport: .tcp)])))
        let flow = SIPFlow(transport: .tcp, remote: Callee.address, connection: 9, listener: 1)
        harness.receive(Callee.response(200, to: invite, body: Harness.sdp), from: flow)
        #expect(harness.sent.last?.flow == flow)
        harness.run { $0.connectionClosed(9, now: $1, into: &$2) }
        #expect(harness.terminals == 0, "the call goes on")
        harness.run { $0.hangUp(Callee.id, now: $1, into: &$2) }
        #expect(harness.sent.last?.flow.connection == 0 && harness.sent.last?.message.method == "BYE")
        harness.run { $0.connectionFailed(to: SIPAddress(host: "198.51.100.7", port: 5070), transport: .tcp, now: $1, into: &$2) }
        harness.advance(.seconds(40))
        #expect(harness.isIdle)
    }
}
