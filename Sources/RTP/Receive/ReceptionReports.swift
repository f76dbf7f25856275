import NIOCore

/// Makes report blocks of one source (RFC 3550, A.3), and remembers its sender reports for them.
struct ReceptionReports {
    private var expectedBefore = 0
    private var receivedBefore = 0
    private var senderReport: (middle: UInt32, arrival: NIODeadline)?

    mutating func receiveSenderReport(_ timestamp: NTPTimestamp, now: NIODeadline) {
        senderReport = (timestamp.middle, now)
    }

    /// - Returns: `nil` when nothing came since the last one.
    mutating func make(ssrc: UInt32, tracker: SequenceTracker, jitter: UInt32, now: NIODeadline) -> ReportBlock? {
        // A restart set the tracker's counts back.
        if tracker.expected < expectedBefore || tracker.received < receivedBefore {
            expectedBefore = 0
            receivedBefore = 0
        }
        guard tracker.received > receivedBefore else { return nil }
        let expected = tracker.expected - expectedBefore
        let lost = expected - (tracker.received - receivedBefore)
        expectedBefore = tracker.expected
        receivedBefore = tracker.received
        let fraction = expected > 0 && lost > 0 ? min(lost * 256 / expected, 255) : 0
        let range = ReportBlock.cumulativeLostRange
        let cumulative = min(max(tracker.expected - tracker.received, range.lowerBound), range.upperBound)
        var delay: UInt32 = 0
        if let senderReport {
            delay = UInt32(clamping: (now - senderReport.arrival).nanoseconds / 1_000 * 65_536 / 1_000_000)
        }
        return ReportBlock(
            ssrc: ssrc, fractionLost: UInt8(fraction), cumulativeLost: Int32(cumulative),
            extendedHighestSequence: UInt32(truncatingIfNeeded: tracker.highest), jitter: jitter,
            lastSenderReport: senderReport?.middle ?? 0, delaySinceLastSenderReport: delay)
    }
}
