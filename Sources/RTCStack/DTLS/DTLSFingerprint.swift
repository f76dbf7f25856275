/// The digest of a certificate, as `a=fingerprint` carries it (RFC 8122 section 5).
public struct DTLSFingerprint: Sendable, Hashable {
    /// "sha-256" and so on, lower case.
    public let hash: String
    public let bytes: [UInt8]

    public init(hash: String, bytes: [UInt8]) {
        self.hash = hash.lowercased()
        self.bytes = bytes
    }

    /// The hash functions we know, strongest first: of several fingerprints offered those of the strongest count
    /// (RFC 8122 section 5.1).
    static let hashesByStrength = ["sha-512", "sha-384", "sha-256", "sha-224", "sha-1"]

    /// "AA:BB:…".
    public var text: String { bytes.map(Self.hexadecimal).joined(separator: ":") }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return byte < 16 ? "0" + digits : digits
    }
}
