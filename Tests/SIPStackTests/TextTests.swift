import NIOCore
import Testing

@testable import SIPStack

/// Texts by MESSAGE, ours and the far end's (RFC 3428), or by INFO.
@Suite struct TextTests {
    private func established(allow: String? = nil, flow: SIPFlow = Harness.udp) -> (Harness, SIPCallID, Caller) {
        let harness = Harness()
        let (call, caller) = harness.establish(flow: flow, extra: allow.map { ["Allow: \($0)"] } ?? [])
        _ = harness.takeSent()
        _ = harness.takeEvents()
        return (harness, call, caller)
    }

    private func say(_ harness: Harness, _ call: SIPCallID, _ reference: Int64, _ text: String, type: String = "text/plain") {
        harness.run { $0.sendText(call, reference: reference, contentType: type, body: Array(text.utf8), now: $1, into: &$2) }
    }

    private func refused(_ harness: Harness) -> [String] {
        harness.takeEvents().compactMap { if case .textRefused(_, let reference, let status) = $0 { "\(reference) \(status)" } else { nil } }
    }

    private func messages(_ harness: Harness) -> [SIPTextMessage] {
        harness.takeEvents().compactMap { if case .message(let message) = $0 { message } else { nil } }
    }

    @Test func oneAfterTheOther() throws {
        let (harness, call, _) = established()
        say(harness, call, 1, "one")
        say(harness, call, 2, "two")
        let first = try #require(harness.takeSent().first)
        #expect(first.startLine == "MESSAGE sip:alice@192.0.2.15:5060 SIP/2.0" && first.body == "one" && first["Content-Type"] == "text/plain")
        harness.advance(.milliseconds(600))
        #expect(harness.takeSent().map(\.text) == [first.text])
        harness.receive(Callee.response(200, to: first), from: Harness.udp)
        let second = try #require(harness.takeSent().first)
        #expect(second.body == "two" && second["CSeq"] == "2 MESSAGE")
        harness.receive(Callee.response(415, to: second), from: Harness.udp)
        #expect(refused(harness) == ["2 415"])
        say(harness, call, 3, "three")
        harness.advance(.seconds(40))
        #expect(refused(harness) == ["3 408"])
    }

    @Test func whatIsNotSent() throws {
        let (harness, call, _) = established()
        say(harness, call, 1, "no", type: "text/plain\r\nVia: x")
        say(harness, call, 2, "no", type: "image/png")
        say(harness, call, 3, String(repeating: "x", count: 1300))
        say(harness, SIPCallID(99), 4, "no")
        #expect(harness.takeSent().isEmpty && refused(harness) == ["1 415", "2 415", "3 513", "4 481"])
        for reference in Int64(10)...42 { say(harness, call, reference, "many") }
        #expect(harness.takeSent().count == 1 && refused(harness) == ["42 503"])
        let (tcp, long, _) = established(flow: Harness.tcp)
        say(tcp, long, 1, String(repeating: "x", count: 1300))
        #expect(tcp.takeSent().first?.body.utf8.count == 1300)
        let (deaf, other, _) = established(allow: "INVITE, ACK, BYE")
        say(deaf, other, 1, "no")
        #expect(deaf.takeSent().isEmpty && refused(deaf) == ["1 405"])
    }

    @Test func byInfoWhereThatIsAllThatIsTaken() throws {
        let (harness, call, _) = established(allow: "INVITE, ACK, BYE, INFO")
        say(harness, call, 1, "one")
        // A key in between is not taken for it.
        harness.run { $0.sendInfo(call, contentType: "application/dtmf-relay", body: Array("Signal=5".utf8), now: $1, into: &$2) }
        let sent = harness.takeSent()
        #expect(sent.map(\.method) == ["INFO", "INFO"])
        harness.receive(Callee.response(500, to: try #require(sent.last)), from: Harness.udp)
        #expect(refused(harness) == [])
        harness.receive(Callee.response(500, to: try #require(sent.first)), from: Harness.udp)
        #expect(refused(harness) == ["1 500"])
    }

    @Test func textsWithinACallAndOutsideOfAny() throws {
        let (harness, call, caller) = established()
        harness.receive(caller.request("MESSAGE", branch: "z9hG4bKm1", sequence: 2, body: "hello", type: "text/plain"))
        let within = try #require(messages(harness).first)
        #expect(within.call == call && within.text == "hello" && within.contentType == "text/plain" && harness.takeSent().isEmpty)
        harness.run { $0.answerMessage(within, status: 200, now: $1, into: &$2) }
        #expect(harness.statuses == [200])
        harness.receive(Caller(callID: "other").request("MESSAGE", branch: "z9hG4bKm2", body: "hi", type: "text/html"))
        let outside = try #require(messages(harness).first)
        #expect(outside.call == nil && outside.from.user == "alice" && outside.requested.user == "+14155550123")
        harness.run { $0.answerMessage(outside, status: 404, now: $1, into: &$2) }
        harness.receive(Caller(callID: "third", toTag: "none").request("MESSAGE", branch: "z9hG4bKm3", body: "hi", type: "text/plain"))
        #expect(harness.statuses == [200, 404, 481])
    }

    @Test func whatIsNotTaken() {
        let (harness, _, caller) = established()
        func send(_ number: Int, _ body: String, type: String, extra: [String] = []) {
            harness.receive(caller.request("MESSAGE", branch: "z9hG4bKm\(number)", sequence: number, extra: extra, body: body, type: type))
        }
        send(2, "x", type: "image/png")
        send(3, "x", type: "text/plain", extra: ["Content-Encoding: gzip"])
        send(4, String(repeating: "x", count: 16_385), type: "text/plain")
        #expect(harness.statuses == [415, 415, 413] && harness.sent.first?.message["Accept"]?.hasPrefix("text/plain") == true)
        #expect(messages(harness).isEmpty)
    }
}
