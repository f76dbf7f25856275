import NIOCore
import RTP
import SDP
import Transcode

/// Decides from the peer's reports how the Opus toward it is made: bitrate, forward error correction and packet time.
///
/// Loss at random buys protection and keeps the rate; congestion lowers the rate, and where the headers would cost more than
/// the sound, packets become longer. Every decision has a threshold for coming and a lower one, or a time, for going.
/// A value on virtual time: `now` is given, nothing is allocated.
struct OpusAdaptation {
    /// What was negotiated and configured.
    struct Limits: Equatable {
        /// Bits per second where the network allows it; what the peer wants at most is taken into account.
        var bitrate: Int
        /// Percent of loss expected whatever the reports say.
        var expectedLoss: Int
        /// The negotiated packet time and the longest the peer takes, milliseconds.
        var packetTimes: ClosedRange<Int>
        /// Whether the peer makes use of in-band FEC (`useinbandfec`).
        var takesErrorCorrection: Bool
        /// Whether the peer takes redundant payloads (RFC 2198).
        var takesRedundancy: Bool
    }

    /// How the stream is made from now on.
    struct Decision: Equatable {
        /// Bits per second of sound.
        var bitrate: Int
        /// Percent; above 0 frames carry the one before them.
        var expectedLoss: Int
        /// Milliseconds.
        var packetTime: Int
        /// Every frame is sent twice (RFC 2198).
        var isRedundant: Bool
    }

    private(set) var limits: Limits
    private(set) var decision: Decision
    /// Smoothed, 0 to 1: quick to rise, slow to fall.
    private(set) var loss = 0.0
    private var budget: OpusAdaptationBudget
    /// When transport-wide feedback came last: while it comes, receiver reports tell nothing that it does not.
    private var lastTransport: NIODeadline?
    /// Since when less protection would do.
    private var lowerSince: NIODeadline?
    private var redundancyIdleSince: NIODeadline?

    /// Bits per second, as libopus makes speech of it that is understood.
    static let leastBitrate = 6000
    /// IP, UDP, RTP and the tag of SRTP, bytes a packet.
    private static let headerBytes = 54
    /// Steps of the bitrate.
    private static let step = 500
    private static let packetTimes = [10, 20, 40, 60]
    /// Loss from which on protection pays, and below which it is given up.
    private static let protectedLoss = 0.02
    private static let unprotectedLoss = 0.01
    /// Transport-wide feedback that stays out for so long has ended.
    private static let transportSilence = TimeAmount.seconds(12)
    /// For so long a loss must be lower before protection becomes less.
    private static let patience = TimeAmount.seconds(15)
    /// Loss from which on frames are sent twice, and above which FEC is of use beside that.
    private static let redundantLoss = 0.04
    private static let burstyLoss = 0.1
    /// A report on fewer packets counts for less.
    private static let wholeReport = 50.0
    private static let highestExpectedLoss = 30
    /// What both copies together may take, bits per second.
    private static let highestBitrate = 64000

    init(_ limits: Limits) {
        self.limits = limits
        budget = OpusAdaptationBudget(range: Self.range(limits))
        decision = Decision(
            bitrate: limits.bitrate, expectedLoss: limits.expectedLoss, packetTime: limits.packetTimes.lowerBound, isRedundant: false)
    }

    /// A new description or far end: what is known of the network holds on.
    mutating func change(_ limits: Limits) {
        guard limits != self.limits else { return }
        self.limits = limits
        budget.change(range: Self.range(limits))
        if !limits.takesErrorCorrection { decision.expectedLoss = limits.expectedLoss }
        decision.expectedLoss = max(decision.expectedLoss, limits.expectedLoss)
        decision.isRedundant = decision.isRedundant && limits.takesRedundancy
        budget.isRedundant = decision.isRedundant
        decision.packetTime = min(max(decision.packetTime, limits.packetTimes.lowerBound), limits.packetTimes.upperBound)
        share()
    }

    /// Takes a report of the peer.
    /// - Returns: whether the decision is another one now.
    mutating func receive(_ report: PeerReport, now: NIODeadline) -> Bool {
        guard report.packets > 0 else { return false }
        if let lastTransport {
            guard now - lastTransport >= Self.transportSilence else { return false }
            self.lastTransport = nil
            budget.forgetDelays()
        }
        return decide(loss: report.fractionLost, of: report.packets, now: now) { $0.receive(report, now: now) }
    }

