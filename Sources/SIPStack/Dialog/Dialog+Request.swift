/// Requests within the dialog (RFC 3261 12.2.1.1) and the way they take.
extension Dialog {
    /// Builds the next request; `via` is this side's, and `contact` where the request needs one.
    mutating func request(_ method: String, via: String, contact: String? = nil, fields: [(String, String)], body: [UInt8] = [], type: String? = nil) -> [UInt8] {
        localSequence += 1
        return write(method, sequence: localSequence, via: via, contact: contact, fields: fields, body: body, type: type)
    }

    /// The ACK of a 2xx to an INVITE of ours, whose CSeq number it repeats (RFC 3261 13.2.2.4).
    func acknowledgement(sequence: UInt32, via: String, fields: [(String, String)]) -> [UInt8] {
        write("ACK", sequence: sequence, via: via, fields: fields)
    }

    /// The target, or a strict router (RFC 2543), which wants itself there.
    var requestURI: String {
        guard let first = routes.first, !Self.isLooseRouter(first.uri) else { return Self.withoutHeaders(remoteTarget) }
        return Self.withoutHeaders(first.uri)
    }

    private func write(
        _ method: String, sequence: UInt32, via: String, contact: String? = nil, fields: [(String, String)], body: [UInt8] = [], type: String? = nil
    ) -> [UInt8] {
        var routes = routes.map { "<\($0.uri)>\($0.parameters.map(\.text).joined())" }
        if let first = self.routes.first, !Self.isLooseRouter(first.uri) {
            // The strict router is in the Request-URI, so the target comes last in the routes.
            routes.removeFirst()
            routes.append("<\(remoteTarget)>")
        }
        var writer = MessageWriter(startLine: "\(method) \(requestURI) SIP/2.0")
        writer.add("Via", via)
        writer.add("Max-Forwards", "70")
        for route in routes { writer.add("Route", route) }
        writer.add("From", localIdentity)
        writer.add("To", remoteIdentity)
        writer.add("Call-ID", key.callID)
        writer.add("CSeq", "\(sequence) \(method)")
        if let contact { writer.add("Contact", contact) }
        writer.addForeign(fields)
        return writer.finished(body: body, type: type)
    }

    /// Where that request goes: an open connection, else the first route or the target if it is numeric and reachable from here, else whence the far end's requests come.
    ///
    /// The engine resolves no names; and a private address given by a public peer is a phone behind NAT, which only its source reaches.
    var nextHop: SIPFlow {
        guard flow.connection == 0 else { return flow }
        var hop = flow
        guard let uri = SIPURI(routes.first?.uri ?? remoteTarget) else { return hop }
        if let transport = uri.parameters["transport"], transport.lowercased() != flow.transport.rawValue { return hop }
        let host = uri.parameters["maddr"] ?? uri.host
        let port = uri.port ?? (flow.transport == .tls ? 5061 : 5060)
        if NumericAddress.isReachable(host, for: flow.remote.host) {
            hop.remote = SIPAddress(host: host, port: port)
        } else if flow.transport.isReliable {
            // The closed connection's far port was an ephemeral one.
            hop.remote.port = port
        }
        return hop
    }

    private static func isLooseRouter(_ uri: String) -> Bool { SIPURI(uri)?.parameters["lr"] != nil }

    /// A URI's header part must not come into a Request-URI.
    private static func withoutHeaders(_ uri: String) -> String {
        let start = uri.lastIndex(of: "@") ?? uri.startIndex
        return uri[start...].firstIndex(of: "?").map { String(uri[..<$0]) } ?? uri
    }
}
