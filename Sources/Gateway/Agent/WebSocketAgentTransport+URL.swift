extension WebSocketAgentTransport {
    /// A WebSocket address (RFC 6455 section 3): `ws://host:port/path?query` or `wss://…`.
    struct URL: Sendable, Equatable {
        var isSecure: Bool
        /// A name or a numeric address, IPv6 without brackets.
        var host: String
        var port: Int
        /// Path and query, as the request line carries them.
        var target: String
        private var isNumeric: Bool

        /// Nil for anything else: other schemes, user or password, a fragment, port 0, characters a request line cannot have.
        init?(_ text: String) {
            let lowercased = text.lowercased()
            guard lowercased.hasPrefix("ws://") || lowercased.hasPrefix("wss://") else { return nil }
            guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }) else { return nil }
            isSecure = lowercased.hasPrefix("wss://")
            let rest = text.dropFirst(isSecure ? 6 : 5)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            // No host has an "@": userinfo, which would end up in logs, is refused here.
            guard let place = HostPort(authority, portRequired: false), place.port != 0 else { return nil }
            host = place.host
            isNumeric = place.isNumeric
            port = place.port ?? (isSecure ? 443 : 80)
            let path = rest.dropFirst(authority.count)
            target = path.hasPrefix("/") ? String(path) : "/" + path
        }

        /// The Host field (RFC 9110 7.2): the port only where it is not the scheme's own.
        var hostField: String {
            let name = host.contains(":") ? "[\(host)]" : host
            return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
        }

        /// What goes into SNI and is looked for in the certificate; nil for an address, which SNI cannot name (RFC 6066 section 3) and
        /// which is looked for as the address connected to.
        var serverName: String? { isNumeric ? nil : host }
    }
}
