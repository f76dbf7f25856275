/// One INVITE of ours, and what is made of it: the ACK of a refusal (RFC 3261 17.1.1.3) and the CANCEL (9.1).
struct InviteRequest: Sendable {
    let uri: String
    let via: String
    let branch: String
    let maxForwards: Int
    let from: [UInt8]
    /// The one in `from`.
    let tag: String
    /// Without a tag: the far end gives it one.
    let to: [UInt8]
    let callID: String
    let sequence: UInt32
    /// Authorization and Proxy-Authorization, which the ACK of a 2xx repeats (RFC 3261 22.1).
    let authorization: [(String, String)]

    /// `own` fields are ours, `foreign` ones the user's.
    func bytes(own: [(String, String)], foreign: [SIPHeaderField], offer: String) -> [UInt8] {
        var writer = begin("INVITE", to: to)
        for (name, value) in own { writer.add(name, value) }
        writer.addForeign(authorization)
        writer.addForeign(foreign.map { ($0.name, $0.value) })
        return writer.finished(body: Array(offer.utf8), type: SIPEndpoint.sessionDescriptionType)
    }

    func cancel(reason: SIPReason?) -> [UInt8] {
        var writer = begin("CANCEL", to: to)
        if let reason { writer.addForeign([("Reason", reason.value)]) }
        return writer.finished()
    }

    /// `to` as the refusal has it.
    func acknowledgement(to: [UInt8]) -> [UInt8] { begin("ACK", to: to).finished() }

    private func begin(_ method: String, to: [UInt8]) -> MessageWriter {
        var writer = MessageWriter(startLine: "\(method) \(uri) SIP/2.0")
        writer.add("Via", via)
        writer.add("Max-Forwards", String(maxForwards))
        writer.add("From", from)
        writer.add("To", to)
        writer.add("Call-ID", callID)
        writer.add("CSeq", "\(sequence) \(method)")
        return writer
    }
}
