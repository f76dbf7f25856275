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
    /// Packets sent when the last report, and the one before it, went out: who sent none since is no sender
    /// (RFC 3550, 6.4).
    private var sentAtReports = (last: 0, before: 0)
    /// What the peer said of our stream.
    private var peer: ReportBlock?

    init(configuration: RTPSession.Configuration, now: NIODeadline) {
        schedule = ReportSchedule(seed: configuration.reportSeed, now: now)
        cname = Array(configuration.cname.utf8.prefix(255))
        asksForRoundTrip = configuration.asksForRoundTrip
    }

    func isSender(packets: Int) -> Bool { packets > sentAtReports.before }

    mutating func reportSent(packets: Int, now: NIODeadline) {
        sentAtReports = (packets, sentAtReports.last)
        schedule.sent(now: now)
    }

    mutating func receiveReport(_ block: ReportBlock, now: NIODeadline) {
        peer = block
        roundTrip.receive(middle: block.lastSenderReport, delay: block.delaySinceLastSenderReport, now: now)
    }

    func report(to statistics: inout RTPStatistics, clockRate: Int) {
        statistics.controlReceived = received
        statistics.controlMalformed = malformed
        statistics.roundTripMilliseconds = roundTrip.milliseconds
        guard let peer else { return }
        statistics.peerFractionLost = Double(peer.fractionLost) / 256
        statistics.peerLost = Int(peer.cumulativeLost)
        statistics.peerJitterMilliseconds = Double(peer.jitter) * 1_000 / Double(clockRate)
    }
}
