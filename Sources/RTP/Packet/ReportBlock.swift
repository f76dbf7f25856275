/// What a receiver says of one source (RFC 3550, 6.4.1).
struct ReportBlock: Equatable {
    static let length = 24

    var ssrc: UInt32
    /// In 256ths, since the report before.
    var fractionLost: UInt8
    /// Since the beginning; 24 bits on the wire, negative when duplicates outweigh losses.
    var cumulativeLost: Int32
    var extendedHighestSequence: UInt32
    /// In timestamp units.
    var jitter: UInt32
    /// The middle of the NTP time in the last sender report, 0 when none came.
    var lastSenderReport: UInt32
    /// Time since then in 1/65536 s.
    var delaySinceLastSenderReport: UInt32
}

extension ReportBlock {
    /// - Parameter bytes: `length` bytes at `offset`, checked by the caller
    init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        ssrc = bytes.word(at: offset)
        let losses = bytes.word(at: offset + 4)
        fractionLost = UInt8(losses >> 24)
        // Sign extension of 24 bits.
        cumulativeLost = Int32(bitPattern: losses << 8) >> 8
        extendedHighestSequence = bytes.word(at: offset + 8)
        jitter = bytes.word(at: offset + 12)
        lastSenderReport = bytes.word(at: offset + 16)
        delaySinceLastSenderReport = bytes.word(at: offset + 20)
    }

    /// The limits of 24 bits.
    static let cumulativeLostRange = -0x80_0000...0x7F_FFFF

    func write(to writer: inout PacketWriter) {
        writer.write(ssrc)
        writer.write(UInt32(fractionLost) << 24 | UInt32(bitPattern: cumulativeLost) & 0xFF_FFFF)
        writer.write(extendedHighestSequence)
        writer.write(jitter)
        writer.write(lastSenderReport)
        writer.write(delaySinceLastSenderReport)
    }
}

extension UnsafeRawBufferPointer {
    /// A 32-bit number in network order. The caller checked the range.
    func word(at offset: Int) -> UInt32 {
        UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
