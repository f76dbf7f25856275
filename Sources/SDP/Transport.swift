/// The `a=setup` attribute: who opens the DTLS association (RFC 4145 section 4, RFC 8842 section 5).
public enum SetupRole: String, Sendable, Hashable, CaseIterable {
    case actpass
    case active
    case passive
    case holdconn
}

/// An `a=fingerprint` line: the hash of the certificate the peer will show (RFC 8122).
public struct Fingerprint: Sendable, Hashable {
    /// In lower case: `sha-256`.
    public var hashName: String
    public var bytes: [UInt8]

    public init(hashName: String, bytes: [UInt8]) {
        self.hashName = hashName.lowercased()
        self.bytes = bytes
    }

    /// Reads `sha-256 AB:CD:…`; nil where it is no list of hexadecimal pairs or too short or long for a hash we know.
    public init?(parsing value: String) {
        let fields = value[...].fields()
        guard fields.count == 2 else { return nil }
        hashName = fields[0].lowercased()
        bytes = []
        for pair in fields[1].utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) {
            // `UInt8(_:radix:)` would take a sign.
            guard pair.count == 2, pair.first != UInt8(ascii: "+"), let byte = UInt8(Substring(pair), radix: 16) else { return nil }
            bytes.append(byte)
        }
        if let length = Self.length(of: hashName), length != bytes.count { return nil }
    }

    /// The bytes a hash has; nil for one that proves nothing today (MD5) or is unknown.
    public static func length(of hashName: String) -> Int? {
        switch hashName {
        case "sha-1": 20
        case "sha-224": 28
        case "sha-256": 32
        case "sha-384": 48
        case "sha-512": 64
        default: nil
        }
    }

    /// Whether it can be compared with a certificate.
    public var isSupported: Bool { Self.length(of: hashName) == bytes.count }

    /// The line's value, in upper case as RFC 8122 demands.
    public var value: String {
        let digits = bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) }
        return "\(hashName) \(digits.joined(separator: ":"))"
    }
}

/// An `a=extmap` line (RFC 8285 section 8).
public struct ExtensionMap: Sendable, Hashable {
    public var identifier: Int
    public var direction: MediaDirection?
    public var uri: String

    public init?(parsing value: String) {
        let fields = value[...].fields()
        guard fields.count >= 2 else { return nil }
        let (number, direction) = fields[0].cut(at: UInt8(ascii: "/"))
        guard let identifier = number.decimal else { return nil }
        self.identifier = identifier
        self.direction = direction.flatMap { MediaDirection(rawValue: String($0)) }
        uri = String(fields[1])
    }
}

/// An `a=crypto` line: an SRTP key given in the description (RFC 4568).
public struct CryptoAttribute: Sendable, Hashable {
    public var tag: Int
    public var suite: String
    /// As written: `inline:` and the key in base 64.
    public var keyParameters: String
    public var sessionParameters: [String]

    public init?(parsing value: String) {
        let fields = value[...].fields()
        guard fields.count >= 3, let tag = fields[0].decimal else { return nil }
        self.tag = tag
        suite = String(fields[1])
        keyParameters = String(fields[2])
        sessionParameters = fields.dropFirst(3).map(String.init)
    }
}

/// An `a=group` line (RFC 5888 section 5).
public struct MediaGroup: Sendable, Hashable {
    /// `BUNDLE`, `LS` and the like.
    public var semantics: String
    public var mids: [String]

    public init(semantics: String, mids: [String]) {
        self.semantics = semantics
        self.mids = mids
    }

    public init?(parsing value: String) {
        let fields = value[...].fields()
        guard let first = fields.first else { return nil }
        semantics = String(first)
        mids = fields.dropFirst().map(String.init)
    }
}
