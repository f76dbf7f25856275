import COpenSSL

/// HMAC-SHA1 (RFC 2104) under one key.
///
/// Made of two kept digests, each begun anew with its padded key: OpenSSL 3.0's own HMAC copies its contexts for every message,
/// and that allocates.
final class MessageDigest {
    private static let digestLength = 20
    private static let blockLength = 64

    private let context: OpaquePointer
    private let innerKey: UnsafeMutablePointer<UInt8>
    private let outerKey: UnsafeMutablePointer<UInt8>
    private let result: UnsafeMutablePointer<UInt8>

    /// - Parameter key: at most a block, 64 bytes
    init?(key: [UInt8]) {
        guard key.count <= Self.blockLength, let context = EVP_MD_CTX_new() else { return nil }
        guard EVP_DigestInit_ex(context, EVP_sha1(), nil) == 1 else {
            EVP_MD_CTX_free(context)
            return nil
        }
        self.context = context
        innerKey = .allocate(capacity: Self.blockLength)
        outerKey = .allocate(capacity: Self.blockLength)
        result = .allocate(capacity: Self.digestLength)
        for index in 0..<Self.blockLength {
            let byte = index < key.count ? key[index] : 0
            innerKey[index] = byte ^ 0x36
            outerKey[index] = byte ^ 0x5C
        }
    }

    deinit {
        EVP_MD_CTX_free(context)
        OPENSSL_cleanse(innerKey, Self.blockLength)
        OPENSSL_cleanse(outerKey, Self.blockLength)
        innerKey.deallocate()
        outerKey.deallocate()
        result.deallocate()
    }

    /// - Parameter word: four bytes more, if any
    /// - Returns: 20 bytes, valid until the next call; `nil` when OpenSSL fails.
    func digest(
        _ bytes: UnsafeRawPointer, _ count: Int, followedBy word: UnsafePointer<UInt32>?
    ) -> UnsafeMutablePointer<UInt8>? {
        guard EVP_DigestInit_ex(context, nil, nil) == 1, EVP_DigestUpdate(context, innerKey, Self.blockLength) == 1,
            EVP_DigestUpdate(context, bytes, count) == 1, word.map({ EVP_DigestUpdate(context, $0, 4) == 1 }) ?? true,
            EVP_DigestFinal_ex(context, result, nil) == 1,
            EVP_DigestInit_ex(context, nil, nil) == 1, EVP_DigestUpdate(context, outerKey, Self.blockLength) == 1,
            EVP_DigestUpdate(context, result, Self.digestLength) == 1, EVP_DigestFinal_ex(context, result, nil) == 1
        else { return nil }
        return result
    }
}
