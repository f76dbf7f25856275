/// Which packets of a transport came, and when (draft-holmer-rmcat-transport-wide-cc-extensions-01, 3.1): the body of an RTPFB
/// packet of format 15, behind the SSRCs.
///
/// Made only of what is whole: every chunk and every time it promises is there. What it costs to go through is bounded.
struct TransportArrivals {
    /// Packets that one may be about: a run of 8191 takes two bytes on the wire.
    static let mostPackets = 2048
    /// Bytes before the chunks.
    private static let headerLength = 8
    /// Microseconds.
    private static let tick: Int64 = 250
    /// 24 bits of 64 ms.
    static let referenceMicroseconds: Int64 = 64_000

    /// The sequence number of the first packet it is about.
    let first: UInt16
    let count: Int
    /// 24 bits, in units of 64 ms of the receiver's clock.
    let reference: UInt32
    private let chunks: UnsafeRawBufferPointer
    private let times: UnsafeRawBufferPointer

    /// - Returns: `nil` for what is cut short, reserved, or about too many packets.
    init?(_ body: UnsafeRawBufferPointer) {
        guard body.count >= Self.headerLength else { return nil }
        first = UInt16(body.word(at: 0) >> 16)
        count = Int(body.word(at: 0) & 0xFFFF)
        reference = body.word(at: 4) >> 8
        guard (1...Self.mostPackets).contains(count) else { return nil }
        let rest = UnsafeRawBufferPointer(rebasing: body[Self.headerLength...])
        var cursor = Chunks(rest)
        var length = 0
        for _ in 0..<count {
            guard let symbol = cursor.next(), symbol < Symbol.reserved else { return nil }
            length += symbol
        }
        guard cursor.offset + length <= rest.count else { return nil }
        chunks = UnsafeRawBufferPointer(rebasing: rest[..<cursor.offset])
        times = UnsafeRawBufferPointer(rebasing: rest[cursor.offset...])
    }

    /// - Parameter body: gets each packet's number, and microseconds from the reference to its arrival, `nil` where it did not come
    func forEach(_ body: (UInt16, Int64?) -> Void) {
        var cursor = Chunks(chunks)
        var (offset, time) = (0, Int64(0))
        for index in 0..<count {
            let sequence = first &+ UInt16(truncatingIfNeeded: index)
            switch cursor.next() {
            case Symbol.small:
                time += Int64(times[offset]) * Self.tick
                offset += 1
                body(sequence, time)
            case Symbol.large:
                let ticks = Int16(bitPattern: UInt16(times[offset]) << 8 | UInt16(times[offset + 1]))
                time += Int64(ticks) * Self.tick
                offset += 2
                body(sequence, time)
            default: body(sequence, nil)
            }
        }
    }

    /// What a chunk says of a packet; the number is also the length of its time in bytes.
    private enum Symbol {
        static let small = 1
        static let large = 2
        static let reserved = 3
    }

    /// Goes through the chunks, packet by packet.
    private struct Chunks {
        private let bytes: UnsafeRawBufferPointer
        /// Behind the chunk at hand.
        private(set) var offset = 0
        private var chunk: UInt16 = 0
        private var left = 0

        init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

        /// - Returns: the packet's symbol, `nil` where there is no further chunk.
        mutating func next() -> Int? {
            if left == 0 {
                guard offset + 2 <= bytes.count else { return nil }
                chunk = UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
                offset += 2
                left = chunk & 0x8000 == 0 ? Int(chunk & 0x1FFF) : chunk & 0x4000 == 0 ? 14 : 7
                guard left > 0 else { return nil }
            }
            left -= 1
            if chunk & 0x8000 == 0 { return Int(chunk >> 13 & 3) }
            return chunk & 0x4000 == 0 ? Int(chunk >> UInt16(left) & 1) : Int(chunk >> UInt16(left * 2) & 3)
        }
    }
}
