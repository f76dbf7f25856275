import Logging
import NIOCore
import Transcode

/// One call's conversation with one agent: start, sound both ways, clear, marks, keys, transfer, the end, whatever the dialect.
///
/// It is the port and the leg of an agent reached by a WebSocket. Confined to the call's media loop.
final class AgentSession: AgentLeg {
    enum State {
        /// Waits for a socket, and for the agent to take the call.
        case connecting(until: NIODeadline)
        case up
        /// The socket broke; the agent may come back until then. The next dial is due at `dial`, nil while one is under way.
        case away(until: NIODeadline, dial: NIODeadline?)
        /// `stop` was said; the agent gets a moment to close by itself.
        case stopping(until: NIODeadline)
        case over
    }

    struct Counters: Sendable {
        /// Frames of caller audio dropped because the agent does not read.
        var framesDropped = 0
        /// Messages the dialect could not make sense of.
        var misunderstood = 0
        /// Sockets that broke and were replaced.
        var resumed = 0
    }

    /// Something to be done once what is queued was played.
    enum Ending {
        case hangUp(CallEnd)
        case transfer(AgentTransfer)
    }

    var counters = Counters()
    let dialect: any AgentDialect
    var info: AgentCallInfo
    let logger: Logger
    private(set) weak var events: (any AgentLegEvents)?

    var state: State
    var queue: PlayoutQueue
    /// Owned until `stop`.
    private(set) var sink: (any AudioSink)?
    var now: NIODeadline
    var meter = TurnMeter()

    /// The sockets to be tried, in order.
    let targets: [AgentTarget]
    /// The target that is dialled, or in use.
    var target = 0
    var connection: AgentConnection
    var transport: any AgentTransport { connection.transport }
    /// The socket is up, so that messages may be sent.
    var isOpen = false
    /// When the next target is dialled instead of the present one.
    var targetDeadline: NIODeadline?
    /// Dials without an answer since the socket broke.
    var redials = 0
    var ending: (ending: Ending, until: NIODeadline)?
    var isPaused = false
    var isMuted = false
    var fullGain: Float = 1
    var keys = KeySequence()

    private var accumulator: FrameAccumulator
    private let slot: SampleBuffer
    private var crossing: Resampling?
    private var gain: PlayoutGain
    private var slots: Int64 = 0
    private var sent: Int64 = 0
    private var voice: CallerVoice?
    private var interruption: Interruption
    private var effect = Interruption.Effect.none
    private var lastPlayed: NIODeadline?
    private var awaySound: AwaySound?
    private var stalledSince: NIODeadline?

    /// A caller waits no longer than this for an agent before the next step is tried (CONTRACT section 4).
    static let connectLimit = TimeAmount.seconds(3)
    /// An ending that waits for the playout waits no longer than this.
    static let drainLimit = TimeAmount.seconds(30)
    /// Silence that ends a caller's speech, in milliseconds.
    private static let endSilence = 300
    /// Pauses up to this, in milliseconds, belong to speech that interrupts.
    private static let shortPause = 100

    /// - Parameter targets: at least one
    init(
        dialect: any AgentDialect, targets: [AgentTarget], info: AgentCallInfo, events: any AgentLegEvents, logger: Logger, now: NIODeadline
    ) {
        self.dialect = dialect
        self.targets = targets
        connection = AgentConnection(targets[0].make())
        self.info = info
        self.events = events
        self.logger = logger
        self.now = now
        state = .connecting(until: now + Self.connectLimit)
        queue = PlayoutQueue(rate: dialect.playoutRate)
        accumulator = FrameAccumulator(frameSamples: dialect.rate / 50)
        slot = SampleBuffer(capacity: Self.longestSlot)
        gain = PlayoutGain(rate: dialect.playoutRate)
        interruption = Interruption(policy: info.bargeIn, rate: dialect.rate)
    }

    /// Samples of a slot at 48 kHz.
    private static let longestSlot = 960

    /// The agent took the call: from here on its rates stand.
    func takeRates() {
        if queue.rate != dialect.playoutRate {
            queue = PlayoutQueue(rate: dialect.playoutRate)
            gain = PlayoutGain(rate: dialect.playoutRate)
        }
        accumulator = FrameAccumulator(frameSamples: dialect.rate / 50)
        voice = CallerVoice(rate: dialect.rate, endSilence: Self.endSilence)
        interruption = Interruption(policy: interruption.policy, rate: dialect.rate)
        crossing = dialect.rate == dialect.playoutRate ? nil : Resampling(from: dialect.playoutRate, to: dialect.rate)
    }

