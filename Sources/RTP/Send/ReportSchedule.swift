import NIOCore

/// When the next RTCP report is due (RFC 3550, 6.2 and 6.3): two members and little bandwidth, so it is always the
/// minimum of 5 s, halved for the first one, spread at random.
struct ReportSchedule {
    /// Tmin; we do not use the reduced minimum.
    private static let interval = 5.0
    /// e - 3/2: makes up for timer reconsideration (6.3.1).
    private static let compensation = 1.21828

    private(set) var next: NIODeadline
    /// SplitMix64: decides no more than when reports are sent.
    private var random: UInt64

    init(seed: UInt64, now: NIODeadline) {
        random = seed
        next = now
        plan(after: now, interval: Self.interval / 2)
    }

    mutating func sent(now: NIODeadline) {
        plan(after: now, interval: Self.interval)
    }

    private mutating func plan(after now: NIODeadline, interval: Double) {
        random &+= 0x9E37_79B9_7F4A_7C15
        var bits = random
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        let unit = Double(bits >> 11) / Double(UInt64(1) << 53)
        next = now + .nanoseconds(Int64(interval * (0.5 + unit) / Self.compensation * 1e9))
    }
}
