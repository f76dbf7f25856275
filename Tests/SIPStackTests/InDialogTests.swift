import NIOCore
import Testing

@testable import SIPStack

/// Requests inside an established call.
@Suite struct InDialogTests {
    private static let hold = Harness.sdp + "a=sendonly\r\n"

    private func reoffers(_ events: [SIPOutput]) -> [String?] {
        events.compactMap { if case .reoffer(_, let offer) = $0 { offer } else { nil } }
    }

    @Test func holdAndResumeByReInvite() {
        let harness = Harness()
        let (call, established) = harness.establish()
        var caller = established
        for (step, offer) in [Self.hold, Harness.sdp].enumerated() {
            _ = harness.takeSent()
            _ = harness.takeEvents()
            caller.contact = "<sip:alice@192.0.2.15:\(6_000 + step)>"
            harness.receive(caller.request("INVITE", branch: "z9hG4bKre\(step)", sequence: 2 + step, body: offer))
            #expect(reoffers(harness.takeEvents()) == [offer])
            harness.run { $0.answerReoffer(call, sdp: Harness.ourSDP, now: $1, into: &$2) }
            let sent = harness.takeSent()
            #expect(sent.map(\.status) == [100, 200] && sent.last?.body == Harness.ourSDP && sent.last?.toTag == caller.toTag)
            harness.advance(.milliseconds(600))
            #expect(harness.takeSent().map(\.status) == [200], "repeated until the ACK")
            harness.receive(caller.ack(branch: "z9hG4bKack\(step)", sequence: 2 + step))
            harness.advance(.seconds(3))
            #expect(harness.takeSent().isEmpty)
        }
        harness.run { $0.hangUp(call, now: $1, into: &$2) }
        #expect(harness.takeSent().last?.requestURI == "sip:alice@192.0.2.15:6001", "the last accepted Contact is the target")
    }

    @Test func aReInviteWithoutOfferGetsOurs() {
        let harness = Harness()
        let (call, caller) = harness.establish()
        _ = harness.takeEvents()
        harness.receive(caller.request("INVITE", branch: "z9hG4bKre", sequence: 2))
        guard case .reoffer(call, offer: nil)? = harness.takeEvents().last else {
            Issue.record("no reoffer")
            return
        }
        harness.run { $0.answerReoffer(call, sdp: Harness.ourSDP, now: $1, into: &$2) }
        _ = harness.takeSent()
        harness.receive(caller.request("INVITE", branch: "z9hG4bKre2", sequence: 3, body: Harness.sdp))
        #expect(harness.takeSent().map(\.status) == [491], "our offer is unanswered")
        harness.receive(caller.ack(branch: "z9hG4bKackre", sequence: 2, body: Self.hold))
        guard case .acknowledged(call, answer: Self.hold)? = harness.takeEvents().last else {
            Issue.record("no answer")
            return
        }
    }

    @Test func overlappingReInvitesAreRefused() {
        let harness = Harness()
        let (call, caller) = harness.establish()
        _ = harness.takeSent()
        harness.receive(caller.request("INVITE", branch: "z9hG4bKre2", sequence: 2, body: Harness.sdp))
        harness.receive(caller.request("INVITE", branch: "z9hG4bKre3", sequence: 3, body: Harness.sdp))
        harness.receive(caller.request("UPDATE", branch: "z9hG4bKup4", sequence: 4, body: Harness.sdp))
        let sent = harness.takeSent()
        #expect(sent.map(\.status) == [100, 500, 500])
        #expect(sent.dropFirst().allSatisfy { $0["Retry-After"].flatMap { Int($0) }.map { (0...10).contains($0) } == true })
        harness.run { $0.rejectReoffer(call, status: 488, now: $1, into: &$2) }
        #expect(harness.takeSent().map(\.status) == [488])
        #expect(harness.endpoint.counters.dialogsAlive == 1, "a refused re-INVITE ends nothing")
    }

    /// The ACK of a re-INVITE may be lost (RFC 5407 section 3.1.4), but what waits for one does not pile up.
    @Test func reInvitesWithoutAckAreBounded() {
        let harness = Harness()
        let (call, caller) = harness.establish()
        _ = harness.takeSent()
        for number in 2..<12 {
            harness.receive(caller.request("INVITE", branch: "z9hG4bKre\(number)", sequence: number, body: Harness.sdp))
            harness.run { $0.answerReoffer(call, sdp: Harness.ourSDP, now: $1, into: &$2) }
        }
        let sent = harness.takeSent()
        #expect(sent.filter { $0.status == 200 }.count == 4 && sent.filter { $0.status == 500 && $0["Retry-After"] != nil }.count == 6)
        for number in 2..<6 { harness.receive(caller.ack(branch: "z9hG4bKack\(number)", sequence: number)) }
        harness.receive(caller.request("INVITE", branch: "z9hG4bKlast", sequence: 12, body: Harness.sdp))
        #expect(harness.statuses == [100])
    }

    @Test func aReInviteWhileRingingIsRefused() {
        let harness = Harness()
        harness.receive(Caller().invite())
        harness.run { [call = harness.incoming?.id ?? SIPCallID(0)] in $0.ring(call, now: $1, into: &$2) }
        var caller = Caller()
        caller.toTag = harness.takeSent().last?.toTag
        harness.receive(caller.request("INVITE", branch: "z9hG4bKre", sequence: 2, body: Harness.sdp))
        #expect(harness.statuses == [500] && harness.sent.last?.message["Retry-After"] != nil)
    }

