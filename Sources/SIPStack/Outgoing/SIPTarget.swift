/// One host a call may be sent to: what is written, and where the bytes go. The endpoint resolves no names.
public struct SIPTarget: Hashable, Sendable, CustomStringConvertible {
    /// For the Request-URI and To: a name or an address, IPv6 without brackets.
    public var host: String
    /// For the Request-URI; nil leaves it out.
    public var port: Int?
    public var transport: SIPTransport
    /// Numeric address and port to send to.
    public var address: SIPAddress

    public init(host: String, port: Int? = nil, transport: SIPTransport = .udp, address: SIPAddress) {
        self.host = host
        self.port = port
        self.transport = transport
        self.address = address
    }

    /// A host that is written as the address it has.
    public init(_ address: SIPAddress, transport: SIPTransport = .udp) {
        self.init(host: address.host, port: address.port, transport: transport, address: address)
    }

    /// `host:port` as in a URI.
    var authority: String {
        let host = host.contains(":") ? "[\(host)]" : host
        return port.map { "\(host):\($0)" } ?? host
    }

    var transportParameter: String { transport == .udp ? "" : ";transport=\(transport.rawValue)" }

    public var description: String { "\(transport.rawValue):\(authority)" }
}
