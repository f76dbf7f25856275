/// One RTP packet (RFC 3550, 5.1) where it lies: the header's fields, and the payload as a range of the datagram.
///
/// Reading it checks every length against the datagram, so that what follows may trust the ranges.
public struct RTPPacketView {
    /// Bytes of the header without contributing sources and extension.
    public static let headerLength = 12

    public let marker: Bool
    public let payloadType: UInt8
    public let sequenceNumber: UInt16
    public let timestamp: UInt32
    public let ssrc: UInt32
    /// The identifier in front of the header extension, if there is one (0xBEDE: RFC 8285).
    public let extensionProfile: UInt16?
    /// The extension's data; empty without one.
    public let extensionData: UnsafeRawBufferPointer
    /// Without padding. Empty where the packet carries none.
    public let payload: UnsafeRawBufferPointer

    /// - Returns: `nil` for bytes that are no RTP packet: wrong version, or a length that does not fit.
    @inline(__always)
    public init?(_ packet: UnsafeRawBufferPointer) {
        guard packet.count >= Self.headerLength, packet[0] >> 6 == 2 else { return nil }
        let first = packet[0]
        var start = Self.headerLength + Int(first & 0x0F) * 4
        var end = packet.count
        guard start <= end else { return nil }
        if first & 0x10 != 0 {
            guard start + 4 <= end else { return nil }
            extensionProfile = UInt16(bigEndian: packet.loadUnaligned(fromByteOffset: start, as: UInt16.self))
            let words = UInt16(bigEndian: packet.loadUnaligned(fromByteOffset: start + 2, as: UInt16.self))
            start += 4
            let length = Int(words) * 4
            guard start + length <= end else { return nil }
            extensionData = UnsafeRawBufferPointer(rebasing: packet[start..<start + length])
            start += length
        } else {
            extensionProfile = nil
            extensionData = UnsafeRawBufferPointer(start: nil, count: 0)
        }
        if first & 0x20 != 0 {
            guard end > start else { return nil }
            let padding = Int(packet[end - 1])
            guard padding > 0, start + padding <= end else { return nil }
            end -= padding
        }
        marker = packet[1] & 0x80 != 0
        payloadType = packet[1] & 0x7F
        sequenceNumber = UInt16(bigEndian: packet.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        timestamp = UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        ssrc = UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        payload = UnsafeRawBufferPointer(rebasing: packet[start..<end])
    }

    /// Whether a datagram on a port shared by both (RFC 5761) is RTCP: packet types 192 to 223.
    public static func isControl(_ packet: UnsafeRawBufferPointer) -> Bool {
        packet.count >= 2 && packet[0] >> 6 == 2 && (192...223).contains(packet[1])
    }
}
