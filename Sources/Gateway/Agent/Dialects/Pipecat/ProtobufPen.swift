/// Writes fields in the wire format of Protocol Buffers into memory that is there already. What has no room is left out: whoever
/// writes makes room by the lengths below.
struct ProtobufPen {
    private let memory: UnsafeMutableRawBufferPointer
    /// Bytes written.
    private(set) var count = 0

    init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    /// Bytes of a number.
    static func length(_ number: Int) -> Int {
        var (length, rest) = (1, number >> 7)
        while rest > 0 {
            length += 1
            rest >>= 7
        }
        return length
    }

    /// Bytes of a field, of those below 16, whose value has `count` bytes.
    static func length(ofBytes count: Int) -> Int { 1 + length(count) + count }

    /// A field that is a number, from 0 on.
    mutating func write(field: UInt8, number: Int) {
        write(byte: field << 3)
        write(number)
    }

    /// The head of a field that is a string, bytes or a message; its `count` bytes follow.
    mutating func write(field: UInt8, bytes count: Int) {
        write(byte: field << 3 | 2)
        write(count)
    }

    /// Samples as PCM16, little-endian.
    mutating func write(_ samples: UnsafeBufferPointer<Int16>) {
        guard memory.count - count >= samples.count * 2 else { return }
        for index in samples.indices {
            memory.storeBytes(of: samples[index].littleEndian, toByteOffset: count + index * 2, as: Int16.self)
        }
        count += samples.count * 2
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard memory.count - count >= bytes.count, let start = memory.baseAddress, let source = bytes.baseAddress else { return }
        (start + count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    private mutating func write(_ number: Int) {
        var rest = number
        while rest > 0x7F {
            write(byte: UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        write(byte: UInt8(truncatingIfNeeded: rest))
    }

    private mutating func write(byte: UInt8) {
        guard count < memory.count else { return }
        memory[count] = byte
        count += 1
    }
}
