import CShims
import RTP

/// Our certificate for DTLS (P-256, self-signed, made when the process starts) and the OpenSSL context that every
/// browser's connection is made from.
///
/// Safe to share between threads: an SSL_CTX counts its references atomically and is not changed once it is made.
public final class DTLSCertificate: Sendable {
    /// OpenSSL's word on why no certificate could be made.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// SHA-256 of the certificate.
    public let fingerprint: DTLSFingerprint
    nonisolated(unsafe) let context: OpaquePointer

    /// - Parameter profiles: SRTP profiles offered and accepted, in order of preference
    public init(profiles: [SRTPProfile] = SRTPProfile.allCases) throws(Failure) {
        let names = profiles.map(\.openSSLName).joined(separator: ":")
        var digest = [UInt8](repeating: 0, count: 32)
        guard let context = tandem_dtls_context_new(names, &digest) else {
            throw Failure(description: lastOpenSSLError())
        }
        self.context = context
        fingerprint = DTLSFingerprint(hash: "sha-256", bytes: digest)
    }

    deinit { SSL_CTX_free(context) }
}

extension SRTPProfile {
    /// How OpenSSL calls the profile in `SSL_CTX_set_tlsext_use_srtp`.
    var openSSLName: String {
        switch self {
        case .aeadAES128GCM: "SRTP_AEAD_AES_128_GCM"
        case .aesCM128HMACSHA1_80: "SRTP_AES128_CM_SHA1_80"
        }
    }

    /// The profile's number in DTLS (RFC 5764 section 4.1.2, RFC 7714 section 14.2).
    init?(dtlsNumber: UInt32) {
        switch dtlsNumber {
        case 0x0007: self = .aeadAES128GCM
        case 0x0001: self = .aesCM128HMACSHA1_80
        default: return nil
        }
    }
}

/// The newest entry of this thread's OpenSSL error queue, which is emptied.
func lastOpenSSLError() -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { text in
        guard let base = text.baseAddress else { return "" }
        tandem_dtls_error(base, text.count)
        return String(cString: base)
    }
}
