import NIOCore

/// Deadlines of many owners in a binary heap. A changed deadline is entered anew; the old entry is recognised as stale when it comes up.
struct DeadlineQueue<Owner: Hashable & Sendable>: Sendable {
    private struct Entry: Sendable {
        let at: NIODeadline
        let owner: Owner
    }

    private var heap: [Entry] = []
    /// The one valid deadline of each owner.
    private var current: [Owner: NIODeadline] = [:]

    /// Owners with a deadline.
    var count: Int { current.count }
    /// The next deadline. The top of the heap is never stale.
    var next: NIODeadline? { heap.first?.at }

    /// Sets, changes or (nil) removes an owner's deadline.
    mutating func schedule(_ owner: Owner, at deadline: NIODeadline?) {
        guard current[owner] != deadline else { return }
        current[owner] = deadline
        if let deadline {
            heap.append(Entry(at: deadline, owner: owner))
            siftUp(heap.count - 1)
        }
        dropStale()
    }

    /// Takes an owner whose deadline has come.
    mutating func popDue(now: NIODeadline) -> Owner? {
        guard let first = heap.first, first.at <= now else { return nil }
        current[first.owner] = nil
        removeFirst()
        dropStale()
        return first.owner
    }

    private mutating func dropStale() {
        while let first = heap.first, current[first.owner] != first.at { removeFirst() }
        // Owners that come and go would otherwise leave their entries until those come up.
        if heap.count > 64, heap.count > current.count * 4 {
            let valid = heap.filter { current[$0.owner] == $0.at }
            heap = []
            for entry in valid {
                heap.append(entry)
                siftUp(heap.count - 1)
            }
        }
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var index = 0
        while true {
            var smallest = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count && heap[child].at < heap[smallest].at { smallest = child }
            guard smallest != index else { return }
            heap.swapAt(index, smallest)
            index = smallest
        }
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        while index > 0, heap[index].at < heap[(index - 1) / 2].at {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }
}
