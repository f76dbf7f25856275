import NIOCore

/// Joins two ports at the rate both like best. The only place that knows both.
final class Bridge: AudioSink {
    /// The rate in Hz at which frames cross.
    private(set) var rate: Int
    private let first: any AudioPort
    private let second: any AudioPort
    /// Hears what crosses, where the call is recorded; the first port is the caller's.
    var tap: RecordingTap?
    /// Of packets that an agent sends and a recording hears.
    private lazy var packetSound = PacketSound(rate: rate)

    init(_ first: any AudioPort, _ second: any AudioPort) {
        self.first = first
        self.second = second
        rate = Self.commonRate(first, second)
    }

    /// Frames flow from here on.
    func start(now: NIODeadline) {
        first.prepare(keysStaySound: second.takesKeysAsSound)
        second.prepare(keysStaySound: first.takesKeysAsSound)
        first.prepare(passing: tap == nil ? second.opusPassing : second.opusPassing.decoded)
        second.prepare(passing: first.opusPassing)
        first.start(rate: rate, gapFree: second.wantsGapFreeStream, sink: self, now: now)
        second.start(rate: rate, gapFree: first.wantsGapFreeStream, sink: self, now: now)
    }

    func stop() {
        first.stop()
        second.stop()
    }

    func receive(_ frame: borrowing AudioFrame, from port: any AudioPort, now: NIODeadline) {
        let isFirst = port === first
        let target = isFirst ? second : first
        guard let tap else { return target.send(frame, now: now) }
        if frame.form == .packet, let packetSound { return receive(packetSound.decoded(frame), from: port, now: now) }
        tap.hear(frame, from: isFirst ? .caller : .farEnd, now: now)
        guard tap.addTone(to: frame.samples, toward: isFirst ? .farEnd : .caller, now: now) else { return target.send(frame, now: now) }
        // What was received is no longer what is sent.
        var changed = copy frame
        changed.payload = nil
        if changed.form == .decodedPacket { changed.form = .sound }
        target.send(changed, now: now)
    }

    func receive(digit: Digit, from port: any AudioPort, now: NIODeadline) {
        (port === first ? second : first).send(digit: digit, duration: Self.digitDuration, now: now)
    }

    func receive(silenceLevel: Float, from port: any AudioPort) {
        (port === first ? second : first).setSilence(level: silenceLevel)
    }

    /// Both ports go over to the rate that suits them now, if another one does and neither has anything that would begin again.
    func restarts(after port: any AudioPort, now: NIODeadline) -> Bool {
        let rate = Self.commonRate(first, second)
        guard rate != self.rate, first.followsRate, second.followsRate else { return false }
        self.rate = rate
        start(now: now)
        return true
    }

    /// The whole way of the sound in one line.
    var pathDescription: String { "\(first.pathDescription) <-> \(rate) Hz <-> \(second.pathDescription)" }

    /// The length of a key passed on, in milliseconds: long enough for every detector.
    private static let digitDuration = 100

    /// The best rate in both lists, judged by the sum of places. Where none is common, the one that a port insists on, else the
    /// lower of the two favourites, so that nothing is upsampled that was narrow.
    private static func commonRate(_ first: any AudioPort, _ second: any AudioPort) -> Int {
        let (firsts, seconds) = (first.nativeRates, second.nativeRates)
        let shared = firsts.enumerated().compactMap { place, rate in
            seconds.firstIndex(of: rate).map { (rate: rate, cost: place + $0) }
        }
        if let best = shared.min(by: { ($0.cost, -$0.rate) < ($1.cost, -$1.rate) }) { return best.rate }
        let (favourite, other) = (firsts.first ?? 8000, seconds.first ?? 8000)
        if !first.resamples { return favourite }
        return second.resamples ? min(favourite, other) : other
    }
}
