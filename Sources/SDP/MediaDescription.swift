/// One media section: an `m=` line and what follows it (RFC 8866 section 5.14). Bandwidth and keys (`b=`, `k=`) are ignored.
public struct MediaDescription: Sendable, Hashable, AttributeContainer {
    /// `audio`, `video`, `application`, `image`, or whatever else the peer wrote.
    public var kind: String
    /// 0 to 65535; 0 rejects or ends the section.
    public var port: Int
    /// The transport protocol as written: `RTP/AVP`, `UDP/TLS/RTP/SAVPF` and the like.
    public var transportProtocol: String
    /// Payload types for RTP, anything else for other protocols; as written, in order of preference.
    public var formats: [String]
    /// The section's own `c=` line.
    public var connection: Connection?
    public var attributes: [Attribute]

    public init(
        kind: String, port: Int, transportProtocol: String, formats: [String],
        connection: Connection? = nil, attributes: [Attribute] = []
    ) {
        self.kind = kind
        self.port = port
        self.transportProtocol = transportProtocol
        self.formats = formats
        self.connection = connection
        self.attributes = attributes
    }

    /// Reads what follows `m=`; nil without a kind, a port and a protocol. A count after the port (`/2`) is dropped.
    init?(parsing value: Substring) {
        let fields = value.fields()
        guard fields.count >= 3, let port = fields[1].cut(at: UInt8(ascii: "/")).0.decimal, port <= 65535 else { return nil }
        self.init(
            kind: String(fields[0]), port: port, transportProtocol: String(fields[2]),
            formats: fields.dropFirst(3).map(String.init))
    }

    /// Whether it is an audio section.
    public var isAudio: Bool { kind.lowercased() == "audio" }

    /// Whether its protocol is RTP under SRTP (`…/SAVP`, `…/SAVPF`).
    public var isSecureRTP: Bool {
        let name = transportProtocol.uppercased()
        return name.hasSuffix("RTP/SAVP") || name.hasSuffix("RTP/SAVPF")
    }

    /// Whether its protocol is RTP in the clear (`RTP/AVP`, `RTP/AVPF`).
    public var isPlainRTP: Bool {
        let name = transportProtocol.uppercased()
        return name == "RTP/AVP" || name == "RTP/AVPF"
    }

    var line: String {
        // An `m=` line needs at least one format (RFC 8866); what it is does not matter in a rejected section.
        let list = formats.isEmpty ? "0" : formats.joined(separator: " ")
        return "\(kind) \(port) \(transportProtocol) \(list)"
    }
}
