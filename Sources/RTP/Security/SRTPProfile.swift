/// The SRTP protection profiles this gateway speaks, best first.
public enum SRTPProfile: Sendable, CaseIterable {
    /// AEAD_AES_128_GCM (RFC 7714): the cheaper one with the libraries of Debian.
    case aeadAES128GCM
    /// AES_CM_128_HMAC_SHA1_80 (RFC 3711, RFC 4568): the one that everybody has.
    case aesCM128HMACSHA1_80

    /// Bytes of the master key.
    public var keyLength: Int { 16 }

    /// Bytes of the master salt.
    public var saltLength: Int {
        switch self {
        case .aeadAES128GCM: 12
        case .aesCM128HMACSHA1_80: 14
        }
    }

    /// The name in `a=crypto` (RFC 4568, RFC 7714) and, for DTLS (RFC 5764), in IANA's registry without its prefix.
    public var sdesName: String {
        switch self {
        case .aeadAES128GCM: "AEAD_AES_128_GCM"
        case .aesCM128HMACSHA1_80: "AES_CM_128_HMAC_SHA1_80"
        }
    }

    /// - Parameter sdesName: compared without regard to case, as phones vary it
    public init?(sdesName: String) {
        guard let profile = Self.allCases.first(where: { $0.sdesName == sdesName.uppercased() }) else { return nil }
        self = profile
    }

    /// Bytes that protection adds to an RTP packet.
    public var packetOverhead: Int {
        switch self {
        case .aeadAES128GCM: 16
        case .aesCM128HMACSHA1_80: 10
        }
    }

    /// Bytes that protection adds to an RTCP packet: the tag and the 32-bit index.
    public var controlOverhead: Int { packetOverhead + 4 }
}
