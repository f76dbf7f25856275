import NIOCore
import Testing

@testable import SIPStack

/// Calls from INVITE to BYE, on virtual time.
@Suite struct CallTests {
    @Test func aCallIsRungAnsweredAndHungUpByTheCaller() {
        let harness = Harness()
        harness.receive(Caller().invite(extra: ["P-Asserted-Identity: \"A\" <sip:+14155552671@carrier.example>", "X-Queue: a"]))
        #expect(harness.statuses == [100])
        guard let incoming = harness.incoming else {
            Issue.record("no call")
            return
        }
        #expect(incoming.requested.user == "+14155550123" && incoming.from.user == "alice" && incoming.from.displayName == "Alice")
        #expect(incoming.assertedIdentity?.user == "+14155552671")
        #expect(incoming.headers.contains(SIPHeaderField(name: "X-Queue", value: "a")))
        #expect(incoming.offer == Harness.sdp && incoming.callID == "call1@192.0.2.15" && incoming.maxForwards == 70)

        harness.run { $0.ring(incoming.id, now: $1, into: &$2) }
        harness.run { $0.accept(incoming.id, sdp: Harness.ourSDP, headers: [("X-Call", "1")], now: $1, into: &$2) }
        let messages = harness.takeSent()
        #expect(messages.map(\.status) == [100, 180, 200])
        #expect(messages[0].toTag == nil && messages[1].toTag != nil && messages[1].toTag == messages[2].toTag)
        #expect(messages[2].body == Harness.ourSDP && messages[2]["Content-Type"] == "application/sdp" && messages[2]["X-Call"] == "1")
        #expect(messages[2]["Contact"] == "<sip:203.0.113.10:5060>" && messages[2]["CSeq"] == "1 INVITE")
        #expect(messages[2]["Via"] == "SIP/2.0/UDP 192.0.2.15:5060;branch=z9hG4bKinvite1")

        var caller = Caller()
        caller.toTag = messages[2].toTag
        harness.receive(caller.ack())
        guard case .acknowledged(incoming.id, answer: nil)? = harness.takeEvents().last else {
            Issue.record("no ACK")
            return
        }
        harness.receive(caller.request("BYE", branch: "z9hG4bKbye", sequence: 2, extra: ["Reason: Q.850;cause=16;text=\"Normal clearing\""]))
        #expect(harness.takeSent().map(\.status) == [200])
        guard case .ended(incoming.id, .hungUp(let reason))? = harness.takeEvents().last else {
            Issue.record("not ended")
            return
        }
        #expect(reason == SIPReason(protocolName: "Q.850", cause: 16, text: "Normal clearing"))
        harness.advance(.seconds(33))
        #expect(harness.sent.isEmpty && harness.isIdle)
    }

    @Test func weHangUpAnEstablishedCall() {
        let harness = Harness()
        let (call, caller) = harness.establish()
        _ = harness.takeSent()
        harness.run { $0.hangUp(call, reason: SIPReason(cause: 480, text: "agent \"gone\"\r\n"), now: $1, into: &$2) }
        let bye = harness.takeSent()
        #expect(bye.count == 1 && bye[0].method == "BYE" && bye[0].requestURI == "sip:alice@192.0.2.15:5060")
        #expect(bye[0]["Reason"] == "SIP;cause=480;text=\"agent gone\"" && bye[0]["CSeq"] == "1 BYE" && bye[0]["Call-ID"] == caller.callID)
        #expect(bye[0]["From"]?.hasSuffix(";tag=\(caller.toTag ?? "-")") == true && bye[0]["To"]?.hasSuffix(";tag=from1") == true)
        harness.receive(Self.response(to: bye[0], status: 200))
        #expect(harness.endpoint.counters.dialogsAlive == 0)
        harness.advance(.seconds(33))
        #expect(harness.isIdle)
        #expect(!harness.takeEvents().contains { if case .ended = $0 { true } else { false } }, "who hangs up needs no telling")
    }

    @Test func aByeNobodyAnswersIsGivenUp() {
        let harness = Harness()
        let (call, _) = harness.establish()
        _ = harness.takeSent()
        harness.run { $0.hangUp(call, now: $1, into: &$2) }
        harness.advance(.seconds(31))
        #expect(harness.endpoint.counters.dialogsAlive == 1)
        harness.advance(.seconds(2))
        #expect(harness.takeSent().count == 10 + 1 && harness.isIdle)
    }

    @Test func crossedByesAreBothAnswered() {
        let harness = Harness()
        let (call, caller) = harness.establish()
        _ = harness.takeSent()
        harness.run { $0.hangUp(call, now: $1, into: &$2) }
        harness.receive(caller.request("BYE", branch: "z9hG4bKbye", sequence: 2))
        let sent = harness.takeSent()
        #expect(sent.first?.method == "BYE" && sent.last?.status == 200)
        harness.receive(Self.response(to: sent[0], status: 481))
        harness.advance(.seconds(33))
        #expect(harness.isIdle)
    }

