/// Which side of the handshake we are (RFC 8842, `a=setup`).
public enum DTLSRole: Sendable, Hashable {
    /// The client: we send the ClientHello, once the first check came.
    case active
    /// The server.
    case passive
}
