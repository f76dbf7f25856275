/// Where a SIP message came from or goes to: a numeric IP address (IPv6 without brackets) and a port.
public struct SIPAddress: Hashable, Sendable, CustomStringConvertible {
    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// The transports of RFC 3261 18 that the gateway speaks.
public enum SIPTransport: String, Sendable, Hashable, CaseIterable {
    case udp, tcp, tls

    /// TCP and TLS deliver or break; nothing is retransmitted over them but a 2xx (RFC 3261 13.3.1.4).
    public var isReliable: Bool { self != .udp }
}

/// The way of a message: transport, far address, and which of our sockets.
public struct SIPFlow: Hashable, Sendable {
    public var transport: SIPTransport
    public var remote: SIPAddress
    /// The driver's number of the TCP or TLS connection. 0 for UDP; 0 for TCP means that no connection is known and the driver opens one.
    public var connection: UInt64
    /// Index of the listening socket in ``SIPEndpoint/Configuration/listeners``.
    public var listener: Int

    public init(transport: SIPTransport, remote: SIPAddress, connection: UInt64 = 0, listener: Int) {
        self.transport = transport
        self.remote = remote
        self.connection = connection
        self.listener = listener
    }
}