    @Test func cancelBeforeTheAnswer() {
        let harness = Harness()
        harness.receive(Caller().invite())
        let call = harness.incoming?.id ?? SIPCallID(0)
        harness.run { $0.ring(call, now: $1, into: &$2) }
        _ = harness.takeSent()
        harness.receive(Caller().request("CANCEL"))
        let sent = harness.takeSent()
        #expect(sent.map(\.status) == [200, 487] && sent.map { $0["CSeq"] } == ["1 CANCEL", "1 INVITE"])
        #expect(sent[0].toTag == sent[1].toTag)
        guard case .cancelled(call)? = harness.takeEvents().last else {
            Issue.record("not cancelled")
            return
        }
        // What comes too late from our side does nothing.
        harness.run { $0.accept(call, sdp: Harness.ourSDP, now: $1, into: &$2) }
        harness.run { $0.hangUp(call, now: $1, into: &$2) }
        harness.run { $0.reject(call, status: 486, now: $1, into: &$2) }
        #expect(harness.takeSent().isEmpty)
        var caller = Caller()
        caller.toTag = sent[1].toTag
        harness.receive(caller.ack(branch: "z9hG4bKinvite1"))
        harness.advance(.seconds(1))
        #expect(harness.takeSent().isEmpty, "the ACK ends the repetitions of 487")
        harness.advance(.seconds(33))
        #expect(harness.isIdle)
    }

    @Test func cancelAfterThe200ChangesNothing() {
        let harness = Harness()
        harness.receive(Caller().invite())
        let call = harness.incoming?.id ?? SIPCallID(0)
        harness.run { $0.accept(call, sdp: Harness.ourSDP, now: $1, into: &$2) }
        var caller = Caller()
        caller.toTag = harness.takeSent().last?.toTag
        _ = harness.takeEvents()
        harness.receive(Caller().request("CANCEL"))
        #expect(harness.takeSent().map(\.status) == [200])
        #expect(harness.takeEvents().isEmpty)
        harness.receive(caller.ack())
        guard case .acknowledged? = harness.takeEvents().last else {
            Issue.record("no ACK")
            return
        }
        harness.receive(caller.request("BYE", branch: "z9hG4bKbye", sequence: 2))
        harness.advance(.seconds(33))
        #expect(harness.isIdle)
    }

    @Test func cancelOfNothingIs481() {
        let harness = Harness()
        harness.receive(Caller().request("CANCEL"))
        #expect(harness.statuses == [481])
    }

