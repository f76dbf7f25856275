/// One ICE candidate (RFC 8839 section 5.1), with or without `candidate:` or `a=candidate:` before it.
public struct CandidateLine: Sendable, Hashable {
    public var foundation: String
    /// 1 for RTP, 2 for RTCP.
    public var component: Int
    /// `udp` or `tcp`, in lower case.
    public var transport: String
    public var priority: UInt32
    /// A numeric address, or a name such as the `….local` browsers hide their addresses behind.
    public var address: String
    public var port: Int
    /// `host`, `srflx`, `prflx` or `relay`.
    public var type: String
    /// What follows the type, in pairs: `raddr`, `rport`, `tcptype`, `generation`, `ufrag` and others.
    public var extensions: [String: String]

    public init(
        foundation: String, component: Int = 1, transport: String = "udp", priority: UInt32,
        address: String, port: Int, type: String = "host", extensions: [String: String] = [:]
    ) {
        self.foundation = foundation
        self.component = component
        self.transport = transport
        self.priority = priority
        self.address = address
        self.port = port
        self.type = type
        self.extensions = extensions
    }

    public init?(parsing text: String) {
        var rest = text[...].trimmed()
        for prefix in ["a=", "candidate:"] where rest.utf8.starts(with: prefix.utf8) {
            rest = Substring(rest.utf8.dropFirst(prefix.utf8.count))
        }
        let fields = rest.fields().map(String.init)
        guard fields.count >= 8, fields[6].lowercased() == "typ",
            let component = fields[1].decimal, (1...256).contains(component),
            let number = fields[3].decimal, let priority = UInt32(exactly: number),
            let port = fields[5].decimal, port <= 65535
        else { return nil }
        self.init(
            foundation: fields[0], component: component, transport: fields[2].lowercased(), priority: priority,
            address: fields[4], port: port, type: fields[7].lowercased())
        var index = 8
        while index + 1 < fields.count {
            extensions[fields[index].lowercased()] = fields[index + 1]
            index += 2
        }
    }

    /// A host candidate over UDP. `rank` 0 is the one preferred (RFC 8445 section 5.1.2: type preference 126, component 1).
    public static func host(address: String, port: Int, rank: Int) -> CandidateLine {
        let localPreference = UInt32(max(0, 65535 - max(0, rank)))
        let priority = UInt32(126) << 24 | localPreference << 8 | UInt32(255)
        return CandidateLine(foundation: "\(max(0, rank) &+ 1)", priority: priority, address: address, port: port)
    }

    /// What stands after `a=candidate:`; extensions in alphabetical order, `raddr` and `rport` first.
    public var value: String {
        var text = "\(foundation) \(component) \(transport) \(priority) \(address) \(port) typ \(type)"
        let leading = ["raddr", "rport", "tcptype"]
        for name in leading + extensions.keys.sorted().filter({ !leading.contains($0) }) {
            if let value = extensions[name] { text += " \(name) \(value)" }
        }
        return text
    }
}
