import CShims

/// The hash functions of RFC 7616 and RFC 8760.
///
/// They are OpenSSL's, by a shim: the process links its libcrypto for DTLS anyway, and swift-crypto would bring a second one and a minute
/// of build for three functions.
enum DigestAlgorithm: Sendable, Equatable, CaseIterable {
    case sha256, sha512256, md5

    /// Nil for one we do not know. Without a name it is MD5 (RFC 7616 3.3).
    init?(_ name: String?) {
        switch name?.lowercased() {
        case "sha-256", "sha-256-sess": self = .sha256
        case "sha-512-256", "sha-512-256-sess": self = .sha512256
        case "md5", "md5-sess", nil: self = .md5
        default: return nil
        }
    }

    /// The better the smaller.
    var rank: Int {
        switch self {
        case .sha256: 0
        case .sha512256: 1
        case .md5: 2
        }
    }

    /// Lower-case hexadecimal digits; nil where OpenSSL refuses (MD5 in its FIPS mode).
    func digest(of text: String) -> String? {
        let function =
            switch self {
            case .sha256: TANDEM_DIGEST_SHA256
            case .sha512256: TANDEM_DIGEST_SHA512_256
            case .md5: TANDEM_DIGEST_MD5
            }
        let bytes = Array(text.utf8)
        var digest = [UInt8](repeating: 0, count: Int(TANDEM_DIGEST_SIZE))
        let count = tandem_digest(function, bytes, bytes.count, &digest)
        guard count > 0 else { return nil }
        return digest.prefix(Int(count)).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }
}
