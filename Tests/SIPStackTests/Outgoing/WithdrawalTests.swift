import NIOCore
import Testing

@testable import SIPStack

/// Calls of ours taken back, and answers that cross the CANCEL or each other.
@Suite struct WithdrawalTests {
    private func cancel(_ harness: Harness) {
        harness.run { $0.cancel(Callee.id, reason: SIPReason(cause: 487, text: "Caller gave up"), now: $1, into: &$2) }
    }

    private func finish(_ harness: Harness) {
        harness.advance(.seconds(100))
        #expect(harness.events.isEmpty && harness.isIdle, "\(harness.endpoint.counters)")
    }

    @Test func cancelWhileRinging() throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order()))
        harness.respond(180, to: invite)
        _ = harness.takeSent()
        _ = harness.takeEvents()
        cancel(harness)
        let cancel = try #require(harness.takeSent().first)
        #expect(cancel.method == "CANCEL" && cancel.requestURI == invite.requestURI && cancel["Reason"] == "SIP;cause=487;text=\"Caller gave up\"")
        harness.respond(200, to: cancel)
        harness.respond(180, to: invite)
        #expect(harness.takeSent().isEmpty)
        harness.respond(487, to: invite)
        #expect(harness.takeSent().map(\.method) == ["ACK"])
        finish(harness)
        #expect(harness.endpoint.counters.callsOutCancelled == 1)
    }

    @Test func cancelWaitsForTheFirstProvisionalResponse() throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order()))
        cancel(harness)
        harness.advance(.seconds(2))
        #expect(!harness.takeSent().contains { $0.method == "CANCEL" })
        harness.respond(100, to: invite, tag: nil)
        #expect(harness.takeSent().map(\.method) == ["CANCEL"])
        harness.respond(487, to: invite)
        finish(harness)
    }

    @Test func cancelOfAHostThatNeverSpeaks() throws {
        let harness = Harness()
        _ = try #require(harness.dial(try Callee.order()))
        cancel(harness)
        finish(harness)
        #expect(!harness.sent.contains { $0.message.method == "CANCEL" })
    }

    @Test(arguments: [false, true]) func anAnswerThatCrossesTheCancelIsHungUpOn(afterProvisional: Bool) throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order()))
        if afterProvisional { harness.respond(180, to: invite) }
        cancel(harness)
        _ = harness.takeSent()
        _ = harness.takeEvents()
        harness.respond(200, to: invite, body: Harness.sdp)
        let sent = harness.takeSent()
        #expect(sent.map(\.method) == ["ACK", "BYE"] && sent[1]["CSeq"] == "2 BYE")
        #expect(sent[1]["Reason"] == "SIP;cause=487;text=\"Caller gave up\"")
        harness.respond(200, to: invite, body: Harness.sdp)
        #expect(harness.takeSent().map(\.method) == ["ACK"], "repetitions are acknowledged, not hung up on again")
        harness.respond(200, to: sent[1])
        finish(harness)
    }

    @Test func aCancelThatIsNeverFollowedByAnythingEnds() throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order()))
        harness.respond(180, to: invite)
        cancel(harness)
        _ = harness.takeEvents()
        harness.advance(.milliseconds(31_900))
        #expect(harness.endpoint.counters.clientTransactionsAlive == 2)
        harness.advance(.milliseconds(200))
        #expect(harness.endpoint.counters.clientTransactionsAlive == 0)
        finish(harness)
    }

    @Test func hangUpTakesBackWhatIsNotAnswered() throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order()))
        harness.respond(180, to: invite)
        _ = harness.takeEvents()
        harness.run { $0.hangUp(Callee.id, now: $1, into: &$2) }
        #expect(harness.takeSent().last?.method == "CANCEL")
        harness.respond(487, to: invite)
        finish(harness)
    }

    @Test func cancelAfterTheAnswerIsABye() throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order()))
        harness.respond(200, to: invite, body: Harness.sdp)
        _ = harness.takeEvents()
        cancel(harness)
        let bye = try #require(harness.takeSent().last)
        #expect(bye.method == "BYE")
        harness.respond(200, to: bye)
        cancel(harness)
        #expect(harness.takeSent().isEmpty)
        finish(harness)
    }

    @Test func theFirstOfSeveralAnswersWins() throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order()))
        harness.respond(183, to: invite, tag: "a", body: Harness.sdp)
        harness.respond(183, to: invite, tag: "b", body: Harness.sdp + "a=b\r\n")
        _ = harness.takeSent()
        harness.respond(200, to: invite, tag: "b")
        #expect(harness.answers == [Harness.sdp + "a=b\r\n"], "the description of the phone that answered")
        #expect(harness.takeSent().map(\.toTag) == ["b"])
        harness.advance(.seconds(20))
        harness.respond(200, to: invite, tag: "a", extra: ["Contact: <sip:other@198.51.100.7:5090>"], body: Harness.sdp)
        let sent = harness.takeSent()
        #expect(sent.map(\.method) == ["ACK", "BYE"] && sent.map(\.toTag) == ["a", "a"] && sent[1].requestURI == "sip:other@198.51.100.7:5090")
        #expect(sent[1]["Reason"] == "SIP;cause=200;text=\"Call completed elsewhere\"")
        harness.respond(200, to: invite, tag: "a")
        #expect(harness.takeSent().map(\.method) == ["ACK"])
        #expect(harness.answers.count == 1 && harness.endpoint.counters.dialogsAlive == 2 && harness.endpoint.counters.forksEnded == 1)
        harness.respond(200, to: sent[1])
        // The winner's call is untouched.
        _ = harness.takeEvents()
        harness.receive(Callee.request("BYE", in: invite, tag: "b", sequence: 1), from: Callee.flow)
        guard case .ended(Callee.id, .hungUp)? = harness.takeEvents().last else {
            Issue.record("not ended")
            return
        }
        finish(harness)
    }

    @Test func inventedTagsAreBounded() throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order()))
        for number in 0..<100 { harness.respond(200, to: invite, tag: "t\(number)", body: Harness.sdp) }
        #expect(harness.takeSent().count { $0.method == "ACK" } == ClientInvite.maximumForks)
        harness.run { $0.hangUp(Callee.id, now: $1, into: &$2) }
        _ = harness.takeEvents()
        finish(harness)
    }

    @Test func aHandleUsedTwiceDoesNothing() throws {
        let harness = Harness()
        _ = try #require(harness.dial(try Callee.order()))
        _ = harness.dial(try Callee.order())
        #expect(harness.invites.count == 1 && harness.events.isEmpty)
    }
}