    @Test(arguments: [false, true]) func a200NeverAcknowledgedEndsInABye(overTCP: Bool) {
        let harness = Harness()
        let flow = overTCP ? Harness.tcp : Harness.udp
        harness.receive(Caller().invite(), from: flow)
        let call = harness.incoming?.id ?? SIPCallID(0)
        harness.run { $0.accept(call, sdp: Harness.ourSDP, now: $1, into: &$2) }
        harness.advance(.seconds(40))
        #expect(
            harness.times { $0.status == 200 }
                == [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500])
        #expect(harness.times { $0.method == "BYE" }.first == 32_000)
        guard case .ended(call, .noAcknowledgement)? = harness.takeEvents().last else {
            Issue.record("not ended")
            return
        }
        harness.advance(.seconds(33))
        #expect(harness.isIdle)
    }

    @Test func hangingUpBeforeTheAckWaitsForIt() {
        let harness = Harness()
        harness.receive(Caller().invite())
        let call = harness.incoming?.id ?? SIPCallID(0)
        harness.run { $0.accept(call, sdp: Harness.ourSDP, now: $1, into: &$2) }
        var caller = Caller()
        caller.toTag = harness.takeSent().last?.toTag
        harness.run { $0.hangUp(call, now: $1, into: &$2) }
        #expect(harness.takeSent().isEmpty)
        harness.advance(.milliseconds(600))
        #expect(harness.takeSent().map(\.status) == [200], "the 200 is still repeated")
        _ = harness.takeEvents()
        harness.receive(caller.ack())
        #expect(harness.takeSent().map(\.method) == ["BYE"])
        #expect(harness.takeEvents().isEmpty)
    }

    @Test func hangingUpWithoutEverAnAck() {
        let harness = Harness()
        harness.receive(Caller().invite())
        let call = harness.incoming?.id ?? SIPCallID(0)
        harness.run { $0.accept(call, sdp: Harness.ourSDP, now: $1, into: &$2) }
        _ = harness.takeEvents()
        harness.run { $0.hangUp(call, now: $1, into: &$2) }
        harness.advance(.seconds(100))
        #expect(harness.times { $0.method == "BYE" }.first == 32_000)
        #expect(harness.takeEvents().isEmpty && harness.isIdle)
    }

    @Test func hangingUpWhileRingingIsARefusal() {
        let harness = Harness()
        harness.receive(Caller().invite())
        let call = harness.incoming?.id ?? SIPCallID(0)
        harness.run { $0.hangUp(call, reason: SIPReason(cause: 503), rejectStatus: 503, now: $1, into: &$2) }
        #expect(harness.statuses == [100, 503] && harness.sent.last?.message["Reason"] == "SIP;cause=503")
        harness.advance(.seconds(40))
        #expect(harness.isIdle)
    }

    @Test func aRefusalIsRepeatedUntilItsAck() {
        let harness = Harness()
        harness.receive(Caller().invite())
        let call = harness.incoming?.id ?? SIPCallID(0)
        harness.run { $0.reject(call, status: 503, headers: [("Retry-After", "300")], now: $1, into: &$2) }
        harness.advance(.milliseconds(1_600))
        let sent = harness.takeSent()
        #expect(sent.map(\.status) == [100, 503, 503, 503] && sent.last?["Retry-After"] == "300")
        var caller = Caller()
        caller.toTag = sent.last?.toTag
        harness.receive(caller.ack(branch: caller.branch))
        harness.receive(caller.ack(branch: caller.branch))
        harness.advance(.seconds(10))
        #expect(harness.takeSent().isEmpty && harness.isIdle)
    }

    @Test func repetitionsAreAnsweredFromTheTransaction() {
        let harness = Harness()
        harness.receive(Caller().invite())
        harness.receive(Caller().invite())
        #expect(harness.statuses == [100, 100])
        let call = harness.incoming?.id ?? SIPCallID(0)
        harness.run { $0.ring(call, now: $1, into: &$2) }
        harness.receive(Caller().invite())
        #expect(harness.statuses == [100, 100, 180, 180])
        #expect(harness.takeEvents().count == 1)
        #expect(harness.endpoint.counters.retransmissionsReceived == 2 && harness.endpoint.counters.retransmissionsSent == 2)
    }

    @Test func ringingIsSaidAgainEveryMinute() {
        let harness = Harness()
        harness.receive(Caller().invite())
        let call = harness.incoming?.id ?? SIPCallID(0)
        harness.run { $0.ring(call, status: 183, sdp: Harness.ourSDP, now: $1, into: &$2) }
        harness.advance(.seconds(130))
        #expect(harness.times { $0.status == 183 && $0.body == Harness.ourSDP } == [0, 60_000, 120_000])
        harness.run { $0.reject(call, status: 480, now: $1, into: &$2) }
        harness.advance(.seconds(40))
        #expect(harness.isIdle)
    }

    @Test func aDelayedOfferBringsTheAnswerInTheAck() {
        let harness = Harness()
        harness.receive(Caller().invite(body: nil))
        #expect(harness.incoming.map { $0.offer == nil } == true)
        let call = harness.incoming?.id ?? SIPCallID(0)
        harness.run { $0.ring(call, status: 183, sdp: Harness.ourSDP, now: $1, into: &$2) }
        #expect(harness.sent.last?.message.status == 183 && harness.sent.last?.message.body.isEmpty == true, "no offer in an unreliable response")
        harness.run { $0.accept(call, sdp: Harness.ourSDP, now: $1, into: &$2) }
        var caller = Caller()
        caller.toTag = harness.takeSent().last?.toTag
        harness.receive(caller.ack(body: Harness.sdp))
        guard case .acknowledged(call, answer: Harness.sdp)? = harness.takeEvents().last else {
            Issue.record("no answer")
            return
        }
        harness.receive(caller.ack(body: Harness.sdp))
        #expect(harness.takeEvents().isEmpty, "a repeated ACK says nothing new")
    }

    @Test func byeWhileRinging() {
        let harness = Harness()
        harness.receive(Caller().invite())
        let call = harness.incoming?.id ?? SIPCallID(0)
        harness.run { $0.ring(call, now: $1, into: &$2) }
        var caller = Caller()
        caller.toTag = harness.takeSent().last?.toTag
        harness.receive(caller.request("BYE", branch: "z9hG4bKbye", sequence: 2))
        #expect(harness.takeSent().map(\.status) == [200, 487])
        guard case .ended(call, .hungUp)? = harness.takeEvents().last else {
            Issue.record("not ended")
            return
        }
    }

    /// A response to a request of ours, as a plain server writes it.
    static func response(to request: ParsedMessage, status: Int) -> String {
        var lines = ["SIP/2.0 \(status) Whatever"]
        for name in ["Via", "From", "To", "Call-ID", "CSeq"] { lines += request.all(name).map { "\(name): \($0)" } }
        return (lines + ["Content-Length: 0"]).joined(separator: "\r\n") + "\r\n\r\n"
    }
}