    // MARK: AgentLeg

    func dial() { dialTarget() }

    var deadline: NIODeadline? {
        let own: NIODeadline? =
            switch state {
            case .connecting(let until), .stopping(let until): until
            case .away(let until, let dial): NIODeadline.earlier(until, dial)
            case .up, .over: nil
            }
        return NIODeadline.earlier(NIODeadline.earlier(own, targetDeadline), ending?.until)
    }

    func tick(slots missed: Int, now: NIODeadline) {
        self.now = now
        guard let sink, isPlayingOut else { return }
        slots += Int64(missed)
        let frame = UnsafeMutableBufferPointer(rebasing: slot.samples[0..<queue.slotSamples])
        let isHeld = isPaused || effect == .hold
        // What is frozen fades out over one more slot.
        let result = isHeld && gain.factor == 0 ? holdStill(frame) : queue.next(into: frame, now: now)
        gain.apply(frame, toward: isHeld ? 0 : effect == .duck && result.isPlaying ? fullGain * Self.ducked : fullGain)
        soundAway(frame, isPlaying: result.isPlaying)
        let out = crossing?.convert(frame) ?? frame
        let time = slots * Int64(out.count)
        slots += 1
        sink.receive(
            AudioFrame(samples: out, mediaTime: time, origin: result.isPlaying ? .received : .filler, startsAxis: false), from: self, now: now)
        meter.slot(isPlaying: result.isPlaying, now: now)
        tell(result)
        lastPlayed = result.isPlaying ? now : lastPlayed
        if let key = keys.next() { sink.receive(digit: key, from: self, now: now) }
        endIfPlayed()
    }

    private func soundAway(_ frame: UnsafeMutableBufferPointer<Int16>, isPlaying: Bool) {
        guard case .away = state, !isPlaying else {
            awaySound?.reset()
            return
        }
        let sound = awaySound ?? AwaySound(rate: queue.rate)
        awaySound = sound
        sound.fill(frame)
    }

    private static let ducked: Float = 0.25

    private func holdStill(_ frame: UnsafeMutableBufferPointer<Int16>) -> PlayoutQueue.Slot {
        frame.update(repeating: 0)
        return PlayoutQueue.Slot(isPlaying: false, marks: [])
    }

    private func tell(_ slot: PlayoutQueue.Slot) {
        var playout = position
        playout.isPlaying = slot.isPlaying
        dialect.slot(playout, call: AgentSlotFigures(gaps: queue.counters.gaps, framesDropped: counters.framesDropped), to: transport)
        for name in slot.marks { dialect.mark(name, to: transport) }
    }

    /// Also while the agent is away its queue plays on.
    private var isPlayingOut: Bool {
        switch state {
        case .up, .away: true
        case .connecting, .stopping, .over: false
        }
    }

    func endIfPlayed() {
        guard let waiting = ending, queue.queued == 0 || waiting.until <= now else { return }
        ending = nil
        switch waiting.ending {
        case .hangUp(let end): events?.agentEnded(end)
        case .transfer(let transfer): events?.agentTransfers(transfer)
        }
    }

    func hangUp(_ end: CallEnd, now: NIODeadline) {
        stop()
        ending = nil
        switch state {
        case .connecting where !isOpen, .away:
            state = .over
            transport.close(code: 1000)
        case .connecting, .up:
            state = .stopping(until: now + dialect.closeDelay)
            dialect.stop(end, to: transport)
        case .stopping, .over: break
        }
    }

    var isOver: Bool { if case .over = state { true } else { false } }
    var queuedMilliseconds: Int { queue.queuedMilliseconds }
    var playout: PlayoutQueue.Counters { queue.counters }
    var turns: TurnMeter.Figures { meter.figures }

    func transferProgressed(_ progress: AgentTransferProgress) {
        if isPlayingOut { dialect.transfer(progress, to: transport) }
    }

    var wantsQuality: Bool { dialect.wantsQuality }

