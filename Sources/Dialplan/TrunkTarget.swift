/// One host of a trunk as calls out are addressed to it.
public struct TrunkTarget: Sendable, Hashable {
    /// A name, or a numeric address without brackets.
    public let host: String
    public let port: Int
    /// `udp`, `tcp` or `tls`.
    public let transport: String
    /// `sips:` instead of `sip:`.
    public let isSecure: Bool

    /// - Parameters:
    ///   - port: nil for the transport's default, 5061 for TLS and 5060 else (RFC 3261 19.1.2).
    ///   - transport: nil for the default, TLS for `sips:` and UDP else.
    public init(host: String, port: Int? = nil, transport: String? = nil, isSecure: Bool = false) {
        let transport = transport ?? (isSecure ? "tls" : "udp")
        self.host = host
        self.port = port ?? (transport == "tls" ? 5061 : 5060)
        self.transport = transport
        self.isSecure = isSecure
    }

    /// `198.51.100.7:5060`, an IPv6 address in brackets.
    public var address: String {
        "\(host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host):\(port)"
    }

    /// The Request-URI of an INVITE for a number: `sip:+14155550100@198.51.100.7:5060;transport=udp`.
    public func uri(for number: String) -> String {
        "\(isSecure ? "sips" : "sip"):\(TrunkTarget.escaped(number))@\(address);transport=\(transport)"
    }

    /// A number as the user part of a SIP URI writes it (RFC 3261 25.1): `#` and whatever else may not stand there is escaped.
    public static func escaped(_ number: String) -> String {
        var result = ""
        for byte in number.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: result.unicodeScalars.append(Unicode.Scalar(byte))
            case _ where "-_.!~*'()&=+$,".utf8.contains(byte): result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += (digits.count == 1 ? "%0" : "%") + digits
            }
        }
        return result
    }
}
