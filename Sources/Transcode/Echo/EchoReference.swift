/// What was played to a line, for as long as its echo may still come: at the line's rate for the filter, and at 2 kHz for the search
/// of the echo's delay, made when it is asked for. Both are on the axis of what was played; what was not played is silence.
struct EchoReference: ~Copyable {
    /// Behind the last sample written; nil before the first.
    private(set) var end: Int64?
    /// Local time, in samples, at which `end` was reached.
    private(set) var clock: Int64 = 0

    private let decimator: EchoDecimator
    /// Samples kept.
    let capacity: Int
    /// A ring, and behind it its beginning again, so that whatever a coarse sample is made of lies in one piece.
    private let samples: UnsafeMutablePointer<Int16>
    /// A ring twice, so that any part of it lies in one piece.
    private let coarse: UnsafeMutablePointer<Int16>
    /// Places of which the coarse samples are there.
    private var coarseStart: Int64 = 0
    private var coarseEnd: Int64 = 0
    /// Behind the last sound that was loud enough to be heard back.
    private var soundEnd = Int64.min

    /// Coarse samples kept: half a second, of which the longest delay takes 340 ms. A power of two, as is the other capacity.
    private static let coarseCapacity = 1024
    /// Mean square above which what is played may be found again: -65 dBFS, which is as low as a part of it may be for the search.
    private static let audible: Float = 300

    init(rate: Int) {
        decimator = EchoDecimator(rate: rate)
        capacity = Self.coarseCapacity * decimator.factor
        samples = .allocate(capacity: capacity + decimator.reach)
        samples.initialize(repeating: 0, count: capacity + decimator.reach)
        coarse = .allocate(capacity: 2 * Self.coarseCapacity)
        coarse.initialize(repeating: 0, count: 2 * Self.coarseCapacity)
    }

    deinit {
        samples.deallocate()
        coarse.deallocate()
    }

    /// Keeps what is played from `position` on. What was played there before stays.
    /// - Parameter power: its mean square
    mutating func append(_ played: UnsafePointer<Int16>, count: Int, power: Float, at position: Int64, clock: Int64) {
        if let end, (position &- end).magnitude < UInt64(capacity) {
            let gap = position &- end
            if gap > 0 { write(nil, Int(gap)) }
            let known = Int(max(0, -gap))
            if known < count { write(played + known, count - known) }
        } else {
            // The axis jumped: nothing of what was kept comes back any more.
            restart(at: position)
            write(played, count)
        }
        self.clock = clock
        if power > Self.audible { soundEnd = end ?? position }
    }

    private mutating func restart(at position: Int64) {
        samples.update(repeating: 0, count: capacity + decimator.reach)
        coarseStart = decimator.index(of: position)
        coarseEnd = coarseStart
        soundEnd = .min
        end = position
    }

    /// In two parts where the ring ends between. Nil is silence.
    private mutating func write(_ source: UnsafePointer<Int16>?, _ count: Int) {
        let start = end ?? 0
        // More than the ring holds: only the last of it stays.
        let skipped = max(0, count - capacity)
        let place = Int(truncatingIfNeeded: start &+ Int64(skipped)) & (capacity - 1)
        let first = min(count - skipped, capacity - place)
        let rest = count - skipped - first
        if let source {
            (samples + place).update(from: source + skipped, count: first)
            samples.update(from: source + skipped + first, count: rest)
        } else {
            (samples + place).update(repeating: 0, count: first)
            samples.update(repeating: 0, count: rest)
        }
        if place < decimator.reach || rest > 0 { (samples + capacity).update(from: samples, count: decimator.reach) }
        end = start &+ Int64(count)
    }

    /// Copies what was played from `position` on; silence where nothing is known.
    /// - Returns: how many of the samples were not yet played.
    func read(from position: Int64, into output: UnsafeMutablePointer<Int16>, count: Int) -> Int {
        let end = end ?? position
        let oldest = end &- Int64(capacity)
        // What is known of it; before and behind it is silence.
        let first = Int(max(0, min(Int64(count), oldest &- position)))
        let behind = max(first, Int(max(0, min(Int64(count), end &- position))))
        output.update(repeating: 0, count: first)
        let place = Int(truncatingIfNeeded: position &+ Int64(first)) & (capacity - 1)
        let length = min(behind - first, capacity - place)
        (output + first).update(from: samples + place, count: length)
        (output + (first + length)).update(from: samples, count: behind - first - length)
        (output + behind).update(repeating: 0, count: count - behind)
        return Int(min(Int64(count), max(0, position &+ Int64(count) &- end)))
    }

    /// Whether anything was played from `position` on, in coarse samples, that could be found again.
    func hasSound(from position: Int64) -> Bool { soundEnd > position &* Int64(decimator.factor) }

    /// The coarse samples from `position` on, in coarse samples: at most 1024, until the next call.
    mutating func coarse(from position: Int64, count: Int) -> UnsafePointer<Int16> {
        if position < coarseStart || position > coarseEnd { (coarseStart, coarseEnd) = (position, position) }
        let until = position &+ Int64(count)
        if coarseEnd < until {
            let end = end ?? 0
            let oldest = decimator.index(of: end &- Int64(capacity - decimator.reach))
            silence(from: coarseEnd, to: min(until, oldest))
            coarseEnd = max(coarseEnd, min(until, oldest))
            make(to: min(until, decimator.index(of: end)))
            silence(from: coarseEnd, to: until)
            coarseStart = max(coarseStart, until &- Int64(Self.coarseCapacity))
        }
        return UnsafePointer(coarse + Int(truncatingIfNeeded: position) & (Self.coarseCapacity - 1))
    }

    /// As many at a time as both rings have in one piece.
    private mutating func make(to target: Int64) {
        let (factor, capacity, ring) = (decimator.factor, capacity, Self.coarseCapacity)
        while coarseEnd < target {
            let place = Int(truncatingIfNeeded: coarseEnd) & (ring - 1)
            let source = Int(truncatingIfNeeded: coarseEnd &* Int64(factor) &- Int64(decimator.reach - 1)) & (capacity - 1)
            let count = min(Int(min(target &- coarseEnd, Int64(ring))), ring - place, (capacity - source + factor - 1) / factor)
            decimator.process(samples + source, into: coarse + place, count: count)
            (coarse + (ring + place)).update(from: coarse + place, count: count)
            coarseEnd &+= Int64(count)
        }
    }

    private func silence(from start: Int64, to end: Int64) {
        let ring = Self.coarseCapacity
        var place = start
        while place < end {
            let index = Int(truncatingIfNeeded: place) & (ring - 1)
            (coarse[index], coarse[index + ring]) = (0, 0)
            place &+= 1
        }
    }
}