    /// Takes a report of the transport.
    /// - Returns: whether the decision is another one now.
    mutating func receive(_ report: TransportReport, now: NIODeadline) -> Bool {
        guard report.packets > 0 else { return false }
        if lastTransport == nil { budget.forgetDelays() }
        lastTransport = now
        return decide(loss: Double(report.lost) / Double(report.packets), of: report.packets, now: now) { $0.receive(report, now: now) }
    }

    private mutating func decide(
        loss fraction: Double, of packets: Int, now: NIODeadline, budgeting: (inout OpusAdaptationBudget) -> Void
    ) -> Bool {
        let before = decision
        let weight = min(1, Double(packets) / Self.wholeReport)
        loss += (fraction - loss) * (fraction > loss ? 0.7 : 0.25) * weight
        budgeting(&budget)
        decideRedundancy(now: now)
        decideErrorCorrection(now: now)
        share()
        return decision != before
    }

    // MARK: Protection

    private mutating func decideErrorCorrection(now: NIODeadline) {
        var wanted = 0
        if limits.takesErrorCorrection, !decision.isRedundant || loss >= Self.burstyLoss {
            let threshold = decision.expectedLoss > 0 ? Self.unprotectedLoss : Self.protectedLoss
            // In steps of five percent, rounded up.
            if loss >= threshold { wanted = min(Int(loss * 20) * 5 + 5, Self.highestExpectedLoss) }
        }
        wanted = max(wanted, limits.expectedLoss)
        guard wanted < decision.expectedLoss else {
            decision.expectedLoss = wanted
            lowerSince = nil
            return
        }
        let since = lowerSince ?? now
        lowerSince = since
        guard now - since >= Self.patience else { return }
        decision.expectedLoss = wanted
        lowerSince = nil
    }

    /// Redundancy is for ways that carry it: no congestion lately, and both copies below what the peer and we allow.
    private mutating func decideRedundancy(now: NIODeadline) {
        let isAffordable = limits.takesRedundancy && budget.isFull && now >= budget.noRedundancyUntil
            && decision.bitrate * 2 <= Self.highestBitrate
        guard isAffordable, !decision.isRedundant || budget.isRedundant else {
            decision.isRedundant = false
            budget.isRedundant = false
            redundancyIdleSince = nil
            return
        }
        if loss >= Self.redundantLoss {
            decision.isRedundant = true
            redundancyIdleSince = nil
        } else if decision.isRedundant, loss < Self.protectedLoss {
            let since = redundancyIdleSince ?? now
            redundancyIdleSince = since
            if now - since >= Self.patience { decision.isRedundant = false }
        } else {
            redundancyIdleSince = nil
        }
        budget.isRedundant = decision.isRedundant
    }

    // MARK: Rate and packet time

    /// Divides what the way carries between headers and sound.
    private mutating func share() {
        let bits = budget.bitsPerSecond
        let usual = Double(limits.bitrate)
        func sound(_ milliseconds: Int) -> Double { bits - Self.headers(milliseconds) }
        while let longer = Self.packetTimes.first(where: { $0 > decision.packetTime }), longer <= limits.packetTimes.upperBound,
            sound(decision.packetTime) < 0.75 * min(Self.headers(decision.packetTime), usual)
        {
            decision.packetTime = longer
        }
        while let shorter = Self.packetTimes.last(where: { $0 < decision.packetTime }), shorter >= limits.packetTimes.lowerBound,
            sound(shorter) >= min(Self.headers(shorter), usual)
        {
            decision.packetTime = shorter
        }
        let rate = Int(sound(decision.packetTime)) / Self.step * Self.step
        decision.bitrate = budget.isFull ? limits.bitrate : min(max(rate, Self.leastBitrate), limits.bitrate)
    }

    private static func headers(_ milliseconds: Int) -> Double { Double(headerBytes * 8 * 1000 / milliseconds) }

    private static func range(_ limits: Limits) -> ClosedRange<Double> {
        let most = Double(limits.bitrate) + headers(limits.packetTimes.lowerBound)
        let least = Double(min(leastBitrate, limits.bitrate)) + headers(limits.packetTimes.upperBound)
        return min(least, most)...most
    }
}

extension OpusAdaptation.Limits {
    /// nil for another codec.
    init?(_ audio: NegotiatedAudio, _ settings: OpusEncoder.Settings) {
        guard audio.codec == .opus else { return nil }
        bitrate = min(settings.bitrate, audio.opus.maxAverageBitrate ?? settings.bitrate)
        expectedLoss = settings.expectedLoss
        packetTimes = audio.packetTime...max(audio.packetTime, audio.maximumPacketTime)
        takesErrorCorrection = audio.opus.useInbandFEC
        takesRedundancy = audio.sendRedundancy != nil
    }
}
