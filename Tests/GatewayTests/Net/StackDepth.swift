/// Notes where in the stack it is called, which must not be deeper each time. Confined to one thread.
final class StackDepth: @unchecked Sendable {
    private(set) var addresses: [UInt] = []

    @inline(never) func note() {
        var mark = 0
        withUnsafePointer(to: &mark) { addresses.append(UInt(bitPattern: $0)) }
    }

    /// Whether it was called `count` times, always at the same depth.
    func isSame(in count: Int) -> Bool { addresses.count == count && Set(addresses).count == 1 }
}
