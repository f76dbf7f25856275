import NIOCore
import Testing

@testable import SIPStack

/// Where responses and requests of ours go.
@Suite struct RoutingTests {
    private func flow(_ host: String, _ port: Int) -> SIPFlow { SIPFlow(transport: .udp, remote: SIPAddress(host: host, port: port), listener: 0) }

    private func answer(via: String, from flow: SIPFlow) -> (flow: SIPFlow?, via: String?) {
        let harness = Harness()
        var caller = Caller()
        caller.via = via
        harness.receive(caller.request("OPTIONS"), from: flow)
        return (harness.sent.last?.flow, harness.sent.last?.message["Via"])
    }

    @Test func responsesGoWhereViaSays() {
        let source = flow("198.51.100.4", 33_000)
        let plain = answer(via: "SIP/2.0/UDP 10.0.0.5:5070", from: source)
        #expect(plain.flow?.remote == SIPAddress(host: "198.51.100.4", port: 5_070))
        #expect(plain.via == "SIP/2.0/UDP 10.0.0.5:5070;branch=z9hG4bKinvite1;received=198.51.100.4")
        let name = answer(via: "SIP/2.0/UDP phone.example.com", from: source)
        #expect(name.flow?.remote == SIPAddress(host: "198.51.100.4", port: 5_060))
        let rport = answer(via: "SIP/2.0/UDP 10.0.0.5:5070;rport", from: source)
        #expect(rport.flow?.remote == SIPAddress(host: "198.51.100.4", port: 33_000))
        #expect(rport.via == "SIP/2.0/UDP 10.0.0.5:5070;rport=33000;branch=z9hG4bKinvite1;received=198.51.100.4")
        let lying = answer(via: "SIP/2.0/UDP 10.0.0.5;received=203.0.113.1", from: source)
        #expect(lying.flow?.remote.host == "198.51.100.4" && lying.via?.contains("203.0.113.1") == false)
        let maddr = answer(via: "SIP/2.0/UDP 10.0.0.5:5070;maddr=192.0.2.77", from: source)
        #expect(maddr.flow?.remote == SIPAddress(host: "192.0.2.77", port: 5_070))
        let six = answer(via: "SIP/2.0/UDP [2001:db8::9]:5062", from: flow("2001:db8::9", 5_062))
        #expect(six.flow?.remote == SIPAddress(host: "2001:db8::9", port: 5_062))
        #expect(six.via == "SIP/2.0/UDP [2001:db8::9]:5062;branch=z9hG4bKinvite1")
    }

    /// A stranger's maddr must not make us send to a third host.
    @Test func strangersAreAnsweredAtTheirSource() {
        let harness = Harness()
        var caller = Caller()
        caller.via = "SIP/2.0/UDP 10.0.0.5:5070;maddr=192.0.2.77"
        harness.receive(caller.request("OPTIONS"), from: flow("198.51.100.4", 33_000), known: false)
        #expect(harness.sent.last?.flow.remote == SIPAddress(host: "198.51.100.4", port: 5_070))
    }

    @Test func recordRouteComesBackAndMakesTheRoute() {
        let harness = Harness()
        let (call, _) = harness.establish(extra: [
            "Record-Route: <sip:192.0.2.60:5080;lr>;x=1, <sip:edge.example.com;lr>", "Record-Route: <sip:core.example.com;lr;ftag=1>",
        ])
        let ok = harness.takeSent().last { $0.status == 200 }
        #expect(ok?.all("Record-Route") == ["<sip:192.0.2.60:5080;lr>;x=1, <sip:edge.example.com;lr>", "<sip:core.example.com;lr;ftag=1>"])
        harness.run { $0.hangUp(call, now: $1, into: &$2) }
        let bye = harness.sent.last
        #expect(bye?.message.requestURI == "sip:alice@192.0.2.15:5060")
        #expect(bye?.message.all("Route") == ["<sip:192.0.2.60:5080;lr>;x=1", "<sip:edge.example.com;lr>", "<sip:core.example.com;lr;ftag=1>"])
        #expect(bye?.flow.remote == SIPAddress(host: "192.0.2.60", port: 5_080))
    }

    @Test func aStrictRouterGetsItselfAsRequestURI() {
        let harness = Harness()
        let (call, _) = harness.establish(extra: ["Record-Route: <sip:192.0.2.60>, <sip:core.example.com;lr>"])
        harness.run { $0.hangUp(call, now: $1, into: &$2) }
        let bye = harness.sent.last
        #expect(bye?.message.requestURI == "sip:192.0.2.60")
        #expect(bye?.message.all("Route") == ["<sip:core.example.com;lr>", "<sip:alice@192.0.2.15:5060>"])
        #expect(bye?.flow.remote == SIPAddress(host: "192.0.2.60", port: 5_060))
    }

