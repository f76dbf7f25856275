/// What every response to one request has in common (RFC 3261 8.2.6): the fields given back, and where the response goes.
struct ResponseTemplate: Sendable {
    /// The way back (RFC 3261 18.2.2, RFC 3581 4).
    var flow: SIPFlow
    private let vias: [[UInt8]]
    private let from: [UInt8]?
    private let to: [UInt8]?
    private let toHasTag: Bool
    private let callID: [UInt8]?
    private let sequence: [UInt8]?
    private let recordRoutes: [[UInt8]]

    /// The topmost Via is rewritten with received and rport; one that could not be read whole is given back as it came.
    init(headers: [SIPHeader], via: Via, flow: SIPFlow, honoursMaddr: Bool) {
        var vias = headers.all("via").map(\.value)
        if !vias.isEmpty, via.problem == nil { vias[0] = via.received(from: flow.remote) }
        self.vias = vias
        from = headers.first("from")?.value
        to = headers.first("to")?.value
        toHasTag = to.flatMap { value in try? NameAddress(reading: value, field: "To") }?.tag != nil
        callID = headers.first("call-id")?.value
        sequence = headers.first("cseq")?.value
        recordRoutes = headers.all("record-route").map(\.value)
        self.flow = Self.destination(via: via, flow: flow, honoursMaddr: honoursMaddr)
    }

    /// RFC 3261 18.2.2: reliable transports answer on the connection; UDP to maddr, to the source with rport, else to the source's address at the sender's port.
    private static func destination(via: Via, flow: SIPFlow, honoursMaddr: Bool) -> SIPFlow {
        guard !flow.transport.isReliable else { return flow }
        var flow = flow
        if honoursMaddr, let maddr = via.parameters[name: "maddr"]?.value, NumericAddress.isNumeric(maddr) {
            flow.remote = SIPAddress(host: maddr, port: via.port ?? 5060)
        } else if via.parameters.index("rport") == nil {
            flow.remote.port = via.port ?? 5060
        }
        return flow
    }

    /// The connection is gone: the next response opens one to the sender's own port (RFC 3261 18.2.2).
    mutating func connectionClosed(sentByPort: Int?) {
        flow.connection = 0
        flow.remote.port = sentByPort ?? (flow.transport == .tls ? 5061 : 5060)
    }

    /// The To field's value with our tag, as responses and later requests of the dialog carry it.
    func localIdentity(tag: String?) -> [UInt8]? {
        guard let to, let tag, !toHasTag else { return to }
        return to + Array(";tag=\(tag)".utf8)
    }

    /// Begins a response; the caller adds what is particular and finishes it.
    func begin(_ status: Int, reason: String? = nil, tag: String?, recordRoute: Bool = false) -> MessageWriter {
        var writer = MessageWriter(startLine: "SIP/2.0 \(status) \(reason ?? StatusText.phrase(status))")
        for via in vias { writer.add("Via", via) }
        if recordRoute { for route in recordRoutes { writer.add("Record-Route", route) } }
        if let from { writer.add("From", from) }
        if let to = localIdentity(tag: status == 100 ? nil : tag) { writer.add("To", to) }
        if let callID { writer.add("Call-ID", callID) }
        if let sequence { writer.add("CSeq", sequence) }
        return writer
    }
}
