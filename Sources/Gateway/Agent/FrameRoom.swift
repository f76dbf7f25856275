/// Memory in which one message at a time is written and made a frame. What is small, as frames of sound are, lies on the stack, where
/// the next message finds the same lines of the cache.
final class FrameRoom {
    private var large = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    /// Storage kept for the next large message; a larger one was an exception.
    private static let kept = 64 << 10

    deinit { large.deallocate() }

    /// Calls `body` with at least `count` bytes.
    @inline(__always)
    func with(_ count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Void) {
        // A constant, and none above 1024, is what the compiler puts on the stack without asking.
        if count <= 1024 { return withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 8) { body($0) } }
        if large.count < count {
            large.deallocate()
            large = .allocate(byteCount: count, alignment: 8)
        }
        body(large)
        if large.count > Self.kept {
            large.deallocate()
            large = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        }
    }
}
