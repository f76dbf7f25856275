import NIOCore
import Testing

@testable import SIPStack

/// A call of ours to one host, from INVITE to BYE.
@Suite struct OutgoingCallTests {
    @Test func theInviteSaysWhatWasOrdered() throws {
        let harness = Harness()
        let order = try Callee.order(
            from: SIPCallerID(user: "+14155550100", displayName: "Shop \"A\"\r\n"), headers: [SIPHeaderField(name: "X-Queue", value: "sales")],
            maxForwards: 41)
        let invite = try #require(harness.dial(order))
        #expect(harness.sent.count == 1 && harness.sent[0].flow == Callee.flow)
        #expect(invite.startLine == "INVITE sip:+14155550123@198.51.100.7:5060 SIP/2.0")
        #expect(invite["Via"]?.hasPrefix("SIP/2.0/UDP 203.0.113.10:5060;branch=z9hG4bK") == true && invite["Via"]?.hasSuffix(";rport") == true)
        #expect(invite["Max-Forwards"] == "41" && invite["CSeq"] == "1 INVITE")
        #expect(invite["From"]?.hasPrefix("\"Shop A\" <sip:+14155550100@203.0.113.10>;tag=") == true)
        #expect(invite["P-Asserted-Identity"] == "\"Shop A\" <sip:+14155550100@203.0.113.10>")
        #expect(invite["To"] == "<sip:+14155550123@198.51.100.7:5060>" && invite["Contact"] == "<sip:203.0.113.10:5060>")
        #expect(invite["Allow"] == SIPEndpoint.allow && invite["User-Agent"] == "Tandem/test" && invite["X-Queue"] == "sales")
        #expect(invite["Content-Type"] == "application/sdp" && invite.body == Harness.ourSDP)
        #expect(invite["Content-Length"] == String(Harness.ourSDP.utf8.count))
    }

    @Test(arguments: [SIPCallerID.anonymous, SIPCallerID(user: "Anonymous", displayName: "x")]) func anonymousCallersAndOwnDomains(_ nobody: SIPCallerID) throws {
        let harness = Harness()
        let hidden = try #require(harness.dial(try Callee.order(from: nobody)))
        #expect(hidden["From"]?.hasPrefix("\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=") == true && hidden["P-Asserted-Identity"] == nil)
        let named = try #require(harness.dial(try Callee.order(id: .outgoing(2), from: SIPCallerID(user: "a b", host: "carrier.example"))))
        #expect(named["From"]?.hasPrefix("<sip:a%20b@carrier.example>;tag=") == true)
    }

