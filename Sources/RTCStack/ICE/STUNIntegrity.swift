import COpenSSL

/// MESSAGE-INTEGRITY of STUN (RFC 8489 section 14.5): HMAC-SHA1 under the short-term password.
enum STUNIntegrity {
    /// Bytes of an HMAC-SHA1.
    static let length = 20

    /// Hashes a message up to, not including, the attribute itself, with the header's length field as if the message
    /// ended behind the attribute.
    /// - Parameters:
    ///   - prefix: the header and all attributes before MESSAGE-INTEGRITY
    ///   - output: `length` bytes
    /// - Returns: false when OpenSSL fails, which is out of memory.
    static func write(of prefix: UnsafeRawBufferPointer, password: [UInt8], into output: UnsafeMutableRawBufferPointer) -> Bool {
        guard prefix.count >= STUNMessage.headerLength, prefix.count <= STUNMessage.maximumLength, output.count >= length else {
            return false
        }
        return withUnsafeTemporaryAllocation(byteCount: prefix.count, alignment: 1) { copy in
            copy.copyMemory(from: prefix)
            let body = UInt16(prefix.count - STUNMessage.headerLength + 4 + length)
            copy.storeBytes(of: body.bigEndian, toByteOffset: 2, as: UInt16.self)
            var size: UInt32 = 0
            let digest = HMAC(
                EVP_sha1(), password, Int32(password.count),
                copy.assumingMemoryBound(to: UInt8.self).baseAddress, copy.count,
                output.assumingMemoryBound(to: UInt8.self).baseAddress, &size)
            return digest != nil && Int(size) == length
        }
    }
}
