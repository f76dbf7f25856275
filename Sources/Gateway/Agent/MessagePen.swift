/// Writes the parts of a message one behind the other into memory that is there already: a message for every frame of sound is
/// worth a look at the storage once, not once a part. What has no room is left out.
struct MessagePen {
    private let memory: UnsafeMutableRawBufferPointer
    /// Bytes written.
    private(set) var count = 0

    init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    @inline(__always)
    mutating func write(_ text: StaticString) {
        write(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inline(__always)
    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, let target = room(bytes.count) else { return }
        target.copyMemory(from: source, byteCount: bytes.count)
        count &+= bytes.count
    }

    /// In decimal.
    mutating func write(_ number: Int64) {
        var rest = number.magnitude
        var length = number < 0 ? 2 : 1
        var left = rest
        while left >= 10 {
            left /= 10
            length &+= 1
        }
        guard let target = room(length) else { return }
        var place = length
        repeat {
            place &-= 1
            target.storeBytes(of: UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10), toByteOffset: place, as: UInt8.self)
            rest /= 10
        } while rest > 0
        if number < 0 { target.storeBytes(of: UInt8(ascii: "-"), as: UInt8.self) }
        count &+= length
    }

    mutating func writeBase64(_ bytes: UnsafeRawBufferPointer) {
        let length = Base64.encodedLength(bytes.count)
        guard let target = room(length) else { return }
        Base64.encode(bytes, into: UnsafeMutableRawBufferPointer(start: target, count: length))
        count &+= length
    }

    /// Little-endian.
    mutating func write(_ samples: UnsafeBufferPointer<Int16>) {
        guard let source = samples.baseAddress, let target = room(samples.count &* 2) else { return }
        var index = 0
        while index < samples.count {
            target.storeBytes(of: source[index].littleEndian, toByteOffset: index &* 2, as: Int16.self)
            index &+= 1
        }
        count &+= samples.count &* 2
    }

    /// Big-endian.
    mutating func write<Number: FixedWidthInteger>(bigEndian number: Number) {
        guard let target = room(MemoryLayout<Number>.size) else { return }
        target.storeBytes(of: number.bigEndian, as: Number.self)
        count &+= MemoryLayout<Number>.size
    }

    @inline(__always)
    private func room(_ length: Int) -> UnsafeMutableRawPointer? {
        guard let start = memory.baseAddress, memory.count &- count >= length else { return nil }
        return start + count
    }
}
