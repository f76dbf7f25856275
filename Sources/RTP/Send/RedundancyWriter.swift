/// Puts a copy of the last payload in front of each (RFC 2198), one generation deep.
struct RedundancyWriter: ~Copyable {
    /// Payloads that become longer stay as they are: with all headers they would not fit the path's MTU.
    static let maximumPayload = 1_100

    /// The last payload, and behind it room for a whole one. Allocated when first needed, and kept.
    private var memory: UnsafeMutableRawPointer?
    private var last: (count: Int, timestamp: Int64)?

    private static let headerLength = RedundantPayload.blockHeaderLength + RedundantPayload.primaryHeaderLength
    private static let whole = RedundantPayload.maximumBlockLength + 1

    deinit { memory?.deallocate() }

    /// What was sent before is not repeated.
    mutating func forget() { last = nil }

    /// - Parameters:
    ///   - payload: at `timestamp` on our axis, of the type `primaryType`
    /// - Returns: the redundant payload, valid until the next call; `nil` where there is nothing to repeat, or no room for it.
    mutating func wrap(
        _ payload: UnsafeRawBufferPointer, timestamp: Int64, primaryType: UInt8
    ) -> UnsafeRawBufferPointer? {
        let memory = memory ?? UnsafeMutableRawPointer.allocate(byteCount: Self.whole + Self.maximumPayload, alignment: 16)
        self.memory = memory
        let earlier = last
        defer { remember(payload, timestamp: timestamp, in: memory) }
        guard let earlier, let source = payload.baseAddress else { return nil }
        let offset = timestamp &- earlier.timestamp
        let length = Self.headerLength + earlier.count + payload.count
        guard offset > 0, offset <= RedundantPayload.maximumTimestampOffset, length <= Self.maximumPayload else { return nil }
        let target = memory + Self.whole
        let header = UInt32(0x80 | primaryType & 0x7F) << 24 | UInt32(offset) << 10 | UInt32(earlier.count)
        target.storeBytes(of: header.bigEndian, as: UInt32.self)
        target.storeBytes(of: primaryType & 0x7F, toByteOffset: RedundantPayload.blockHeaderLength, as: UInt8.self)
        (target + Self.headerLength).copyMemory(from: memory, byteCount: earlier.count)
        (target + Self.headerLength + earlier.count).copyMemory(from: source, byteCount: payload.count)
        return UnsafeRawBufferPointer(start: target, count: length)
    }

    private mutating func remember(_ payload: UnsafeRawBufferPointer, timestamp: Int64, in memory: UnsafeMutableRawPointer) {
        guard let source = payload.baseAddress, payload.count <= RedundantPayload.maximumBlockLength else {
            last = nil
            return
        }
        memory.copyMemory(from: source, byteCount: payload.count)
        last = (payload.count, timestamp)
    }
}
