/// Walks the fields of one message in the wire format of Protocol Buffers, in place: nothing is copied, and what is no message ends
/// the walk.
struct ProtobufFields {
    enum Value {
        /// A varint, as it stands in the message.
        case number(UInt64)
        /// A string, bytes or a message.
        case bytes(UnsafeRawBufferPointer)
        /// Of a fixed width: passed over.
        case other
    }

    private let bytes: UnsafeRawBufferPointer
    private var place = 0
    /// What was read so far is no message.
    private(set) var isDamaged = false

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// The next field with its number; nil at the end, and where `isDamaged`.
    mutating func next() -> (field: UInt64, value: Value)? {
        guard !isDamaged, place < bytes.count else { return nil }
        guard let tag = varint(), tag >> 3 != 0, let value = value(wireType: tag & 7) else {
            isDamaged = true
            return nil
        }
        return (tag >> 3, value)
    }

    private mutating func value(wireType: UInt64) -> Value? {
        switch wireType {
        case 0: return varint().map { .number($0) }
        case 1: return take(8) == nil ? nil : .other
        case 2: return varint().flatMap { take($0) }.map { .bytes($0) }
        case 5: return take(4) == nil ? nil : .other
        // Groups are long gone.
        default: return nil
        }
    }

    /// Seven bits a byte, the lowest first, ten bytes at most.
    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while place < bytes.count, shift < 70 {
            let byte = bytes[place]
            place += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        return nil
    }

    private mutating func take(_ length: UInt64) -> UnsafeRawBufferPointer? {
        guard length <= UInt64(bytes.count - place) else { return nil }
        let start = place
        place += Int(length)
        return UnsafeRawBufferPointer(rebasing: bytes[start..<place])
    }
}
