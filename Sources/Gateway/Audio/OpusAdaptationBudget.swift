import NIOCore
import RTP

/// How much the way to a peer carries, as far as the peer's reports tell: falls when packets queue up, or are lost for being
/// too much, and returns by and by. Packets lost at random leave it as it is.
///
/// The queue shows in the round trip: more than 60 ms, or 30 %, above its own minimum of the last one to two minutes. Loss
/// alone may be either kind; so much of it that it is heard is put to the test with less sent for a while, and where as much is
/// lost as before, what was sent returns.
struct OpusAdaptationBudget {
    /// Bits per second with all headers.
    var bitsPerSecond: Double
    /// What the least and the usual stream need, in the same unit.
    private(set) var range: ClosedRange<Double>
    /// Set by the owner while it sends every frame twice; the first thing given up.
    var isRedundant = false
    /// No more redundancy before this.
    private(set) var noRedundancyUntil = NIODeadline.uptimeNanoseconds(0)

    // The round trip in milliseconds: its minimum of this minute and of the one before.
    var minimum: Double?
    var earlierMinimum: Double?
    var minuteBegan: NIODeadline?
    private var lastMeasured: NIODeadline?
    private var previousReport: NIODeadline?
    var slowReports = 0
    var lossyReports = 0

    var mayGrowAt = NIODeadline.uptimeNanoseconds(0)
    private var lastGrowth: NIODeadline?
    var lastReduction: NIODeadline?
    var hold = Self.shortestHold
    /// What was too much last time.
    var limit: Double?
    /// Reductions in a row, and how it stood before them.
    var series: (count: Int, bits: Double, excess: Double)?
    var probe: Probe?
    var lossIsRandomUntil = NIODeadline.uptimeNanoseconds(0)

    /// What the transport-wide feedback showed, see `OpusAdaptationBudget+Transport`.
    var transport = Transport()

    /// Less is sent for a while, to see whether less is lost then.
    struct Probe {
        var bits: Double
        var loss: Double
        var reports = 0
        var sum = 0.0
    }

    /// Milliseconds above the minimum that are a queue when two reports say so, or one …
    static let queue = 60.0
    /// … and when one does.
    private static let longQueue = 200.0
    /// Loss that is put to the test when two reports say so, or one …
    static let heavyLoss = 0.15
    /// … and when one does.
    static let massiveLoss = 0.3
    private static let minute = TimeAmount.seconds(60)
    /// Loss found to be random is not tested again for so long.
    private static let trust = TimeAmount.minutes(5)
    private static let growthInterval = TimeAmount.seconds(4)
    private static let shortestHold = TimeAmount.seconds(10)
    private static let longestHold = TimeAmount.seconds(60)

    init(range: ClosedRange<Double>) {
        self.range = range
        bitsPerSecond = range.upperBound
    }

    /// Other codec settings or another far end; the way stays the same.
    mutating func change(range: ClosedRange<Double>) {
        let wasFull = bitsPerSecond >= self.range.upperBound
        self.range = range
        bitsPerSecond = wasFull ? range.upperBound : min(max(bitsPerSecond, range.lowerBound), range.upperBound)
    }

    var isFull: Bool { bitsPerSecond >= range.upperBound && probe == nil }

    mutating func receive(_ report: PeerReport, now: NIODeadline) {
        let excess = measure(report, now: now)
        let tolerated = max(Self.queue, (minimum ?? 0) * 0.3)
        if let excess { slowReports = excess > tolerated ? slowReports + 1 : 0 }
        // A report that began before less was sent is about more.
        let isMixed = lastReduction.map { previousReport ?? $0 < $0 } ?? false
        previousReport = now
        let loss = isMixed ? 0 : report.fractionLost
        if !isMixed { lossyReports = loss >= Self.heavyLoss ? lossyReports + 1 : 0 }
        if let excess, excess > max(Self.longQueue, tolerated) || slowReports >= 2 {
            probe = nil
            reduceForQueue(excess, loss: loss, report, now: now)
        } else if probe != nil {
            if !isMixed { judge(loss, now: now) }
        } else if lossyReports >= 2 || loss >= Self.massiveLoss, now >= lossIsRandomUntil {
            // Where nothing less can be sent nothing can be learned.
            if bitsPerSecond > range.lowerBound { begin(loss, now: now) }
        } else if let excess, excess <= tolerated / 2 {
            series = nil
            grow(now: now)
        } else if report.roundTripStart == nil {
            grow(now: now)
        }
    }

