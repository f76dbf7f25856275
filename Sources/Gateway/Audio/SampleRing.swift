/// A first-in first-out store of samples that grows with what it must hold and gives the memory back when it is empty.
struct SampleRing {
    private var storage: Storage
    private var head = 0
    private(set) var count = 0
    /// Most samples ever held.
    private let limit: Int

    /// Samples for which storage is kept: more than a paced agent ever queues.
    private static let kept = 8192
    /// Samples moved out after which the rest moves to the front: a short queue that never gets empty stays where the cache has it,
    /// instead of walking through all of the storage.
    private static let stride = 2048

    private final class Storage {
        let samples: UnsafeMutableBufferPointer<Int16>
        init(_ capacity: Int) { samples = .allocate(capacity: capacity) }
        deinit { samples.deallocate() }
    }

    init(limit: Int) {
        self.limit = limit
        storage = Storage(Self.kept)
    }

    /// - Returns: the samples taken, fewer than `count` only when the limit is reached. `write` gets the places to fill, in
    ///   one piece.
    mutating func append(_ wanted: Int, write: (UnsafeMutableBufferPointer<Int16>) -> Void) -> Int {
        let taken = min(wanted, limit - count)
        guard taken > 0 else { return 0 }
        makeRoom(for: taken)
        guard let base = storage.samples.baseAddress else { return 0 }
        write(UnsafeMutableBufferPointer(start: base + head + count, count: taken))
        count += taken
        return taken
    }

    /// Moves up to `target.count` samples out.
    mutating func read(into target: UnsafeMutableBufferPointer<Int16>) -> Int {
        let taken = peek(into: target)
        removeFirst(taken)
        return taken
    }

    func peek(into target: UnsafeMutableBufferPointer<Int16>) -> Int {
        let taken = min(target.count, count)
        if taken > 0, let source = storage.samples.baseAddress { target.baseAddress?.update(from: source + head, count: taken) }
        return taken
    }

    mutating func removeFirst(_ removed: Int) {
        let removed = min(removed, count)
        head += removed
        count -= removed
        if count == 0 { head = 0 }
    }

    mutating func removeLast(_ removed: Int) {
        count -= min(removed, count)
        if count == 0 { head = 0 }
    }

    /// Gives back the memory of a long burst; only when empty.
    mutating func shrink() {
        guard count == 0, storage.samples.count > Self.kept else { return }
        storage = Storage(Self.kept)
        head = 0
    }

    /// Makes the free places behind the last sample at least `needed`: by moving the samples to the front when half of the
    /// storage is free, else in storage twice as large.
    private mutating func makeRoom(for needed: Int) {
        let capacity = storage.samples.count
        if head >= Self.stride, count <= head, let base = storage.samples.baseAddress {
            base.update(from: base + head, count: count)
            head = 0
        }
        guard head + count + needed > capacity, let source = storage.samples.baseAddress else { return }
        if (count + needed) * 2 <= capacity {
            source.update(from: source + head, count: count)
        } else {
            let larger = Storage(max(capacity * 2, (count + needed) * 2))
            larger.samples.baseAddress?.update(from: source + head, count: count)
            storage = larger
        }
        head = 0
    }
}
