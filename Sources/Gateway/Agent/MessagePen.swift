/// Writes the parts of a message one behind the other into memory that is there already: a message for every frame of sound is
/// worth a look at the storage once, not once a part. What has no room is left out.
struct MessagePen {
    private let memory: UnsafeMutableRawBufferPointer
    /// Bytes written.
    private(set) var count = 0

    init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    mutating func write(_ text: StaticString) {
        write(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, let target = room(bytes.count) else { return }
        target.copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    /// In decimal.
    mutating func write(_ number: Int64) {
        // The longest has 19 digits and a sign.
        withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
            var place = digits.count
            var rest = number.magnitude
            repeat {
                place -= 1
                digits[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            if number < 0 {
                place -= 1
                digits[place] = UInt8(ascii: "-")
            }
            write(UnsafeRawBufferPointer(rebasing: digits[place...]))
        }
    }

    mutating func writeBase64(_ bytes: UnsafeRawBufferPointer) {
        let length = Base64.encodedLength(bytes.count)
        guard let target = room(length) else { return }
        Base64.encode(bytes, into: UnsafeMutableRawBufferPointer(start: target, count: length))
        count += length
    }

    private func room(_ length: Int) -> UnsafeMutableRawPointer? {
        guard let start = memory.baseAddress, memory.count - count >= length else { return nil }
        return start + count
    }
}