    /// - Returns: how far a round trip is above the minimum; nil where it was measured before, or before less was sent.
    private mutating func measure(_ report: PeerReport, now: NIODeadline) -> Double? {
        guard let roundTrip = report.roundTripMilliseconds, let start = report.roundTripStart, start != lastMeasured,
            lastReduction.map({ start > $0 }) ?? true
        else { return nil }
        lastMeasured = start
        return observe(roundTrip, now: now)
    }

    /// - Returns: how far a round trip is above the minimum.
    mutating func observe(_ roundTrip: Double, now: NIODeadline) -> Double {
        // While a queue stands the minimum from before it holds.
        if let began = minuteBegan, now - began < Self.minute || series != nil || transport.queue != nil {
            minimum = min(minimum ?? roundTrip, roundTrip)
        } else {
            earlierMinimum = minimum
            minimum = roundTrip
            minuteBegan = now
        }
        return roundTrip - min(minimum ?? roundTrip, earlierMinimum ?? roundTrip)
    }

    // MARK: Less

    private mutating func reduceForQueue(_ excess: Double, loss: Double, _ report: PeerReport, now: NIODeadline) {
        let before = series ?? (0, bitsPerSecond, excess)
        series = (before.count + 1, before.bits, before.excess)
        if before.count >= 3, excess > 0.7 * before.excess, loss < 0.05 {
            return forgetQueue(report.roundTripMilliseconds, restoring: before.bits)
        }
        reduce(by: min(max((1 - loss) * 0.9, 0.35), 0.85), now: now)
    }

    mutating func reduce(by factor: Double, now: NIODeadline) {
        lastReduction = now
        let soon = lastGrowth.map { now - $0 < .seconds(15) } ?? false
        hold = soon ? min(hold * 2, Self.longestHold) : Self.shortestHold
        mayGrowAt = now + hold
        if isRedundant {
            isRedundant = false
            noRedundancyUntil = now + Self.longestHold
            return
        }
        limit = bitsPerSecond
        bitsPerSecond = max(bitsPerSecond * factor, range.lowerBound)
    }

    /// Three times less was sent and the round trip stayed: the queue is not ours, or the way became longer.
    mutating func forgetQueue(_ usual: Double?, restoring bits: Double) {
        minimum = usual
        earlierMinimum = nil
        bitsPerSecond = min(max(bits, range.lowerBound), range.upperBound)
        limit = nil
        series = nil
        slowReports = 0
    }

    // MARK: The test of loss

    mutating func begin(_ loss: Double, now: NIODeadline) {
        probe = Probe(bits: bitsPerSecond, loss: loss)
        // As much less as was lost, and more: a queue that stood since before the first report drains, and shows.
        reduce(by: min(max((1 - loss) * 0.85, 0.35), 0.7), now: now)
    }

    mutating func judge(_ loss: Double, now: NIODeadline) {
        guard var probe else { return }
        probe.reports += 1
        probe.sum += loss
        self.probe = probe
        guard probe.reports >= 2 else { return }
        self.probe = nil
        guard probe.sum / 2 > 0.6 * probe.loss else { return }
        bitsPerSecond = probe.bits
        limit = nil
        lossIsRandomUntil = now + Self.trust
        noRedundancyUntil = now
    }

    // MARK: More

    /// In large steps where it went well before, in small ones where it did not.
    mutating func grow(now: NIODeadline) {
        guard bitsPerSecond < range.upperBound, now >= mayGrowAt else { return }
        if let lastGrowth, now - lastGrowth < Self.growthInterval { return }
        lastGrowth = now
        if let known = limit, bitsPerSecond > known * 1.1 { limit = nil }
        let isNear = limit.map { bitsPerSecond > 0.8 * $0 } ?? false
        bitsPerSecond = min(bitsPerSecond * (isNear ? 1.05 : 1.2), range.upperBound)
    }
}