    @Test func aCancelledReInviteLeavesTheCall() {
        let harness = Harness()
        let (call, caller) = harness.establish()
        harness.receive(caller.request("INVITE", branch: "z9hG4bKre", sequence: 2, body: Self.hold))
        _ = harness.takeSent()
        _ = harness.takeEvents()
        harness.receive(caller.request("CANCEL", branch: "z9hG4bKre", sequence: 2))
        #expect(harness.takeSent().map(\.status) == [200, 487])
        harness.run { $0.answerReoffer(call, sdp: Harness.ourSDP, now: $1, into: &$2) }
        #expect(harness.takeSent().isEmpty && harness.takeEvents().isEmpty && harness.endpoint.counters.dialogsAlive == 1)
    }

    @Test func aReInviteWhose200IsNeverAcknowledgedEndsTheCall() {
        let harness = Harness()
        let (call, caller) = harness.establish()
        harness.receive(caller.request("INVITE", branch: "z9hG4bKre", sequence: 2, body: Self.hold))
        harness.run { $0.answerReoffer(call, sdp: Harness.ourSDP, now: $1, into: &$2) }
        harness.advance(.seconds(70))
        guard case .ended(call, .noAcknowledgement)? = harness.takeEvents().last else {
            Issue.record("not ended")
            return
        }
        #expect(harness.isIdle)
    }

    @Test func hangingUpAnswersThePendingReInvite() {
        let harness = Harness()
        let (call, caller) = harness.establish()
        harness.receive(caller.request("INVITE", branch: "z9hG4bKre", sequence: 2, body: Self.hold))
        _ = harness.takeSent()
        harness.run { $0.hangUp(call, now: $1, into: &$2) }
        let sent = harness.takeSent()
        #expect(sent.first?.status == 487 && sent.last?.method == "BYE")
    }

    @Test func updateIsAnswered() {
        let harness = Harness()
        let (call, established) = harness.establish()
        var caller = established
        _ = harness.takeSent()
        _ = harness.takeEvents()
        caller.contact = "<sip:alice@192.0.2.15:7000>"
        harness.receive(caller.request("UPDATE", branch: "z9hG4bKup1", sequence: 2))
        #expect(harness.takeSent().map(\.status) == [200] && harness.takeEvents().isEmpty)
        harness.receive(caller.request("UPDATE", branch: "z9hG4bKup2", sequence: 3, body: Self.hold))
        #expect(reoffers(harness.takeEvents()) == [Self.hold])
        harness.run { $0.answerReoffer(call, sdp: Harness.ourSDP, now: $1, into: &$2) }
        let sent = harness.takeSent()
        #expect(sent.map(\.status) == [200] && sent[0].body == Harness.ourSDP)
        harness.advance(.seconds(2))
        #expect(harness.takeSent().isEmpty, "no ACK comes for an UPDATE")
        harness.run { $0.hangUp(call, now: $1, into: &$2) }
        #expect(harness.takeSent().last?.requestURI == "sip:alice@192.0.2.15:7000")
    }

    @Test func infoGoesUp() {
        let harness = Harness()
        let (call, caller) = harness.establish()
        _ = harness.takeSent()
        _ = harness.takeEvents()
        harness.receive(
            caller.request("INFO", branch: "z9hG4bKinfo", sequence: 2, body: "Signal=5\r\nDuration=160\r\n", type: "application/dtmf-relay"))
        harness.receive(caller.request("INFO", branch: "z9hG4bKinfo2", sequence: 3))
        harness.receive(caller.request("INFO", branch: "z9hG4bKinfo3", sequence: 4, extra: ["Info-Package: nothing"], body: "x", type: "text/plain"))
        #expect(harness.takeSent().map(\.status) == [200, 200, 469])
        let events = harness.takeEvents()
        guard events.count == 1, case .info(call, let type, let body) = events[0] else {
            Issue.record("one INFO, got \(events)")
            return
        }
        #expect(type == "application/dtmf-relay" && body == Array("Signal=5\r\nDuration=160\r\n".utf8))
    }

    @Test func otherRequestsInTheDialog() {
        let harness = Harness()
        let (_, caller) = harness.establish()
        _ = harness.takeSent()
        harness.receive(caller.request("OPTIONS", branch: "z9hG4bKo", sequence: 5))
        harness.receive(caller.request("SUBSCRIBE", branch: "z9hG4bKm", sequence: 6))
        harness.receive(caller.request("INFO", branch: "z9hG4bKl", sequence: 4, body: "x", type: "text/plain"))
        harness.receive(caller.request("INVITE", branch: "z9hG4bKr", sequence: 7, extra: ["Require: 100rel"], body: Harness.sdp))
        harness.receive(caller.request("INVITE", branch: "z9hG4bKt", sequence: 8, body: "x", type: "text/plain"))
        var stranger = caller
        stranger.toTag = "nonsense"
        harness.receive(stranger.request("BYE", branch: "z9hG4bKb", sequence: 9))
        harness.receive(stranger.request("INVITE", branch: "z9hG4bKi", sequence: 9, body: Harness.sdp))
        #expect(harness.takeSent().map(\.status) == [200, 405, 500, 420, 415, 481, 481])
        #expect(harness.endpoint.counters.dialogsAlive == 1)
    }

    @Test func aByeFromAnotherHostWithBothTagsIsBelieved() {
        let harness = Harness()
        let (_, caller) = harness.establish()
        _ = harness.takeSent()
        let elsewhere = SIPFlow(transport: .udp, remote: SIPAddress(host: "198.51.100.99", port: 5060), listener: 0)
        var stranger = caller
        stranger.tag = "guess"
        harness.receive(stranger.request("BYE", branch: "z9hG4bKb1", sequence: 2), from: elsewhere, known: false)
        harness.receive(caller.request("BYE", branch: "z9hG4bKb2", sequence: 2), from: elsewhere, known: false)
        #expect(harness.takeSent().map(\.status) == [403, 200])
        #expect(harness.endpoint.counters.dialogsAlive == 0)
    }
}
