/// What was played to a line, for as long as its echo may still come: at the line's rate for the filter, and at 2 kHz for the search
/// of the echo's delay. Both are on the axis of what was played; what was not played is silence.
final class EchoReference {
    /// Behind the last sample written; nil before the first.
    private(set) var end: Int64?
    /// Local time, in samples, at which `end` was reached.
    private(set) var clock: Int64 = 0

    private let decimator: EchoDecimator
    private let capacity: Int
    private let samples: UnsafeMutablePointer<Int16>
    private let coarse: UnsafeMutablePointer<Float>
    private let zeros: UnsafeMutablePointer<Int16>

    /// Coarse samples kept: half a second, of which the longest delay takes 340 ms. A power of two, as is the other capacity.
    private static let coarseCapacity = 1024
    private static let zeroCount = 160

    init(rate: Int) {
        decimator = EchoDecimator(rate: rate)
        capacity = Self.coarseCapacity * decimator.factor
        samples = .allocate(capacity: capacity)
        samples.initialize(repeating: 0, count: capacity)
        coarse = .allocate(capacity: Self.coarseCapacity)
        coarse.initialize(repeating: 0, count: Self.coarseCapacity)
        zeros = .allocate(capacity: Self.zeroCount)
        zeros.initialize(repeating: 0, count: Self.zeroCount)
    }

    deinit {
        samples.deallocate()
        coarse.deallocate()
        zeros.deallocate()
    }

    /// Keeps what is played from `position` on. What was played there before stays.
    func append(_ played: UnsafeBufferPointer<Int16>, at position: Int64, clock: Int64) {
        guard let source = played.baseAddress else { return }
        if let end, (position &- end).magnitude < UInt64(capacity) {
            var gap = position &- end
            while gap > 0 {
                let count = Int(min(gap, Int64(Self.zeroCount)))
                write(zeros, count)
                gap -= Int64(count)
            }
            let known = Int(max(0, -gap))
            if known < played.count { write(source + known, played.count - known) }
        } else {
            // The axis jumped: nothing of what was kept comes back any more.
            restart(at: position)
            write(source, played.count)
        }
        self.clock = clock
    }

    private func restart(at position: Int64) {
        samples.update(repeating: 0, count: capacity)
        coarse.update(repeating: 0, count: Self.coarseCapacity)
        decimator.reset()
        end = position
    }

    private func write(_ source: UnsafePointer<Int16>, _ count: Int) {
        let start = end ?? 0
        keep(source, count, at: start)
        let (coarse, mask) = (coarse, Self.coarseCapacity - 1)
        decimator.process(source, count: count, at: start) { coarse[Int(truncatingIfNeeded: $0) & mask] = $1 }
        end = start &+ Int64(count)
    }

    /// In two parts where the ring ends between.
    private func keep(_ source: UnsafePointer<Int16>, _ count: Int, at position: Int64) {
        // More than the ring holds: only the last of it stays.
        let skipped = max(0, count - capacity)
        let place = Int(truncatingIfNeeded: position &+ Int64(skipped)) & (capacity - 1)
        let first = min(count - skipped, capacity - place)
        (samples + place).update(from: source + skipped, count: first)
        samples.update(from: source + skipped + first, count: count - skipped - first)
    }

    /// Copies what was played from `position` on; silence where nothing is known.
    /// - Returns: how many of the samples were not yet played.
    func read(from position: Int64, into output: UnsafeMutablePointer<Int16>, count: Int) -> Int {
        let end = end ?? position
        let oldest = end &- Int64(capacity)
        var index = 0
        while index < count {
            let place = position &+ Int64(index)
            output[index] = place < end && place >= oldest ? samples[Int(truncatingIfNeeded: place) & (capacity - 1)] : 0
            index &+= 1
        }
        return Int(min(Int64(count), max(0, position &+ Int64(count) &- end)))
    }

    /// The same of the coarse samples; `position` is in coarse samples too.
    func readCoarse(from position: Int64, into output: UnsafeMutablePointer<Float>, count: Int) {
        let end = decimator.index(of: end ?? 0)
        let oldest = end &- Int64(Self.coarseCapacity)
        // What is known of it; before and behind, and where nothing is, it is silence.
        let first = Int(max(0, min(Int64(count), oldest &- position)))
        let behind = max(first, Int(max(0, min(Int64(count), end &- position))))
        output.update(repeating: 0, count: first)
        let place = Int(truncatingIfNeeded: position &+ Int64(first)) & (Self.coarseCapacity - 1)
        let length = min(behind - first, Self.coarseCapacity - place)
        (output + first).update(from: coarse + place, count: length)
        (output + (first + length)).update(from: coarse, count: behind - first - length)
        (output + behind).update(repeating: 0, count: count - behind)
    }
}
