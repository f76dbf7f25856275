/// Writes numbers in network order into memory of the caller, and notices when there is too little of it.
struct PacketWriter {
    private let buffer: UnsafeMutableRawBufferPointer
    private(set) var count = 0
    /// Something did not fit; what is in the buffer is of no use.
    private(set) var overflowed = false

    init(_ buffer: UnsafeMutableRawBufferPointer) {
        self.buffer = buffer
    }

    mutating func write(_ value: UInt8) { store(value) }

    mutating func write(_ value: UInt16) { store(value.bigEndian) }

    mutating func write(_ value: UInt32) { store(value.bigEndian) }

    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= buffer.count - count else {
            overflowed = true
            return
        }
        if let target = buffer.baseAddress, let source = bytes.baseAddress {
            (target + count).copyMemory(from: source, byteCount: bytes.count)
        }
        count += bytes.count
    }

    /// Overwrites what was written before.
    mutating func patch(_ value: UInt16, at offset: Int) {
        guard offset >= 0, offset + 2 <= count else { return }
        buffer.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
    }

    private mutating func store<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
        guard MemoryLayout<Value>.size <= buffer.count - count else {
            overflowed = true
            return
        }
        buffer.storeBytes(of: value, toByteOffset: count, as: Value.self)
        count += MemoryLayout<Value>.size
    }
}