    func observe(_ quality: CallerQuality) {
        guard case .up = state else { return }
        var quality = quality
        quality.answerMilliseconds = meter.last.map { Int($0.total.nanoseconds / 1_000_000) }
        dialect.quality(quality, to: transport)
    }

    func receive(_ message: CallMessage) {
        if isPlayingOut { dialect.message(message, to: transport) }
    }

    // MARK: AudioPort

    var nativeRates: [Int] { [dialect.rate] }
    var resamples: Bool { false }
    var wantsGapFreeStream: Bool { true }
    var pathDescription: String { "agent \(dialect.rate) Hz [playout queue, 20 ms grid]" }

    func start(rate: Int, gapFree: Bool, sink: any AudioSink, now: NIODeadline) {
        self.sink = sink
        self.now = now
        dialect.joined(to: transport)
    }

    func stop() { sink = nil }

    func send(_ frame: borrowing AudioFrame, now: NIODeadline) {
        guard isPlayingOut else { return }
        let mayBeEcho = frame.mayBeEcho
        accumulator.append(frame.samples, mediaTime: frame.mediaTime) { samples, _ in
            if isMuted { samples.update(repeating: 0) }
            pass(UnsafeBufferPointer(samples))
            judge(UnsafeBufferPointer(samples), mayBeEcho: mayBeEcho, now: now)
        }
    }

    /// To the agent, or, while it is away, to the dialect, which keeps what it may have to say again.
    private func pass(_ samples: UnsafeBufferPointer<Int16>) {
        if transport.isWritable || !isOpen {
            stalledSince = nil
            dialect.audio(samples, position: sent, to: transport)
        } else {
            counters.framesDropped += 1
            dialect.dropped(samples, position: sent, to: transport)
            let since = stalledSince ?? now
            stalledSince = since
            if let limit = dialect.stallLimit, now - since >= limit { fail(code: 4429, reason: "it read nothing for too long") }
        }
        sent += Int64(samples.count)
    }

    func send(digit: Digit, duration: Int, now: NIODeadline) {
        if isPlayingOut { dialect.digit(digit, to: transport) }
    }

    // MARK: Interruption

    private func judge(_ samples: UnsafeBufferPointer<Int16>, mayBeEcho: Bool, now: NIODeadline) {
        let event = voice?.hear(samples, mayBeEcho: mayBeEcho)
        guard let voice else { return }
        let silent = voice.silentSamples
        let isSpeaking = voice.isSpeaking && silent <= dialect.rate / 1000 * Self.shortPause
        effect = interruption.heard(samples.count, isSpeaking: isSpeaking, silent: silent, agentSpeaks: isSpeakingNow(now))
        if effect == .flush {
            effect = .none
            if queue.queued > 0 { cut(.bargeIn) }
            say(CallerSpeech(hasBegun: true, position: sent, interrupted: true))
        }
        switch event {
        case .speechBegan:
            meter.callerSpeaks()
            say(CallerSpeech(hasBegun: true, position: sent))
        case .speechEnded:
            meter.callerStopped(at: now - .milliseconds(Int64(silent * 1000 / dialect.rate)))
            say(CallerSpeech(hasBegun: false, position: sent - Int64(silent)))
        case nil: break
        }
    }

    /// Between two pieces of one answer it does too.
    private func isSpeakingNow(_ now: NIODeadline) -> Bool {
        if queue.queued > 0 { return true }
        guard let lastPlayed else { return false }
        return now - lastPlayed <= PlayoutHold.longestGap
    }

    private func say(_ speech: CallerSpeech) {
        if interruption.policy != .off || speech.interrupted { dialect.speech(speech, to: transport) }
    }

    func setPolicy(_ policy: BargeInPolicy) { interruption.policy = policy }

    /// Drops what is queued and tells the agent.
    /// - Parameter position: what stands behind it stays; nil for nothing
    func cut(_ cause: PlayoutCut.Cause, upTo position: Int64? = nil) {
        let heard = queue.played
        let dropped = position.map { queue.clear(upTo: $0) } ?? queue.clear(fades: gain.factor > 0)
        let milliseconds = dropped.dropped * 1000 / queue.rate
        meter.cleared(droppedMilliseconds: milliseconds, now: now)
        isPaused = false
        dialect.cleared(PlayoutCut(marks: dropped.marks, heard: heard, dropped: dropped.dropped, cause: cause), to: transport)
    }
}
