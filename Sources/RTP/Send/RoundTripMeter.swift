import NIOCore

/// Round trip time (RFC 3550, 6.4.1): the peer's report names one of ours and how long it was kept.
struct RoundTripMeter {
    /// Reports remembered. Answers refer to the newest, or the one before if they crossed.
    private static let memory = 4

    private var sent = [(middle: UInt32, at: NIODeadline)?](repeating: nil, count: Self.memory)
    private var oldest = 0
    private(set) var milliseconds: Double?
    /// When the report was sent that this was measured with.
    private(set) var start: NIODeadline?

    mutating func sent(middle: UInt32, now: NIODeadline) {
        sent[oldest] = (middle, now)
        oldest = (oldest + 1) % Self.memory
    }

    /// - Parameters:
    ///   - middle: the NTP middle the peer refers to, 0 for none
    ///   - delay: in 1/65536 s
    mutating func receive(middle: UInt32, delay: UInt32, now: NIODeadline) {
        guard middle != 0 else { return }
        for case .some(let report) in sent where report.middle == middle {
            let total = Double((now - report.at).nanoseconds) / 1e6
            // A peer that rounds its delay up may make it negative.
            start = report.at
            milliseconds = max(0, total - Double(delay) * 1_000 / 65_536)
            return
        }
    }
}
