import NIOCore

/// Knows when a stream that must have no gaps has waited long enough for its sender, and how much is missing then.
struct FillClock {
    private let rate: Int64
    private(set) var lastArrival: NIODeadline
    /// The last packet was discontinuous transmission: silence follows on purpose.
    private(set) var isSilence = false
    /// Where the stream stood at `anchorTime`: wall time is measured from here.
    private var anchorPosition: Int64 = 0
    private var anchorTime: NIODeadline
    private let started: NIODeadline
    private var lastTick: NIODeadline?
    /// What packets that come in order but late have taught.
    private var lateness: LatenessWait

    /// Length of the last packet in milliseconds: the next one is not due before.
    private var packet = FillClock.slot

    /// Of the grid, and of most packets, in milliseconds.
    private static let slot = 20.0
    /// Silence without a packet that is still waited for, at least; for longer packets as much more as they are longer.
    private static let patience = 60.0
    /// After discontinuous transmission and on hold there is nothing to wait for.
    private static let impatience = 20.0
    /// Deviations from wall time up to this are the network's business, in milliseconds.
    private static let tolerance: Int64 = 60
    /// Time after which the sender's first packets have shown their usual delay.
    private static let settling = TimeAmount.seconds(2)

    init(rate: Int, now: NIODeadline) {
        self.rate = Int64(rate)
        lastArrival = now
        anchorTime = now
        started = now
        lateness = LatenessWait(rate: rate)
    }

    /// - Parameter samples: length of the packet; nil where its silence has none
    mutating func arrived(now: NIODeadline, isDTX: Bool, samples: Int?) {
        lastArrival = now
        isSilence = isDTX
        if let samples { packet = max(Self.slot, Double(samples) * 1000 / Double(rate)) }
    }

    /// A packet of the sender's `time`, in samples, arrived.
    /// - Parameter startsAxis: its time does not continue the one before
    mutating func observe(_ time: Int64, arrival: NIODeadline, startsAxis: Bool) {
        if startsAxis { lateness.restart() }
        lateness.observe(time, arrival: arrival)
    }

    /// How far a stream that would stand at `position` runs before wall time beyond what is put up with, in samples.
    func excess(of position: Int64, now: NIODeadline) -> Int64 {
        max(0, position - anchorPosition - samples(from: anchorTime, to: now) - tolerance)
    }

    /// How far a stream that would stand at `position` runs before wall time, in samples; negative when it lags.
    ///
    /// In the first seconds a lead only shows that the first packets were late ones, so the anchor follows it.
    mutating func lead(of position: Int64, now: NIODeadline) -> Int64 {
        let lead = position - anchorPosition - samples(from: anchorTime, to: now)
        guard lead > 0, now - started < Self.settling else { return lead }
        anchorPosition = position
        anchorTime = now
        return 0
    }

    /// Samples before wall time that are put up with.
    var tolerance: Int64 { Self.tolerance * rate / 1000 }

    /// Samples behind wall time that are put up with: as late as this stream's packets are known to come.
    var lagTolerance: Int64 { max(tolerance, lateness.samples) }

    /// Called on the 20 ms grid. A pause between two calls in which the loop stood still is no time of the stream's: what it would
    /// hold is dropped (`MediaLoop.stallLimit`), and to fill it would leave the far end as much behind.
    /// - Returns: whether there was such a pause.
    mutating func ticked(now: NIODeadline) -> Bool {
        let pause = now - (lastTick ?? now)
        lastTick = now
        guard pause > MediaLoop.stallLimit else { return false }
        anchorTime = anchorTime + pause
        return true
    }

    /// Samples that should have come by `now`, in whole packets, so that the next one finds its place free; 0 while it is too
    /// early to say.
    /// - Parameter isWaiting: packets are here, held back for a lost one, which is never for long: they come to their own place
    func missing(position: Int64, isHeld: Bool, isWaiting: Bool, jitterMilliseconds: Double, now: NIODeadline) -> Int {
        guard !isWaiting else { return 0 }
        let waited = Double((now - lastArrival).nanoseconds) / 1e6
        let isQuiet = isSilence || isHeld
        let least = Self.patience + packet - Self.slot
        let learnt = max(3 * jitterMilliseconds - Self.slot, lateness.milliseconds)
        let patience = isQuiet ? Self.impatience : max(least, learnt + packet)
        guard waited > patience else { return 0 }
        // What is on its way comes later than the fastest packets, from which the anchor counts: its place is left to it.
        let underWay = isQuiet ? 0 : min(2 * jitterMilliseconds, Double(Self.tolerance)) * Double(rate) / 1000
        let missing = max(0, Int(anchorPosition + samples(from: anchorTime, to: now) - position) - Int(underWay))
        let step = Int((isQuiet ? Self.slot : packet) * Double(rate) / 1000)
        return missing / step * step
    }

    /// How many samples a time lasts.
    func samples(from start: NIODeadline, to end: NIODeadline) -> Int64 {
        (end - start).nanoseconds / 1000 * rate / 1_000_000
    }
}
