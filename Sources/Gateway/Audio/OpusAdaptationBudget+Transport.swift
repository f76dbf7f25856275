import NIOCore
import RTP

/// What transport-wide feedback adds: delays of single packets every half second, in place of a round trip every five.
///
/// A queue shows in the shortest delay of a report, more than 60 ms above its own minimum; what came through meanwhile is what
/// the way carries. Loss is judged as ever, over two seconds of packets.
extension OpusAdaptationBudget {
    struct Transport {
        /// Since when a queue stands, what was sent then, and how long it was.
        var queue: (since: NIODeadline, bits: Double, excess: Double)?
        /// Of the last report, milliseconds above the minimum.
        var excess = 0.0
        /// Packets since the last judgement on loss, and since when they were sent.
        var packets = 0
        var lost = 0
        var sentFrom: NIODeadline?
    }

    /// Of what came through; the rest lets the queue drain.
    private static let share = 0.85
    /// Less than this is not worth a change.
    private static let margin = 0.98
    /// A queue that so long did not become shorter, though less is sent, wants still less …
    private static let stubborn = TimeAmount.seconds(2)
    /// … and one that stands after this is none of ours.
    private static let patience = TimeAmount.seconds(8)
    /// Packets that a judgement on loss takes.
    private static let judged = 100

    /// Delays of another kind are not to be compared with those before.
    mutating func forgetDelays() {
        minimum = nil
        earlierMinimum = nil
        minuteBegan = nil
        slowReports = 0
        series = nil
        transport = Transport()
    }

    mutating func receive(_ report: TransportReport, now: NIODeadline) {
        let excess = observe(report.delayMilliseconds, now: now)
        let before = transport.excess
        transport.excess = excess
        judgeQueue(excess, before: before, report, now: now)
        transport.packets += report.packets
        transport.lost += report.lost
        let sentFrom = transport.sentFrom ?? report.sentFrom
        transport.sentFrom = sentFrom
        guard transport.packets >= Self.judged else { return growMeanwhile(now: now) }
        let loss = Double(transport.lost) / Double(transport.packets)
        (transport.packets, transport.lost, transport.sentFrom) = (0, 0, nil)
        // What was sent before less was is about more.
        if lastReduction.map({ sentFrom >= $0 }) ?? true { judgeLoss(loss, now: now) }
    }

    /// Long packets take many seconds to judge the loss by: more may be sent before, unless much is being lost.
    private mutating func growMeanwhile(now: NIODeadline) {
        guard transport.queue == nil, probe == nil, lossyReports == 0, transport.excess <= Self.queue / 2,
            transport.packets >= Self.judged / 4, Double(transport.lost) < Self.heavyLoss * Double(transport.packets)
        else { return }
        grow(now: now)
    }

    private mutating func judgeQueue(_ excess: Double, before: Double, _ report: TransportReport, now: NIODeadline) {
        guard excess > Self.queue else {
            transport.queue = nil
            return
        }
        let isNew = transport.queue == nil
        let queue = transport.queue ?? (now, bitsPerSecond, excess)
        transport.queue = queue
        probe = nil
        if now - queue.since >= Self.patience, excess > 0.7 * queue.excess, report.lost == 0 {
            transport.queue = nil
            return forgetQueue(report.delayMilliseconds, restoring: queue.bits)
        }
        // Unknown where we sent hardly anything: such a queue is hardly ours, and what came is not all that could have come.
        let carried = report.deliveredBitsPerSecond.map { $0 * Self.share }
        if isNew {
            reduce(by: min(max((carried ?? bitsPerSecond) / bitsPerSecond, 0.35), Self.share), now: now)
        } else if let carried, carried < bitsPerSecond * Self.margin {
            lower(to: carried, now: now)
        } else if let lastReduction, now - lastReduction >= Self.stubborn, excess > 0.9 * before {
            lower(to: bitsPerSecond * Self.share, now: now)
        }
    }

    /// Still less within the same queue.
    private mutating func lower(to bits: Double, now: NIODeadline) {
        lastReduction = now
        mayGrowAt = now + hold
        bitsPerSecond = max(bits, range.lowerBound)
    }

    private mutating func judgeLoss(_ loss: Double, now: NIODeadline) {
        lossyReports = loss >= Self.heavyLoss ? lossyReports + 1 : 0
        guard transport.queue == nil else { return }
        if probe != nil {
            judge(loss, now: now)
        } else if lossyReports >= 2 || loss >= Self.massiveLoss, now >= lossIsRandomUntil {
            if bitsPerSecond > range.lowerBound { begin(loss, now: now) }
        } else if transport.excess <= Self.queue / 2 {
            grow(now: now)
        }
    }
}
