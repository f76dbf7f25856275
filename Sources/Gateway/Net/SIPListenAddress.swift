import SIPStack

/// One address to listen on for SIP. Port 0 takes any free one.
struct SIPListenAddress: Hashable, Sendable, CustomStringConvertible {
    var transport: SIPTransport
    /// Numeric, or a name the system resolves; IPv6 without brackets.
    var host: String
    var port: Int

    /// As the configuration and the ready line write it.
    var description: String { "\(transport.rawValue):\(SIPAddress(host: host, port: port))" }
}
