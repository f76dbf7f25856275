/// What came from a line before its echo was found, for as long as what was played is known too: the filter learns from it at once, and
/// not only from what comes after.
final class EchoPast {
    private let capacity: Int
    /// A ring, and behind it its beginning again, so that whatever a coarse sample is made of lies in one piece.
    private let samples: UnsafeMutablePointer<Int16>
    private let reach: Int
    private let piece: UnsafeMutablePointer<Int16>
    private let block: Int
    /// Samples that came in one piece, all of which are kept up to `capacity`.
    private var count = 0
    /// Where the next one goes.
    private var next = 0

    /// - Parameters:
    ///   - capacity: samples kept
    ///   - block: samples of a block
    ///   - reach: samples of a coarse one
    init(capacity: Int, block: Int, reach: Int) {
        self.capacity = capacity
        self.block = block
        self.reach = reach
        samples = .allocate(capacity: capacity + reach)
        samples.initialize(repeating: 0, count: capacity + reach)
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
            if next < reach { (samples + capacity).update(from: samples, count: reach) }
            next = next + length == capacity ? 0 : next + length
            taken += length
        }
        count = min(capacity, count + added)
    }

    /// The last `count` coarse samples, of which none is made of what came at `end` or later.
    /// - Returns: false if too little came for that
    func decimate(by decimator: EchoDecimator, count coarse: Int, end: Int64, into output: UnsafeMutablePointer<Int16>) -> Bool {
        let behind = Int(end &- 1 &- (decimator.index(of: end) &- 1) &* Int64(decimator.factor))
        let before = behind + (coarse - 1) * decimator.factor + reach
        guard before <= count else { return false }
        var place = next >= before ? next - before : next - before + capacity
        var made = 0
        while made < coarse {
            let length = min(coarse - made, (capacity - place + decimator.factor - 1) / decimator.factor)
            decimator.process(samples + place, into: output + made, count: length)
            made += length
            place += length * decimator.factor
            if place >= capacity { place -= capacity }
        }
        return true
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
