/// What SRTP reads of an RTP header (RFC 3550 section 5.1): the part that stays in clear, and what the packet's index is made of.
struct SRTPHeader {
    let sequence: UInt16
    let ssrc: UInt32
    /// Bytes in clear: fixed header, contributing sources and header extension.
    let length: Int

    /// - Parameter length: bytes of the packet, without what protection adds
    /// - Returns: `nil` when the header does not fit.
    init?(_ bytes: UnsafeMutableRawPointer, length: Int) {
        guard length >= RTPPacketView.headerLength else { return nil }
        let first = bytes.load(as: UInt8.self)
        var header = RTPPacketView.headerLength + Int(first & 0x0F) * 4
        if first & 0x10 != 0 {
            guard header + 4 <= length else { return nil }
            header += 4 + Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: header + 2, as: UInt16.self))) * 4
        }
        guard header <= length else { return nil }
        self.length = header
        sequence = UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        ssrc = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
    }
}
