import NIOCore

/// Which missing packets are asked for again (RFC 4585 generic NACK), and how long they are waited for then.
///
/// Asked is once, and only where the round trip lets the answer come while the stream is no more than `longestLag` behind. A
/// peer that does not answer is left alone for a while: waiting for nothing is delay for nothing.
struct RetransmissionRequests {
    /// Missing packets asked for at once: what one entry of a NACK names.
    static let mostAtOnce = 17
    /// Added to the round trip: the peer's clock tick, and ours.
    static let margin = TimeAmount.milliseconds(8)
    /// The missing packets' own time and the wait together: more would be filled by whoever hears the stream.
    static let longestLag = TimeAmount.milliseconds(60)
    /// Requests without an answer after which none are made …
    private static let patience = 4
    /// … for so long.
    private static let pause = TimeAmount.seconds(10)
    private static let memory = 8

    /// The peer takes requests, and whoever hears its sound can wait for it.
    var isWanted = false
    /// Milliseconds, as the peer's last report has it.
    var roundTrip: Double?
    /// To be written as soon as possible.
    private(set) var pending: (first: UInt16, count: Int)?
    private var asked = [ClosedRange<Int64>?](repeating: nil, count: Self.memory)
    private var nextPlace = 0
    private var unanswered = 0
    private var resumesAt: NIODeadline?

    /// How long what was asked for is waited for; `nil` where the answer would come too late for any.
    var wait: TimeAmount? {
        guard isWanted, let roundTrip else { return nil }
        let wait = TimeAmount.nanoseconds(Int64(min(max(roundTrip, 0), 1e6) * 1e6)) + Self.margin
        return wait <= Self.longestLag ? wait : nil
    }

    /// Packets `first` to `last` are missing as of now.
    mutating func holeOpened(first: Int64, last: Int64, packetTime: TimeAmount, now: NIODeadline) {
        guard let wait, pending == nil, last - first < Int64(Self.mostAtOnce), wait + packetTime * Int(last - first + 1) <= Self.longestLag
        else { return }
        if let resumesAt, now < resumesAt { return }
        resumesAt = nil
        unanswered += 1
        if unanswered >= Self.patience {
            // The next attempt after the pause is the last one before the next pause, unless it is answered.
            unanswered = Self.patience - 1
            resumesAt = now + Self.pause
        }
        pending = (UInt16(truncatingIfNeeded: first), Int(last - first) + 1)
        asked[nextPlace] = first...last
        nextPlace = (nextPlace + 1) % Self.memory
    }

    func hasAsked(for sequence: Int64) -> Bool {
        guard isWanted else { return false }
        for case .some(let range) in asked where range.contains(sequence) { return true }
        return false
    }

    /// A packet came after its successor.
    /// - Parameter lateness: since the successor came
    /// - Returns: whether that is the answer to a request.
    mutating func packetCameLate(_ sequence: Int64, lateness: TimeAmount) -> Bool {
        guard hasAsked(for: sequence), let roundTrip, Double(lateness.nanoseconds) / 1e6 >= roundTrip / 2 else { return false }
        unanswered = 0
        resumesAt = nil
        return true
    }

    mutating func written() { pending = nil }

    /// Another source: nothing of this is about it.
    mutating func forget() {
        pending = nil
        for index in asked.indices { asked[index] = nil }
    }
}