    @Test func ringingEarlyMediaAnswerAndOurBye() throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order()))
        harness.respond(100, to: invite, tag: nil)
        #expect(harness.events.isEmpty)
        harness.respond(180, to: invite)
        harness.respond(183, to: invite, body: Harness.sdp)
        guard case .progress(Callee.id, 180, nil, Callee.address)? = harness.events.first,
            case .progress(Callee.id, 183, answer: Harness.sdp, _)? = harness.events.last
        else {
            Issue.record("no progress")
            return
        }
        _ = harness.takeEvents()
        _ = harness.takeSent()
        // The answer's description came with the 183, the 200 brings none.
        harness.respond(200, to: invite)
        #expect(harness.answers == [Harness.sdp])
        let ack = try #require(harness.takeSent().first)
        #expect(ack.startLine == "ACK sip:callee@198.51.100.7:5070 SIP/2.0" && ack["CSeq"] == "1 ACK" && ack.toTag == "callee1")
        #expect(ack["Call-ID"] == invite["Call-ID"] && ack["From"] == invite["From"] && ack["Via"] != invite["Via"])
        harness.respond(200, to: invite)
        harness.respond(200, to: invite)
        #expect(harness.takeSent().map(\.text) == [ack.text, ack.text], "each repetition gets the same ACK")
        #expect(harness.answers.count == 1)

        _ = harness.takeEvents()
        harness.run { $0.hangUp(Callee.id, reason: SIPReason(cause: 200), now: $1, into: &$2) }
        let bye = try #require(harness.takeSent().first)
        #expect(bye.startLine == "BYE sip:callee@198.51.100.7:5070 SIP/2.0" && bye["CSeq"] == "2 BYE" && bye.toTag == "callee1")
        harness.respond(200, to: bye)
        harness.advance(.seconds(40))
        #expect(harness.events.isEmpty && harness.isIdle)
        let counters = harness.endpoint.counters
        #expect(counters.callsOut == 1 && counters.callsOutAnswered == 1 && counters.callsOutFailed == 0 && counters.callsOutAlive == 0)
    }

    @Test func theCalleeRefreshesHoldsSendsDigitsAndHangsUp() throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order()))
        harness.respond(200, to: invite, body: Harness.sdp)
        _ = harness.takeSent()
        _ = harness.takeEvents()
        harness.receive(Callee.request("UPDATE", in: invite, sequence: 7, extra: ["Session-Expires: 1800;refresher=uas"]), from: Callee.flow)
        #expect(harness.takeSent().map(\.status) == [200])
        harness.receive(Callee.request("INVITE", in: invite, sequence: 8, body: Harness.sdp), from: Callee.flow)
        guard case .reoffer(Callee.id, offer: Harness.sdp)? = harness.takeEvents().last else {
            Issue.record("no reoffer")
            return
        }
        harness.run { $0.answerReoffer(Callee.id, sdp: Harness.ourSDP, now: $1, into: &$2) }
        #expect(harness.takeSent().map(\.status) == [100, 200])
        harness.receive(Callee.request("ACK", in: invite, sequence: 8), from: Callee.flow)
        guard case .acknowledged(Callee.id, answer: nil)? = harness.takeEvents().last else {
            Issue.record("no ACK")
            return
        }
        let signal = Callee.request("INFO", in: invite, sequence: 9, body: "Signal=5\r\n").split(separator: "application/sdp").joined(separator: "application/dtmf-relay")
        harness.receive(signal, from: Callee.flow)
        guard case .info(Callee.id, "application/dtmf-relay", Array("Signal=5\r\n".utf8))? = harness.takeEvents().last else {
            Issue.record("no INFO")
            return
        }
        harness.receive(Callee.request("INFO", in: invite, sequence: 6), from: Callee.flow)
        #expect(harness.takeSent().map(\.status) == [200, 500], "its requests are counted")
        harness.receive(Callee.request("BYE", in: invite, sequence: 10), from: Callee.flow, known: false)
        guard case .ended(Callee.id, .hungUp)? = harness.takeEvents().last else {
            Issue.record("not ended")
            return
        }
        harness.advance(.seconds(40))
        #expect(harness.isIdle)
    }

    @Test func requestsFollowTheRouteSetBackwards() throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order()))
        let routes = ["Record-Route: <sip:198.51.100.60;lr>, <sip:198.51.100.61;lr>", "Record-Route: <sip:198.51.100.7;lr>"]
        harness.respond(200, to: invite, extra: routes, body: Harness.sdp)
        let ack = try #require(harness.sent.last)
        #expect(ack.message.all("Route") == ["<sip:198.51.100.7;lr>", "<sip:198.51.100.61;lr>", "<sip:198.51.100.60;lr>"])
        #expect(ack.message.requestURI == "sip:callee@198.51.100.7:5070" && ack.flow.remote == Callee.address)
        // The target moved; the routes stay.
        harness.receive(Callee.request("UPDATE", in: invite, sequence: 1), from: Callee.flow)
        harness.run { $0.hangUp(Callee.id, now: $1, into: &$2) }
        let bye = try #require(harness.takeSent().last)
        #expect(bye.startLine == "BYE sip:callee@198.51.100.7:5071 SIP/2.0" && bye.all("Route").count == 3)
    }

    @Test func aStrictRouterGetsItselfInTheRequestURI() throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order()))
        harness.respond(200, to: invite, extra: ["Record-Route: <sip:198.51.100.61;lr>", "Record-Route: <sip:198.51.100.7>"], body: Harness.sdp)
        let ack = try #require(harness.takeSent().last)
        #expect(ack.requestURI == "sip:198.51.100.7" && ack.all("Route") == ["<sip:198.51.100.61;lr>", "<sip:callee@198.51.100.7:5070>"])
    }

    @Test func theCalleeCannotOfferBeforeItAnswers() throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order()))
        harness.respond(183, to: invite, body: Harness.sdp)
        _ = harness.takeSent()
        harness.receive(Callee.request("UPDATE", in: invite, sequence: 1), from: Callee.flow)
        harness.receive(Callee.request("UPDATE", in: invite, sequence: 2, body: Harness.sdp), from: Callee.flow)
        harness.receive(Callee.request("BYE", in: invite, sequence: 3), from: Callee.flow)
        #expect(harness.takeSent().map(\.status) == [200, 491, 481])
        harness.run { $0.cancel(Callee.id, now: $1, into: &$2) }
        harness.advance(.seconds(70))
        #expect(harness.isIdle)
    }

    @Test(arguments: [300, 302, 400, 403, 404, 422, 480, 484, 486, 487, 488, 600, 603, 604]) func finalAnswersEndTheCallAtOnce(_ status: Int) throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order(targets: [SIPTarget(Callee.address), SIPTarget(Callee.second)])))
        harness.respond(180, to: invite)
        _ = harness.takeSent()
        harness.respond(status, to: invite, extra: ["Reason: Q.850;cause=17;text=\"User busy\"", "Retry-After: 18 (soon);duration=3", "Contact: <sip:900@evil.example>"])
        let failure = try #require(harness.failure)
        #expect(failure.kind == .rejected(status: status) && failure.status == status && failure.reason == "Reason \(status)")
        #expect(failure.cause?.cause == 17 && failure.retryAfter == .seconds(18))
        #expect(failure.attempts == [SIPAttempt(target: SIPTarget(Callee.address), result: .refused(status: status, reason: "Reason \(status)"))])
        let ack = harness.takeSent()
        #expect(ack.count == 1 && ack[0].method == "ACK" && ack[0]["Via"] == invite["Via"] && ack[0].toTag == "callee1")
        #expect(ack[0].requestURI == invite.requestURI && ack[0]["CSeq"] == "1 ACK")
        harness.respond(status, to: invite)
        #expect(harness.takeSent().map(\.text) == [ack[0].text])
        harness.advance(.seconds(40))
        #expect(harness.terminals == 1 && harness.isIdle)
    }

    @Test func nobodyAnswersWithinTheLimit() throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order(targets: [SIPTarget(Callee.address), SIPTarget(Callee.second)], ringLimit: .seconds(20))))
        harness.respond(180, to: invite)
        harness.advance(.milliseconds(19_900))
        #expect(harness.failure == nil)
        harness.advance(.milliseconds(200))
        let failure = try #require(harness.failure)
        #expect(failure.kind == .noAnswer && failure.status == 480 && failure.attempts.map(\.result) == [.noAnswer])
        let cancel = try #require(harness.takeSent().last)
        #expect(cancel.method == "CANCEL" && cancel["Via"] == invite["Via"] && cancel["CSeq"] == "1 CANCEL" && cancel["To"] == invite["To"])
        harness.respond(200, to: cancel)
        harness.respond(487, to: invite)
        harness.advance(.seconds(40))
        #expect(harness.terminals == 1 && harness.isIdle)
    }
}
