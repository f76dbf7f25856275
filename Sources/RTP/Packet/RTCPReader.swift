/// One packet within an RTCP compound packet (RFC 3550, 6.1).
struct RTCPPacketView {
    /// 200 SR, 201 RR, 202 SDES, 203 BYE, 207 XR (RFC 3611).
    let type: UInt8
    /// Report blocks or sources, by type.
    let count: Int
    /// After the first four bytes, without padding.
    let body: UnsafeRawBufferPointer
}

/// Goes through an RTCP compound packet, checking every length against the datagram.
struct RTCPReader {
    private static let headerLength = 4
    /// RFC 5761, 4: what can be RTCP.
    private static let types: ClosedRange<UInt8> = 192...223

    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// Whether all of the datagram is well-formed RTCP. A compound packet need not begin with a report (RFC 5506).
    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var reader = RTCPReader(bytes)
        while reader.next() != nil {}
        return reader.offset == bytes.count && bytes.count > 0
    }

    /// - Returns: `nil` at the end and at the first packet that is malformed.
    mutating func next() -> RTCPPacketView? {
        guard offset + Self.headerLength <= bytes.count, bytes[offset] >> 6 == 2,
            Self.types.contains(bytes[offset + 1])
        else { return nil }
        let words = UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 2, as: UInt16.self))
        let start = offset + Self.headerLength
        let end = start + Int(words) * 4
        guard end <= bytes.count else { return nil }
        var padding = 0
        if bytes[offset] & 0x20 != 0 {
            // Only the last packet may be padded, and by whole words.
            guard end == bytes.count, end > start else { return nil }
            padding = Int(bytes[end - 1])
            guard padding > 0, padding % 4 == 0, padding <= end - start else { return nil }
        }
        let count = Int(bytes[offset] & 0x1F)
        let type = bytes[offset + 1]
        let body = UnsafeRawBufferPointer(rebasing: bytes[start..<end - padding])
        guard body.count >= Self.minimumBody(type: type, count: count) else { return nil }
        offset = end
        return RTCPPacketView(type: type, count: count, body: body)
    }

    private static func minimumBody(type: UInt8, count: Int) -> Int {
        switch type {
        case RTCPType.senderReport: 24 + count * ReportBlock.length
        case RTCPType.receiverReport: 4 + count * ReportBlock.length
        case RTCPType.goodbye: count * 4
        case RTCPType.extendedReport: 4
        case RTCPType.transportFeedback: TransportFeedback.headerLength
        default: 0
        }
    }
}

/// RTCP packet types.
enum RTCPType {
    static let senderReport: UInt8 = 200
    static let receiverReport: UInt8 = 201
    static let sourceDescription: UInt8 = 202
    static let goodbye: UInt8 = 203
    static let transportFeedback: UInt8 = 205
    static let extendedReport: UInt8 = 207
}
