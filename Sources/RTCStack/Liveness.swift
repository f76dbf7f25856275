import NIOCore

/// Consent by incoming packets: whoever is heard is there (ARCHITECTURE 4a.9).
struct Liveness {
    /// Two of Chrome's checks missed, and a little.
    static let awayAfter = TimeAmount.seconds(8)
    /// RFC 7675 section 5.1: consent expires after 30 s.
    static let overAfter = TimeAmount.seconds(30)

    enum Change { case none, away, over }

    private var lastHeard: NIODeadline
    private var wasHeard = false
    private(set) var isAway = false

    init(now: NIODeadline) { lastHeard = now }

    var deadline: NIODeadline { lastHeard + (wasHeard && !isAway ? Self.awayAfter : Self.overAfter) }

    /// An authenticated packet came. True when the peer had been away.
    mutating func heard(now: NIODeadline) -> Bool {
        lastHeard = now
        wasHeard = true
        defer { isAway = false }
        return isAway
    }

    mutating func expire(now: NIODeadline) -> Change {
        if now >= lastHeard + Self.overAfter { return .over }
        guard wasHeard, !isAway, now >= lastHeard + Self.awayAfter else { return .none }
        isAway = true
        return .away
    }
}
