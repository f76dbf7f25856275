/// The four bytes of a telephone-event (RFC 4733, 2.3).
struct TelephoneEventPayload: Equatable {
    static let length = 4

    /// 0 to 15 are DTMF.
    var event: UInt8
    /// The event is over.
    var end: Bool
    /// Level below 0 dBm0 in dB, 0 to 63.
    var volume: UInt8
    /// Timestamp units since the packet's timestamp.
    var duration: UInt16

    init(event: UInt8, end: Bool, volume: UInt8, duration: UInt16) {
        self.event = event
        self.end = end
        self.volume = volume & 0x3F
        self.duration = duration
    }

    /// - Returns: `nil` for fewer than four bytes at `offset`.
    init?(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        guard offset >= 0, bytes.count >= Self.length, offset <= bytes.count - Self.length else { return nil }
        event = bytes[offset]
        end = bytes[offset + 1] & 0x80 != 0
        volume = bytes[offset + 1] & 0x3F
        duration = UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 2, as: UInt16.self))
    }

    /// The bytes in network order, as one number.
    var encoded: UInt32 {
        UInt32(event) << 24 | (end ? 0x80_0000 : 0) | UInt32(volume) << 16 | UInt32(duration)
    }
}
