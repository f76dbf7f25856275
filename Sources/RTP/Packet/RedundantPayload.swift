/// The payload of RFC 2198: copies of earlier packets' sound in front of the packet's own.
///
/// Reading it checks every length against the payload, so that what follows may trust the ranges.
struct RedundantPayload {
    /// A copy of earlier sound.
    struct Block {
        let payloadType: UInt8
        /// How much earlier it is than the packet, in timestamp units.
        let timestampOffset: Int64
        let sound: UnsafeRawBufferPointer
    }

    /// More earlier packets than anybody sends: a longer chain is an attack.
    static let maximumBlocks = 8
    /// The bits of a block's length and timestamp offset.
    static let maximumBlockLength = 0x3FF
    static let maximumTimestampOffset: Int64 = 0x3FFF
    /// Bytes of the header of a block, and of the packet's own sound.
    static let blockHeaderLength = 4
    static let primaryHeaderLength = 1

    /// What the packet's own sound is.
    let primaryType: UInt8
    /// Where it begins; it reaches to the end.
    let primaryOffset: Int
    let blockCount: Int
    private let bytes: UnsafeRawBufferPointer

    /// - Returns: `nil` where a length does not fit, or the chain has no end.
    init?(_ payload: UnsafeRawBufferPointer) {
        var offset = 0
        var length = 0
        var count = 0
        while offset < payload.count, payload[offset] & 0x80 != 0 {
            guard count < Self.maximumBlocks, offset + Self.blockHeaderLength <= payload.count else { return nil }
            length += Self.length(payload, offset)
            count += 1
            offset += Self.blockHeaderLength
        }
        guard offset < payload.count else { return nil }
        primaryType = payload[offset]
        primaryOffset = offset + Self.primaryHeaderLength + length
        guard primaryOffset <= payload.count else { return nil }
        blockCount = count
        bytes = payload
    }

    /// - Parameter index: below `blockCount`; senders write the earliest first
    func block(_ index: Int) -> Block {
        var start = blockCount * Self.blockHeaderLength + Self.primaryHeaderLength
        for earlier in 0..<index { start += Self.length(bytes, earlier * Self.blockHeaderLength) }
        let header = index * Self.blockHeaderLength
        let offset = Int64(bytes[header + 1]) << 6 | Int64(bytes[header + 2] >> 2)
        return Block(
            payloadType: bytes[header] & 0x7F, timestampOffset: offset,
            sound: UnsafeRawBufferPointer(rebasing: bytes[start..<start + Self.length(bytes, header)]))
    }

    private static func length(_ bytes: UnsafeRawBufferPointer, _ header: Int) -> Int {
        Int(bytes[header + 2] & 0x03) << 8 | Int(bytes[header + 3])
    }
}
