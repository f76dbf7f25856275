/// The `o=` line (RFC 8866 section 5.2). Identifier and version stay text: real peers write numbers of any length.
public struct Origin: Sendable, Hashable {
    public var username: String
    public var sessionIdentifier: String
    public var sessionVersion: String
    public var networkType: String
    public var addressType: String
    public var address: String

    public init(
        username: String = "-", sessionIdentifier: String = "0", sessionVersion: String = "0",
        networkType: String = "IN", addressType: String = "IP4", address: String = "0.0.0.0"
    ) {
        self.username = username
        self.sessionIdentifier = sessionIdentifier
        self.sessionVersion = sessionVersion
        self.networkType = networkType
        self.addressType = addressType
        self.address = address
    }

    /// Reads what follows `o=`. Fields that are missing keep their defaults, for nothing depends on them.
    init(parsing value: Substring) {
        self.init()
        let fields = value.fields()
        // A user name with spaces (seen from softphones) shifts the fields, so the last five are the fixed ones.
        guard fields.count >= 6 else { return }
        username = fields.dropLast(5).map(String.init).joined(separator: "_")
        let fixed = fields.suffix(5).map(String.init)
        sessionIdentifier = fixed[0]
        sessionVersion = fixed[1]
        networkType = fixed[2]
        addressType = fixed[3]
        address = fixed[4]
    }

    var line: String {
        "\(username) \(sessionIdentifier) \(sessionVersion) \(networkType) \(addressType) \(address)"
    }
}

/// The `c=` line (RFC 8866 section 5.7); a multicast time to live is dropped.
public struct Connection: Sendable, Hashable {
    public var networkType: String
    /// `IP4` or `IP6`.
    public var addressType: String
    /// A numeric address, or a host name as the peer wrote it.
    public var address: String

    /// An address of the internet; the address type follows from its form.
    public init(address: String) {
        networkType = "IN"
        addressType = address.utf8.contains(UInt8(ascii: ":")) ? "IP6" : "IP4"
        self.address = address
    }

    init?(parsing value: Substring) {
        let fields = value.fields()
        guard fields.count >= 3 else { return nil }
        networkType = String(fields[0])
        addressType = String(fields[1])
        address = String(fields[2].cut(at: UInt8(ascii: "/")).0)
        guard !address.isEmpty else { return nil }
    }

    /// `0.0.0.0` and `::`: the address that asks for no media (RFC 3264 section 8.4).
    public var isUnspecified: Bool {
        address.utf8.allSatisfy { $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") }
    }

    var line: String { "\(networkType) \(addressType) \(address)" }
}
