import NIOCore
import Testing

@testable import SIPStack

/// REFER of ours within a dialog, and the NOTIFY requests that follow.
@Suite struct ReferralTests {
    private static let target = SIPTarget(host: "carrier.example", port: 5070, transport: .tcp, address: SIPAddress(host: "198.51.100.9", port: 5070))

    private func refer(_ harness: Harness, _ call: SIPCallID, to user: String = "+1 415") {
        harness.run { $0.refer(call, to: user, at: Self.target, limit: .seconds(60), now: $1, into: &$2) }
    }

    /// A call of a phone, and our REFER in it.
    private func referred() throws -> (Harness, SIPCallID, Caller, ParsedMessage) {
        let harness = Harness()
        let (call, caller) = harness.establish()
        _ = harness.takeSent()
        _ = harness.takeEvents()
        refer(harness, call)
        return (harness, call, caller, try #require(harness.takeSent().first))
    }

    private func notify(_ harness: Harness, _ caller: Caller, _ sequence: Int, _ status: Int?, state: String = "active", event: String = "refer") {
        let text = caller.request(
            "NOTIFY", branch: "z9hG4bKn\(sequence)", sequence: sequence, extra: ["Event: \(event)", "Subscription-State: \(state)"],
            body: status.map { "SIP/2.0 \($0) Whatever\r\n" }, type: "message/sipfrag")
        harness.receive(text)
    }

    private func told(_ harness: Harness) -> [SIPReferral] {
        harness.takeEvents().compactMap { if case .referral(_, let state) = $0 { state } else { nil } }
    }

    @Test func whatItSays() throws {
        let (_, _, caller, refer) = try referred()
        #expect(refer.startLine == "REFER sip:alice@192.0.2.15:5060 SIP/2.0" && refer["CSeq"] == "1 REFER")
        #expect(refer["Refer-To"] == "<sip:+1%20415@carrier.example:5070;transport=tcp>")
        #expect(refer["Referred-By"] == "<sip:+14155550123@203.0.113.10>" && refer["Contact"] == "<sip:203.0.113.10:5060>")
        #expect(refer.toTag == caller.tag)
    }

    @Test func theCallOfTheFarEndIsFollowedToItsAnswer() throws {
        let (harness, _, caller, refer) = try referred()
        harness.receive(Callee.response(202, to: refer), from: Harness.udp)
        #expect(told(harness) == [.accepted])
        notify(harness, caller, 2, 100)
        notify(harness, caller, 3, 180)
        notify(harness, caller, 4, 180)
        #expect(told(harness) == [.ringing])
        notify(harness, caller, 5, 200, state: "terminated;reason=noresource")
        #expect(told(harness) == [.succeeded])
        // What is told after the end is answered, and means nothing.
        notify(harness, caller, 6, 486, state: "terminated")
        harness.advance(.seconds(70))
        #expect(told(harness) == [] && harness.statuses == [200, 200, 200, 200, 200])
    }

    @Test func aNotifyMayComeBeforeTheAnswer() throws {
        let (harness, _, caller, refer) = try referred()
        notify(harness, caller, 2, 100)
        harness.receive(Callee.response(202, to: refer), from: Harness.udp)
        #expect(told(harness) == [.accepted])
        notify(harness, caller, 3, nil, state: "terminated;reason=giveup")
        #expect(told(harness) == [.failed(status: 500)])
    }

    @Test func refusalsAndSilence() throws {
        var (harness, call, caller, request) = try referred()
        harness.receive(Callee.response(603, to: request), from: Harness.udp)
        #expect(told(harness) == [.failed(status: 603)])
        // Once more, of which nothing is heard.
        refer(harness, call)
        harness.advance(.seconds(33))
        #expect(told(harness) == [.failed(status: 408)])
        (harness, call, caller, request) = try referred()
        harness.receive(Callee.response(202, to: request), from: Harness.udp)
        // One at a time.
        refer(harness, call)
        #expect(told(harness) == [.accepted, .failed(status: 481)])
        notify(harness, caller, 2, 486, state: "terminated", event: "refer;id=99")
        harness.advance(.seconds(61))
        #expect(told(harness) == [.failed(status: 408)])
    }

    @Test func whatNobodyAskedForIsRefused() throws {
        let (harness, _, caller, _) = try referred()
        notify(harness, caller, 2, 200, event: "presence")
        #expect(harness.statuses == [489] && told(harness) == [])
        let fresh = Harness()
        let (_, other) = fresh.establish()
        _ = fresh.takeSent()
        notify(fresh, other, 2, 200)
        fresh.receive(Caller(callID: "none").request("NOTIFY", branch: "z9hG4bKx", extra: ["Event: refer"]))
        #expect(fresh.statuses == [481, 481])
        // And a phone's own REFER is not built.
        fresh.receive(other.request("REFER", branch: "z9hG4bKy", sequence: 3, extra: ["Refer-To: <sip:bob@example.com>"]))
        #expect(fresh.statuses.last == 405)
    }

    @Test func theEndOfTheCallIsTheEndOfIt() throws {
        let (harness, _, caller, _) = try referred()
        harness.receive(caller.request("BYE", branch: "z9hG4bKbye", sequence: 2))
        harness.advance(.seconds(70))
        #expect(told(harness) == [] && harness.isIdle)
    }
}
