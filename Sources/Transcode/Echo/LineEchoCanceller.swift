/// Takes out the echo that a telephone line sends back of what is played to it: where its hybrid joins four wires to two, and where
/// a handset's earpiece is heard by its microphone (ITU-T G.168 describes both). Confined to the call's media loop.
///
/// `played` gets exactly what goes out and `process` what comes in, each with its place on its own axis, the RTP timestamps'. The
/// distance of these axes to each other is part of the echo's path and stays as it is however packets come: jitter does not
/// matter. Until an echo is found, and where there is none, everything passes as it comes. No frame allocates anything; the
/// filter, about 45 kB, is made when the first echo is found, and learns at once from the half second that came before.
public final class LineEchoCanceller {
    /// What is known of the line's echo.
    public struct Figures: Sendable, Equatable {
        /// How much weaker the echo is than what is played, in dB.
        public var returnLoss: Double
        /// How much weaker what is left of it is, in dB, while nobody speaks at the line.
        public var enhancement: Double
    }

    /// The rates it works at, in samples a second.
    public static let rates = [8000, 16_000]
    /// Milliseconds between the playing of a sound and its echo that are covered, from when the packet leaves.
    public static let longestDelay = EchoDelayEstimator.delays * 1000 / EchoDecimator.rate

    private let rate: Int
    private var reference: EchoReference
    private let decimator: EchoDecimator
    private var estimator: EchoDelayEstimator
    private var filter: EchoFilter?
    /// Nil once an echo was found.
    private var past: EchoPast?
    private let origin: EchoOrigin
    private var suppressor: EchoSuppressor
    private var meter = EchoMeter()
    private var isCancelling = false
    private var doubt: EchoDoubt
    /// Behind the last sample that came in.
    private var end: Int64?
    private var sinceFar: Int

    /// Mean square above which something is played: -55 dBFS.
    private static let audible: Float = 3400
    /// Blocks after a sound in which its echo rings.
    private static let ringing = 5
    /// Seconds of sound without use after which the filter rests until an echo is found again.
    private static let patience = 4

    /// nil for another rate.
    public init?(rate: Int) {
        guard Self.rates.contains(rate) else { return nil }
        self.rate = rate
        reference = EchoReference(rate: rate)
        decimator = EchoDecimator(rate: rate)
        estimator = EchoDelayEstimator(decimator: decimator)
        past = EchoPast(capacity: reference.capacity, block: rate / 100, reach: decimator.reach)
        origin = EchoOrigin(decimator: decimator)
        suppressor = EchoSuppressor(block: rate / 100)
        doubt = EchoDoubt(rate: rate)
        sinceFar = Self.ringing
    }

    /// Whether an echo was found and is being taken out: what is heard is not what came.
    public var isActive: Bool { isCancelling }

    /// What `process` was given last may be no more than an echo, for the line is not learnt yet: no ground to take it for a voice.
    public private(set) var mayBeEcho = false

    /// nil until an echo was taken out for a second.
    public var figures: Figures? {
        meter.figures.map { Figures(returnLoss: $0.returnLoss, enhancement: $0.enhancement) }
    }

    /// What goes out to the line.
    /// - Parameters:
    ///   - position: the place of the first sample on the axis of what goes out, in samples
    ///   - clock: local time in samples
    public func played(_ samples: UnsafeBufferPointer<Int16>, at position: Int64, clock: Int64) {
        guard let base = samples.baseAddress, !samples.isEmpty else { return }
        let power = SumOfSquares.of(base, samples.count) / Float(samples.count)
        reference.append(base, count: samples.count, power: power, at: position, clock: clock)
        if !doubt.isOver { doubt.played(power: power, count: samples.count, clock: clock) }
    }

    /// Takes the echo out of what came from the line, in place. A rest that is no block of 10 ms is left as it is.
    /// - Parameters:
    ///   - position: the place of the first sample on the axis of what comes in, in samples
    ///   - clock: local time in samples
    public func process(_ samples: UnsafeMutableBufferPointer<Int16>, at position: Int64, clock: Int64) {
        guard let base = samples.baseAddress, let played = reference.end else { return }
        if position != end { skip() }
        end = position &+ Int64(samples.count)
        let factor = Int64(decimator.factor)
        let latest = (played &+ max(0, clock &- reference.clock)) / factor
        estimator.observe(base, count: samples.count, at: position, reference: &reference, played: latest)
        if !isCancelling, let past, let found = estimator.offset, !origin.isEcho(past, end: position, offset: found, reference: &reference) {
            // It may be the line's own voice that is played.
            estimator.doubt()
        }
        if let offset = estimator.offset { aim(at: offset &* factor, packet: position, samples.count) }
        if isCancelling, let filter {
            var start = 0
            while start + filter.block <= samples.count {
                cancel(base + start, at: position &+ Int64(start), filter)
                start += filter.block
            }
        } else {
            past?.append(base, count: samples.count)
        }
        judge(base, samples.count, clock: clock)
    }

    private func judge(_ samples: UnsafePointer<Int16>, _ count: Int, clock: Int64) {
        guard !doubt.isOver, count > 0 else { return mayBeEcho = false }
        let isLearnt = isCancelling && filter?.hasHelped == true && suppressor.isUsable
        let power = SumOfSquares.of(samples, count) / Float(count)
        mayBeEcho = doubt.heard(power: power, clock: clock, isFound: isCancelling, isLearnt: isLearnt)
    }

    private func skip() {
        estimator.skip()
        past?.restart()
        if isCancelling { filter?.skip() }
    }

    /// The echo is at `offset`; the packet at hand has not been seen by the filter.
    private func aim(at offset: Int64, packet position: Int64, _ count: Int) {
        if filter == nil { filter = EchoFilter(rate: rate) }
        filter?.aim(at: offset)
        isCancelling = true
        guard let filter, let past else { return }
        filter.see(until: position &+ Int64(count), reference: reference)
        past.forEachBlock(ofLast: filter.known(before: position, reference: reference)) { block, before in
            _ = filter.process(block, at: position &- Int64(before), reference: reference)
        }
        self.past = nil
    }

    private func cancel(_ near: UnsafeMutablePointer<Int16>, at position: Int64, _ filter: EchoFilter) {
        let powers = filter.process(near, at: position, reference: reference)
        sinceFar = powers.far > Self.audible * Float(filter.block) ? 0 : min(Self.ringing, sinceFar + 1)
        let isFarActive = sinceFar < Self.ringing
        // What proves to be no echo must not even have lost its lowest tones.
        if filter.hasHelped {
            near.update(from: filter.output, count: filter.block)
            suppressor.apply(to: near, count: filter.block, powers: powers, isFarActive: isFarActive)
        }
        guard isFarActive else { return }
        meter.observe(powers, left: SumOfSquares.of(near, filter.block))
        if meter.uselessSeconds >= Self.patience, estimator.isResting || !filter.hasHelped { rest() }
    }

    private func rest() {
        isCancelling = false
        meter = EchoMeter()
        estimator.forget()
    }
}
