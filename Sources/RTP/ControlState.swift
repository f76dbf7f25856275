import NIOCore

/// What RTCP needs to remember between packets.
struct ControlState {
    var schedule: ReportSchedule
    var roundTrip = RoundTripMeter()
    /// UTF-8, cut to what fits an SDES item.
    let cname: [UInt8]
    let asksForRoundTrip: Bool
    var received = 0
    var malformed = 0
    /// Packets of ours sent again.
    var resent = 0
    /// Transport-wide feedback on the peer's packets.
    var transportReportsSent = 0
    /// Packets sent when the last report, and the one before it, went out: who sent none since is no sender
    /// (RFC 3550, 6.4).
    private var sentAtReports = (last: 0, before: 0)
    /// What the peer said of our stream.
    private var peer: ReportBlock?
    /// Reports of the peer on our stream, and how many packets the last one was about.
    private var peerReports = 0
    private var peerPackets = 0
    /// The highest sequence number the peer's last report named; before one, that before our first.
    private var peerSequence: UInt32

    init(configuration: RTPSession.Configuration, now: NIODeadline) {
        schedule = ReportSchedule(seed: configuration.reportSeed, now: now)
        cname = Array(configuration.cname.utf8.prefix(255))
        asksForRoundTrip = configuration.asksForRoundTrip
        peerSequence = UInt32(configuration.initialSequence & 0x7FFF) &- 1
    }

    func isSender(packets: Int) -> Bool { packets > sentAtReports.before }

    mutating func reportSent(packets: Int, now: NIODeadline) {
        sentAtReports = (packets, sentAtReports.last)
        schedule.sent(now: now)
    }

    mutating func receiveReport(_ block: ReportBlock, now: NIODeadline) {
        peerReports += 1
        // Bytes from outside: sequence numbers that go back, or leap, are about no packets of ours.
        let step = Int32(bitPattern: block.extendedHighestSequence &- peerSequence)
        peerSequence = block.extendedHighestSequence
        peerPackets = (0...Int32(UInt16.max)).contains(step) ? Int(step) : 0
        peer = block
        roundTrip.receive(middle: block.lastSenderReport, delay: block.delaySinceLastSenderReport, now: now)
    }

    /// The peer's last report on our stream; `nil` until one came.
    var peerReport: PeerReport? {
        peer.map {
            PeerReport(
                number: peerReports, packets: peerPackets, fractionLost: Double($0.fractionLost) / 256,
                roundTripMilliseconds: roundTrip.milliseconds, roundTripStart: roundTrip.start)
        }
    }

    func report(to statistics: inout RTPStatistics, clockRate: Int) {
        statistics.controlReceived = received
        statistics.controlMalformed = malformed
        statistics.resent = resent
        statistics.transportReportsSent = transportReportsSent
        statistics.roundTripMilliseconds = roundTrip.milliseconds
        guard let peer else { return }
        statistics.peerFractionLost = Double(peer.fractionLost) / 256
        statistics.peerLost = Int(peer.cumulativeLost)
        statistics.peerJitterMilliseconds = Double(peer.jitter) * 1_000 / Double(clockRate)
    }
}
