import COpenSSL

/// `Tandem-Signature: t=…,v1=…`: the seconds since 1970, and in hexadecimal the HMAC-SHA256, under a secret that both sides know, of those
/// seconds, a dot and the body. Whoever checks it refuses old times too, so that nobody can say the same thing again.
enum TandemSignature {
    static let header = "Tandem-Signature"
    /// Bytes of an HMAC-SHA256.
    private static let length = 32

    /// - Parameter time: seconds since 1970
    /// - Returns: nil when OpenSSL fails, which is out of memory.
    static func sign(_ body: [UInt8], time: Int64, secret: String) -> String? {
        let message = Array("\(time).".utf8) + body
        let key = [UInt8](secret.utf8)
        var (digest, size) = ([UInt8](repeating: 0, count: length), UInt32(0))
        guard HMAC(EVP_sha256(), key, Int32(clamping: key.count), message, message.count, &digest, &size) != nil else { return nil }
        let digits = digest.prefix(Int(size)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
        return "t=\(time),v1=\(digits.joined())"
    }
}