    /// The Contact is used where it can be reached, else the source.
    @Test func theTargetOrTheSource() {
        let cases: [(contact: String, source: SIPFlow, expected: SIPAddress)] = [
            ("<sip:alice@192.0.2.20:5070>", flow("192.0.2.15", 5060), SIPAddress(host: "192.0.2.20", port: 5_070)),
            ("<sip:alice@10.0.0.5:5070>", flow("192.0.2.15", 33_000), SIPAddress(host: "192.0.2.15", port: 33_000)),
            ("<sip:alice@10.0.0.5:5070>", flow("10.0.0.1", 5060), SIPAddress(host: "10.0.0.5", port: 5_070)),
            ("<sip:alice@127.0.0.1:5070>", flow("10.0.0.1", 5060), SIPAddress(host: "10.0.0.1", port: 5_060)),
            ("<sip:alice@phone.example.com:5070>", flow("192.0.2.15", 5060), SIPAddress(host: "192.0.2.15", port: 5_060)),
            ("<sip:alice@192.0.2.20:5070;transport=tcp>", flow("192.0.2.15", 5060), SIPAddress(host: "192.0.2.15", port: 5_060)),
            ("<sip:alice@192.0.2.20>", flow("192.0.2.15", 5060), SIPAddress(host: "192.0.2.20", port: 5_060)),
        ]
        for item in cases {
            let harness = Harness()
            var caller = Caller()
            caller.contact = item.contact
            let (call, _) = harness.establish(caller, flow: item.source)
            harness.run { $0.hangUp(call, now: $1, into: &$2) }
            #expect(harness.sent.last?.message.method == "BYE" && harness.sent.last?.flow.remote == item.expected, "\(item.contact)")
        }
    }

    @Test func overTCPEverythingStaysOnTheConnection() {
        let harness = Harness()
        let (call, _) = harness.establish(flow: Harness.tcp)
        #expect(harness.sent.allSatisfy { $0.flow == Harness.tcp })
        #expect(harness.takeSent().last?["Contact"] == "<sip:203.0.113.10:5060;transport=tcp>")
        harness.run { $0.hangUp(call, now: $1, into: &$2) }
        #expect(harness.sent.last?.flow == Harness.tcp)
        #expect(harness.sent.last?.message["Via"]?.hasPrefix("SIP/2.0/TCP 203.0.113.10:5060;branch=z9hG4bK") == true)
        harness.advance(.seconds(10))
        #expect(harness.sent.count == 1, "no repetition over TCP")
    }

    @Test func aBrokenConnectionEndsOnlyCallsNotYetUp() {
        let ringing = Harness()
        ringing.receive(Caller().invite(), from: Harness.tcp)
        let call = ringing.incoming?.id ?? SIPCallID(0)
        ringing.run { $0.connectionClosed(7, now: $1, into: &$2) }
        guard case .ended(call, .transportLost)? = ringing.takeEvents().last else {
            Issue.record("not ended")
            return
        }
        #expect(ringing.isIdle)

        let up = Harness()
        let (established, caller) = up.establish(flow: Harness.tcp)
        _ = up.takeSent()
        _ = up.takeEvents()
        up.run { $0.connectionClosed(7, now: $1, into: &$2) }
        #expect(up.takeEvents().isEmpty && up.endpoint.counters.dialogsAlive == 1)
        // Our BYE opens a connection to the Contact.
        var other = up.endpoint
        var out: [SIPOutput] = []
        other.hangUp(established, now: up.now, into: &out)
        guard case .send(_, let flow)? = out.first else {
            Issue.record("no BYE")
            return
        }
        #expect(flow.connection == 0 && flow.transport == .tcp && flow.remote == SIPAddress(host: "192.0.2.15", port: 5_060))
        // Theirs may come on a new one.
        var again = Harness.tcp
        again.connection = 8
        up.receive(caller.request("BYE", branch: "z9hG4bKbye", sequence: 2), from: again)
        #expect(up.sent.last?.flow == again && up.sent.last?.message.status == 200)
    }

    @Test func noiseOnAStreamClosesIt() {
        let harness = Harness()
        harness.receive("nonsense\r\n\r\n", from: Harness.tcp)
        #expect(harness.closed == [7])
    }
}
