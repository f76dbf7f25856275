@testable import SIPStack

/// Writes the messages of a phone that calls, as text.
struct Caller {
    var user = "alice"
    var callID = "call1@192.0.2.15"
    var tag = "from1"
    var branch = "z9hG4bKinvite1"
    var sequence = 1
    var via = "SIP/2.0/UDP 192.0.2.15:5060"
    var target = "sip:+14155550123@203.0.113.10"
    var contact = "<sip:alice@192.0.2.15:5060>"
    var toTag: String?

    /// Any request of the call. `extra` are whole lines without their ends.
    func request(
        _ method: String, branch: String? = nil, sequence: Int? = nil, cseqMethod: String? = nil, maxForwards: String? = "70",
        extra: [String] = [], body: String? = nil, type: String = "application/sdp"
    ) -> String {
        var lines = ["\(method) \(target) SIP/2.0", "Via: \(via);branch=\(branch ?? self.branch)"]
        if let maxForwards { lines.append("Max-Forwards: \(maxForwards)") }
        lines.append("From: \"Alice\" <sip:\(user)@192.0.2.15>;tag=\(tag)")
        lines.append("To: <\(target)>\(toTag.map { ";tag=\($0)" } ?? "")")
        lines.append("Call-ID: \(callID)")
        lines.append("CSeq: \(sequence ?? self.sequence) \(cseqMethod ?? method)")
        if method == "INVITE" || method == "UPDATE" { lines.append("Contact: \(contact)") }
        lines += extra
        if body != nil { lines.append("Content-Type: \(type)") }
        lines.append("Content-Length: \((body ?? "").utf8.count)")
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
    }

    func invite(body: String? = Harness.sdp, extra: [String] = []) -> String { request("INVITE", extra: extra, body: body) }

    /// The ACK of a 2xx has a branch of its own; that of a refusal the INVITE's (RFC 3261 13.2.2.4, 17.1.1.3).
    func ack(branch: String = "z9hG4bKack1", sequence: Int? = nil, body: String? = nil) -> String {
        request("ACK", branch: branch, sequence: sequence, body: body)
    }
}

extension Harness {
    /// A call up to our 200 and the ACK; returns its handle and the caller with our tag.
    func establish(_ caller: Caller = Caller(), flow: SIPFlow = Harness.udp, extra: [String] = []) -> (call: SIPCallID, caller: Caller) {
        var caller = caller
        receive(caller.invite(extra: extra), from: flow)
        let call = incoming?.id ?? SIPCallID(0)
        run { $0.accept(call, sdp: Harness.ourSDP, now: $1, into: &$2) }
        caller.toTag = sent.last?.message.toTag
        receive(caller.ack(), from: flow)
        return (call, caller)
    }
}
