import NIOCore

/// How long a hole is worth waiting for, learned from how late packets of this stream really were.
///
/// Zero while all come in order, so that a loss costs no delay. A packet that comes after its successor teaches its
/// lateness; quiet times forget it.
struct ReorderingWait {
    /// Later than this is lost: waiting longer would be heard as delay by everybody.
    static let maximum = TimeAmount.milliseconds(60)
    /// Added to a measured lateness, at most: the next one may be delayed as much behind a successor that is on time.
    static let maximumMargin = TimeAmount.milliseconds(20)
    /// Without need for this long, the wait shrinks …
    static let patience = TimeAmount.seconds(10)
    /// … by half in each of these, …
    static let halving = TimeAmount.seconds(3)
    /// … and below this it is zero: 60 ms is forgotten after 19 s.
    static let negligible = TimeAmount.milliseconds(5)
    /// Holes remembered: 60 ms of 2.5 ms packets, each second one missing, are fewer.
    private static let holeMemory = 16

    private struct Hole {
        var first: Int64 = 0
        var last: Int64 = -1
        var openedAt = NIODeadline.uptimeNanoseconds(0)
    }

    private(set) var current = TimeAmount.zero
    private var holes = [Hole](repeating: Hole(), count: Self.holeMemory)
    private var nextHole = 0
    private var shrinkAt = NIODeadline.uptimeNanoseconds(0)
    /// The largest lateness since the last shrinking that needed only a part of the wait.
    private var smallerNeed = TimeAmount.zero

    /// Packets `first` to `last` are missing as of now.
    mutating func holeOpened(first: Int64, last: Int64, now: NIODeadline) {
        holes[nextHole] = Hole(first: first, last: last, openedAt: now)
        nextHole = (nextHole + 1) % Self.holeMemory
    }

    /// When a successor of the missing packet came; `nil` when that hole is forgotten.
    func openedAt(_ sequence: Int64) -> NIODeadline? {
        for hole in holes where hole.first <= sequence && sequence <= hole.last { return hole.openedAt }
        return nil
    }

    /// A packet came after its successor.
    /// - Parameter packetTime: the time from packet to packet
    mutating func packetCameLate(_ sequence: Int64, packetTime: TimeAmount, now: NIODeadline) {
        guard let openedAt = openedAt(sequence) else { return }
        let lateness = now - openedAt
        // One that no wait could have saved teaches nothing.
        guard lateness <= Self.maximum else { return }
        let need = min(lateness + min(packetTime, Self.maximumMargin), Self.maximum)
        if need >= current {
            current = need
            rest(now)
        } else if need > current / 2 {
            rest(now)
        } else {
            smallerNeed = max(smallerNeed, need)
        }
    }

    mutating func shrink(now: NIODeadline) {
        guard current > .zero, now >= shrinkAt else { return }
        let half = current / 2
        current = half > smallerNeed ? half : smallerNeed
        if current < Self.negligible {
            current = .zero
        }
        let needed = smallerNeed > .zero && current == smallerNeed
        smallerNeed = .zero
        shrinkAt = now + (needed ? Self.patience : Self.halving)
    }

    /// Another source: nothing of this is about it.
    mutating func forgetHoles() {
        for index in holes.indices { holes[index] = Hole() }
    }

    private mutating func rest(_ now: NIODeadline) {
        shrinkAt = now + Self.patience
        smallerNeed = .zero
    }
}

extension TimeAmount {
    fileprivate static func / (amount: TimeAmount, divisor: Int64) -> TimeAmount {
        .nanoseconds(amount.nanoseconds / divisor)
    }
}
