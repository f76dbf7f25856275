/// What is to be written on stream sockets at the end of a turn, in order, in storage allocated once.
///
/// Together, and not each as it is made: a far end on the same machine is woken once, and the kernel's code stays in the cache.
final class StreamBatch {
    private struct Entry {
        var descriptor: Int32
        var length: Int
    }

    private let slab: UnsafeMutableRawPointer
    private let entries: UnsafeMutablePointer<Entry>
    private var used = 0
    private var count = 0
    private var isDraining = false

    private static let capacity = 256 << 10
    private static let mostEntries = 512

    init() {
        slab = .allocate(byteCount: Self.capacity, alignment: 64)
        entries = .allocate(capacity: Self.mostEntries)
    }

    deinit {
        slab.deallocate()
        entries.deallocate()
    }

    /// - Returns: false when there is no room; everything is to be taken out first.
    func add(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        guard bytes.count <= Self.capacity - used, count < Self.mostEntries else { return false }
        (slab + used).copyMemory(from: base, byteCount: bytes.count)
        entries[count] = Entry(descriptor: descriptor, length: bytes.count)
        used += bytes.count
        count += 1
        return true
    }

    /// Takes everything out, in order; also what `write` adds.
    /// - Returns: false within `write`, where it does nothing
    func drain(_ write: (_ bytes: UnsafeRawBufferPointer, _ descriptor: Int32) -> Void) -> Bool {
        guard !isDraining else { return false }
        isDraining = true
        var (index, offset) = (0, 0)
        while index < count {
            let entry = entries[index]
            write(UnsafeRawBufferPointer(start: slab + offset, count: entry.length), entry.descriptor)
            offset += entry.length
            index += 1
        }
        (used, count) = (0, 0)
        isDraining = false
        return true
    }
}
