import CShims

/// HMAC-SHA1 (RFC 2104) under one key.
final class MessageDigest {
    private static let digestLength = 20

    private let state: OpaquePointer
    private let result: UnsafeMutablePointer<UInt8>

    /// - Parameter key: at most a block, 64 bytes
    init?(key: [UInt8]) {
        guard let state = tandem_hmac_sha1_new(key, key.count) else { return nil }
        self.state = state
        result = .allocate(capacity: Self.digestLength)
    }

    deinit {
        tandem_hmac_sha1_free(state)
        result.deallocate()
    }

    /// - Parameter word: four bytes more, if any
    /// - Returns: 20 bytes, valid until the next call.
    func digest(
        _ bytes: UnsafeRawPointer, _ count: Int, followedBy word: UnsafePointer<UInt32>?
    ) -> UnsafeMutablePointer<UInt8> {
        tandem_hmac_sha1_digest(state, bytes, count, word, word == nil ? 0 : 4, result)
        return result
    }
}
