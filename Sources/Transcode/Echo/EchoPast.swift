/// What came from a line before its echo was found, for as long as what was played is known too: the filter learns from it at once, and
/// not only from what comes after. Given up when there is no more use for it.
final class EchoPast {
    private let capacity: Int
    private let samples: UnsafeMutablePointer<Int16>
    private let piece: UnsafeMutablePointer<Int16>
    private let block: Int
    /// Samples that came in one piece, all of which are kept up to `capacity`.
    private var count = 0
    /// Where the next one goes.
    private var next = 0

    /// - Parameters:
    ///   - capacity: samples kept
    ///   - block: samples of a block
    init(capacity: Int, block: Int) {
        self.capacity = capacity
        self.block = block
        samples = .allocate(capacity: capacity)
        samples.initialize(repeating: 0, count: capacity)
        piece = .allocate(capacity: block)
        piece.initialize(repeating: 0, count: block)
    }

    deinit {
        samples.deallocate()
        piece.deallocate()
    }

    /// What comes next does not go on where the rest ended.
    func restart() { count = 0 }

    func append(_ source: UnsafePointer<Int16>, count added: Int) {
        var taken = max(0, added - capacity)
        while taken < added {
            let length = min(added - taken, capacity - next)
            (samples + next).update(from: source + taken, count: length)
            next = next + length == capacity ? 0 : next + length
            taken += length
        }
        count = min(capacity, count + added)
    }

    /// Calls `body` with each whole block of the last `most` samples, the oldest first, and how far before the end it begins.
    func forEachBlock(ofLast most: Int, _ body: (UnsafePointer<Int16>, _ before: Int) -> Void) {
        var before = max(0, min(count, most)) / block * block
        while before > 0 {
            let place = next >= before ? next - before : next - before + capacity
            let length = min(block, capacity - place)
            piece.update(from: samples + place, count: length)
            (piece + length).update(from: samples, count: block - length)
            body(piece, before)
            before -= block
        }
    }
}
