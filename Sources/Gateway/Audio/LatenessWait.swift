import NIOCore

/// How long a stream without gaps waits for packets that come in order but late, in bunches: learned from how much later than this
/// stream's fastest packets others really came. Nothing while the network is calm; quiet times forget it.
///
/// Only the making up waits. A packet that is here goes on at once, so what is learnt delays nobody.
struct LatenessWait {
    private let rate: Int64
    /// In nanoseconds; 0 while nothing is learnt.
    private(set) var nanoseconds: Int64 = 0
    private var shrinkAt = NIODeadline.uptimeNanoseconds(0)
    /// The largest need since the last shrinking, of those that needed only a part of the wait.
    private var smallerNeed: Int64 = 0

    /// Least transit time in nanoseconds, up to a constant, in the present half of the window and in the one before it.
    private var present: Int64?
    private var earlier: Int64?
    private var halfBegan = NIODeadline.uptimeNanoseconds(0)
    private var lastTransit: Int64?

    /// Packets later than this are held back by more than jitter: an agent's voice detector cannot wait so long for silence.
    private static let maximum: Int64 = 200_000_000
    /// Added to a measured lateness: the next one may be a little later.
    private static let margin: Int64 = 20_000_000
    /// What needs no more than this is waited for anyway.
    private static let negligible: Int64 = 60_000_000
    /// Half of the ten seconds in which the fastest packet is looked for: a sender's slow clock is no lateness.
    private static let half = TimeAmount.seconds(5)
    /// Without need for this long, the wait shrinks by half …
    private static let patience = TimeAmount.seconds(10)
    /// … and again in each of these.
    private static let halving = TimeAmount.seconds(3)

    /// - Parameter rate: samples a second of the media times given to `observe`
    init(rate: Int) { self.rate = Int64(rate) }

    /// In milliseconds.
    var milliseconds: Double { Double(nanoseconds) / 1e6 }
    /// In samples of `rate`.
    var samples: Int64 { nanoseconds / 1000 * rate / 1_000_000 }

    /// The sender's axis began anew: what was measured on the old one says nothing. What was learnt of the network holds on.
    mutating func restart() {
        present = nil
        earlier = nil
        lastTransit = nil
    }

    /// A frame of the sender's `time`, in samples, arrived.
    mutating func observe(_ time: Int64, arrival: NIODeadline) {
        let (seconds, samples) = time.quotientAndRemainder(dividingBy: rate)
        let transit = Int64(arrival.uptimeNanoseconds) - (seconds * 1_000_000_000 + samples * 1_000_000_000 / rate)
        defer { lastTransit = transit }
        if let present, arrival - halfBegan < Self.half {
            self.present = min(present, transit)
        } else {
            earlier = present
            present = transit
            halfBegan = arrival
        }
        let lateness = transit - min(present ?? transit, earlier ?? transit)
        // What a stall held back comes all at once, each packet less late than the one before: no wait could have saved it.
        if lateness <= Self.maximum, let lastTransit, transit > lastTransit { learn(lateness + Self.margin, now: arrival) }
        if nanoseconds > 0, arrival >= shrinkAt { shrink(now: arrival) }
    }

    private mutating func learn(_ need: Int64, now: NIODeadline) {
        guard need > Self.negligible else { return }
        if need > nanoseconds / 2 {
            nanoseconds = max(nanoseconds, min(need, Self.maximum))
            smallerNeed = 0
            shrinkAt = now + Self.patience
        } else {
            smallerNeed = max(smallerNeed, need)
        }
    }

    private mutating func shrink(now: NIODeadline) {
        nanoseconds = max(nanoseconds / 2, smallerNeed)
        if nanoseconds <= Self.negligible { nanoseconds = 0 }
        smallerNeed = 0
        shrinkAt = now + Self.halving
    }
}
