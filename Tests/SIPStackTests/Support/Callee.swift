import NIOCore

@testable import SIPStack

/// Writes what a called phone says, as text, and orders calls to it.
enum Callee {
    static let address = SIPAddress(host: "198.51.100.7", port: 5060)
    static let second = SIPAddress(host: "198.51.100.8", port: 5060)
    static let flow = SIPFlow(transport: .udp, remote: address, listener: 0)
    static let id = SIPCallID.outgoing(1)

    static func order(
        id: SIPCallID = id, number: String = "+14155550123", targets: [SIPTarget] = [SIPTarget(address)],
        from: SIPCallerID = SIPCallerID(user: "+14155550100"), headers: [SIPHeaderField] = [], credentials: SIPCredentials? = nil,
        maxForwards: Int = 70, ringLimit: TimeAmount = .seconds(60), path: [String] = []
    ) throws(SIPOrderError) -> SIPCallOrder {
        try SIPCallOrder(
            id: id, number: number, targets: targets, from: from, headers: headers, offer: Harness.ourSDP, credentials: credentials,
            maxForwards: maxForwards, ringLimit: ringLimit, path: path)
    }

    /// A response to any request of ours. `extra` are whole lines.
    static func response(_ status: Int, to request: ParsedMessage, tag: String? = "callee1", extra: [String] = [], body: String = "") -> String {
        var lines = ["SIP/2.0 \(status) Reason \(status)"]
        for name in ["Via", "From", "Call-ID", "CSeq"] { lines += request.all(name).map { "\(name): \($0)" } }
        let to = request["To"] ?? ""
        lines.append("To: \(to)" + (status > 100 && request.toTag == nil ? tag.map { ";tag=\($0)" } ?? "" : ""))
        if (101...299).contains(status), request.method == "INVITE", !extra.contains(where: { $0.hasPrefix("Contact") }) {
            lines.append("Contact: <sip:callee@198.51.100.7:5070>")
        }
        lines += extra
        if !body.isEmpty { lines.append("Content-Type: application/sdp") }
        lines.append("Content-Length: \(body.utf8.count)")
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    /// A request of the phone within the call that `invite` began.
    static func request(_ method: String, in invite: ParsedMessage, tag: String = "callee1", sequence: Int, extra: [String] = [], body: String = "") -> String {
        var lines = ["\(method) sip:203.0.113.10:5060 SIP/2.0", "Via: SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bKcallee\(method)\(sequence)"]
        lines += ["Max-Forwards: 70", "From: \(invite["To"] ?? "");tag=\(tag)", "To: \(invite["From"] ?? "")"]
        lines += ["Call-ID: \(invite["Call-ID"] ?? "")", "CSeq: \(sequence) \(method)", "Contact: <sip:callee@198.51.100.7:5071>"]
        lines += extra
        if !body.isEmpty { lines.append("Content-Type: application/sdp") }
        lines.append("Content-Length: \(body.utf8.count)")
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }
}

extension Harness {
    /// Orders a call and returns its first INVITE.
    func dial(_ order: SIPCallOrder) -> ParsedMessage? {
        run { $0.call(order, now: $1, into: &$2) }
        return invites.last
    }

    /// INVITEs sent since the last `takeSent`.
    var invites: [ParsedMessage] { sent.map(\.message).filter { $0.method == "INVITE" } }

    func respond(_ status: Int, to request: ParsedMessage, tag: String? = "callee1", extra: [String] = [], body: String = "") {
        receive(Callee.response(status, to: request, tag: tag, extra: extra, body: body), from: Callee.flow)
    }

    var failure: SIPFailure? {
        for case .failed(_, let failure) in events { return failure }
        return nil
    }

    /// Outputs that end a call.
    var terminals: Int {
        events.count { event in
            switch event {
            case .failed, .ended: true
            default: false
            }
        }
    }

    var answers: [String?] {
        events.compactMap { event in if case .answered(_, let answer, _) = event { .some(answer) } else { nil } }
    }
}
