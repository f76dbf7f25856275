/// FINGERPRINT of STUN (RFC 8489 section 14.7): CRC-32 of what stands before it, so that a check is told from media.
enum STUNFingerprint {
    private static let mask: UInt32 = 0x5354_554E

    /// - Parameter prefix: the message up to the attribute; the header's length must already count the attribute.
    static func value(of prefix: UnsafeRawBufferPointer) -> UInt32 {
        // ITU V.42, bit by bit: a check every few seconds does not earn a table.
        var remainder: UInt32 = 0xFFFF_FFFF
        for byte in prefix {
            remainder ^= UInt32(byte)
            for _ in 0..<8 {
                remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0xEDB8_8320 : remainder >> 1
            }
        }
        return ~remainder ^ mask
    }
}
