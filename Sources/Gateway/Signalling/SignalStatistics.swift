import NIOCore

/// How a browser's leg does, as the gateway sees it: what `stats` of the signal socket says. Keeps the figures of the last report, since
/// losses and rates are those between two.
struct SignalStatistics {
    /// What one message says. What is not known is left out.
    struct Report: Encodable, Equatable {
        /// As descriptions name it.
        var codec: String?
        /// Milliseconds.
        var rtt_ms: Double?
        /// Of what was received so far, 1 to 4.5 (ITU-T G.107).
        var mos: Double?
        /// From the browser, and to it.
        var received: Way
        var sent: Way
    }

    /// One direction.
    struct Way: Encodable, Equatable {
        /// Of the whole call.
        var packets: Int
        var lost: Int?
        /// Since the last report; of what was sent, by the browser's last receiver report.
        var loss_pct: Double?
        var jitter_ms: Double?
        /// Bits a second of sound, without headers, since the last report.
        var bitrate: Int
        /// Of the whole call: sound made up in place of what was lost.
        var concealed_ms: Int?
    }

    private var last: (figures: LegFigures, at: NIODeadline)?

    /// What is to be said now; nil for the first figures, which later ones are compared with, and where no time has passed.
    mutating func report(_ figures: LegFigures, now: NIODeadline) -> Report? {
        defer { last = (figures, now) }
        guard let last, now > last.at else { return nil }
        let seconds = Double((now - last.at).nanoseconds) / 1e9
        let (new, old) = (figures.rtp, last.figures.rtp)
        func bitrate(_ octets: Int) -> Int { Int((Double(max(octets, 0) * 8) / seconds).rounded()) }
        let arrived = max(new.packetsReceived - old.packetsReceived, 0)
        let lost = max(new.lost - old.lost, 0)
        let leg = CallRecord.Leg(.browser, name: nil, figures)
        return Report(
            codec: figures.codec, rtt_ms: new.roundTripMilliseconds.map(Self.tenths), mos: leg.meanOpinionScore.map(Self.tenths),
            received: Way(
                packets: new.packetsReceived, lost: max(new.lost, 0),
                loss_pct: arrived + lost > 0 ? Self.tenths(Double(lost) * 100 / Double(arrived + lost)) : nil,
                jitter_ms: Self.tenths(new.jitterMilliseconds), bitrate: bitrate(new.octetsReceived - old.octetsReceived),
                concealed_ms: figures.inbound.concealedMilliseconds),
            sent: Way(
                packets: new.packetsSent, lost: new.peerLost.map { max($0, 0) }, loss_pct: new.peerFractionLost.map { Self.tenths($0 * 100) },
                jitter_ms: new.peerJitterMilliseconds.map(Self.tenths), bitrate: bitrate(new.octetsSent - old.octetsSent)))
    }

    private static func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
