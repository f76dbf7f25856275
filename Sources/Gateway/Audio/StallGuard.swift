import NIOCore

/// Finds frames that a stall of the network held back (ARCHITECTURE 4a.4): more than 300 ms later than this stream's fastest
/// packets of the last seconds. Passed on to a far end with a jitter buffer of its own they would be a standing delay there.
struct StallGuard {
    private let rate: Int64
    /// Least transit time in nanoseconds, up to a constant, in the present half of the window and in the one before it.
    private var present: Int64?
    private var earlier: Int64?
    private var halfBegan: NIODeadline?
    /// Since when every frame is late, and the transit time of the first of them.
    private var lateRun: (since: NIODeadline, transit: Int64)?

    /// Frames this much later than the fastest are held back by more than jitter, in nanoseconds.
    private static let tolerance: Int64 = 300_000_000
    /// Half of the ten seconds in which the fastest packet is looked for.
    private static let half = TimeAmount.seconds(5)
    /// Frames that stay late for this long and do not catch up are no backlog: the route became longer, or the sender's clock
    /// stood still meanwhile.
    private static let patience = TimeAmount.milliseconds(500)
    /// A backlog catches up by more than this within `patience`, in nanoseconds.
    private static let catchingUp: Int64 = 60_000_000

    /// - Parameter rate: samples a second of the media times given to `observe`
    init(rate: Int) {
        self.rate = Int64(rate)
    }

    /// The sender's axis began anew: what was measured on the old one says nothing.
    mutating func reset() {
        present = nil
        earlier = nil
        halfBegan = nil
        lateRun = nil
    }

    /// A frame of the sender's `time`, in samples, arrived.
    /// - Returns: whether it is so late that it is to be left out.
    mutating func observe(_ time: Int64, arrival: NIODeadline) -> Bool {
        let transit = self.transit(time, arrival)
        // A stall longer than the window still finds the half before it: halves change when packets come, one at a time.
        if let began = halfBegan, arrival - began < Self.half {
            present = min(present ?? transit, transit)
        } else {
            earlier = present
            present = transit
            halfBegan = arrival
        }
        guard isLate(transit) else {
            lateRun = nil
            return false
        }
        return isBacklog(transit, arrival: arrival)
    }

    /// Whether a late frame is one of those that a stall held back. Where it is not, the longer transit is the new measure.
    private mutating func isBacklog(_ transit: Int64, arrival: NIODeadline) -> Bool {
        guard let run = lateRun else {
            lateRun = (arrival, transit)
            return true
        }
        guard arrival - run.since >= Self.patience else { return true }
        if run.transit - transit > Self.catchingUp {
            lateRun = (arrival, transit)
            return true
        }
        reset()
        present = transit
        halfBegan = arrival
        return false
    }

    /// Whether a frame of the sender's `time` that is made up now, in place of a lost one, comes too late.
    func isLate(_ time: Int64, now: NIODeadline) -> Bool { isLate(transit(time, now)) }

    private func isLate(_ transit: Int64) -> Bool {
        guard let present else { return false }
        return transit - min(present, earlier ?? present) > Self.tolerance
    }

    private func transit(_ time: Int64, _ arrival: NIODeadline) -> Int64 {
        let (seconds, samples) = time.quotientAndRemainder(dividingBy: rate)
        return Int64(arrival.uptimeNanoseconds) - (seconds * 1_000_000_000 + samples * 1_000_000_000 / rate)
    }
}
