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
    var watchdog: AgentWatchdog

    /// The sockets to be tried, in order.
    let targets: [AgentTarget]
    /// The target that is dialled, or in use.
    var target = 0
    var connection: AgentConnection {
        didSet { transport = connection.transport }
    }
    /// The connection's, in reach.
    private(set) var transport: any AgentTransport
    /// The socket is up, so that messages may be sent.
    var isOpen = false
    /// When the next target is dialled instead of the present one.
    var targetDeadline: NIODeadline?
    /// Dials without an answer since the socket broke.
    var redials = 0
    var ending: (ending: Ending, until: NIODeadline)?
    var isPaused = false
    var isMuted = false
    /// Of the caller's packets some were kept from the agent.
    var isAfterMute = false
    var lastTick: NIODeadline?
    /// The loop stood still, and no packet was passed on since.
    var isAfterStall = false
    var fullGain: Float = 1
    var keys = KeySequence()

    /// Toward an agent that takes the caller's packets.
    private(set) var uplink: PacketUplink?
    var ear: PacketEar?
    /// In place of `queue` where the agent sends packets.
    private(set) var packets: PacketPlayout?
    private var accumulator: FrameAccumulator
    /// Where on the way to the agent the last sound lies that a decoder made up.
    private var concealed: Range<Int64> = 0..<0
    let slotSamples: SampleBuffer
    private var crossing: Resampling?
    private var gain: PlayoutGain
    var slots: Int64 = 0
    /// It hears the caller, or did: that is said once.
    private var hasJoined = false
    var sent: Int64 = 0
    private var voice: CallerVoice?
    private var interruption: Interruption
    private var effect = Interruption.Effect.none
    /// When the caller was heard last.
    private var lastJudged: NIODeadline?
    private var lastPlayed: NIODeadline?
    private var awaySound: AwaySound?
    private var stalledSince: NIODeadline?

    /// A caller waits no longer than this for an agent before the next step is tried (CONTRACT section 4).
    static let connectLimit = TimeAmount.seconds(3)
    /// An ending that waits for the playout waits no longer than this.
    static let drainLimit = TimeAmount.seconds(30)
    /// Silence that ends a caller's speech, in milliseconds.
    private static let endSilence = 300
    /// A caller of whom nothing comes for so long does not interrupt any more.
    private static let longestUnheard = TimeAmount.milliseconds(500)
    /// Pauses up to this, in milliseconds, belong to speech that interrupts.
    private static let shortPause = 100

    /// - Parameter targets: at least one
    init(
        dialect: any AgentDialect, targets: [AgentTarget], info: AgentCallInfo, watchdog: AgentWatchdog = AgentWatchdog(),
        events: any AgentLegEvents, logger: Logger, now: NIODeadline
    ) {
        self.dialect = dialect
        self.targets = targets
        self.watchdog = watchdog
        connection = AgentConnection(targets[0])
        transport = connection.transport
        self.info = info
        self.events = events
        self.logger = logger
        self.now = now
        state = .connecting(until: now + Self.connectLimit)
        queue = PlayoutQueue(rate: dialect.playoutRate)
        accumulator = FrameAccumulator(frameSamples: dialect.rate / 50)
        slotSamples = SampleBuffer(capacity: Self.longestSlot)
        gain = PlayoutGain(rate: dialect.playoutRate)
        interruption = Interruption(policy: info.bargeIn, rate: dialect.rate)
    }

    /// Samples of the longest packet at 48 kHz: 120 ms.
    private static let longestSlot = 5760

    /// The agent took the call: from here on its rates stand.
    func takeRates() {
        if queue.rate != dialect.playoutRate {
            queue = PlayoutQueue(rate: dialect.playoutRate)
            gain = PlayoutGain(rate: dialect.playoutRate)
        }
        accumulator = FrameAccumulator(frameSamples: dialect.rate / 50)
        uplink = dialect.takesCallerPackets ? PacketUplink(rate: dialect.rate) : nil
        packets = dialect.sendsPackets ? PacketPlayout() : nil
        voice = CallerVoice(rate: hearingRate, endSilence: Self.endSilence)
        interruption = Interruption(policy: interruption.policy, rate: hearingRate)
        crossing = dialect.rate == dialect.playoutRate ? nil : Resampling(from: dialect.playoutRate, to: dialect.rate)
    }

    // MARK: AgentLeg

    func dial() { dialTarget() }

    var deadline: NIODeadline? {
        let own: NIODeadline? =
            switch state {
            case .connecting(let until), .stopping(let until): until
            case .away(let until, let dial): NIODeadline.earlier(until, dial)
            case .up: watchdog.deadline
            case .over: nil
            }
        return NIODeadline.earlier(NIODeadline.earlier(own, targetDeadline), ending?.until)
    }

    func tick(slots missed: Int, now: NIODeadline) {
        self.now = now
        guard let sink, isPlayingOut else { return lastTick = nil }
        if effect != .none, lastJudged.map({ now - $0 > Self.longestUnheard }) ?? true { effect = .none }
        slots += Int64(missed)
        noticeStall(now: now)
        if let packets { return tick(packets, into: sink) }
        let frame = UnsafeMutableBufferPointer(rebasing: slotSamples.samples[0..<queue.slotSamples])
        // What is frozen fades out over one more slot.
        let result = isHeld && gain.factor == 0 ? holdStill(frame) : queue.next(into: frame, now: now)
        gain.apply(frame, toward: isHeld ? 0 : effect == .duck && result.isPlaying ? fullGain * Self.ducked : fullGain)
        soundAway(frame, isPlaying: result.isPlaying)
        let out = crossing?.convert(frame) ?? frame
        let time = slots * Int64(out.count)
        slots += 1
        sink.receive(
            AudioFrame(
                samples: out, mediaTime: time, origin: result.isPlaying ? .received : .filler, startsAxis: false, isCut: result.isCut),
            from: self, now: now)
        finishSlot(result)
    }

    /// Nothing is to be heard, and nothing lost.
    var isHeld: Bool { isPaused || effect == .hold }

    func finishSlot(_ slot: PlayoutQueue.Slot) {
        meter.slot(isPlaying: slot.isPlaying, now: now)
        tell(slot)
        lastPlayed = slot.isPlaying ? now : lastPlayed
        if let key = keys.next() { sink?.receive(digit: key, from: self, now: now) }
        endIfPlayed()
    }

    func soundAway(_ frame: UnsafeMutableBufferPointer<Int16>, isPlaying: Bool) {
        guard case .away = state, !isPlaying else {
            awaySound?.reset()
            return
        }
        let sound = awaySound ?? AwaySound(rate: packets == nil ? queue.rate : dialect.rate)
        awaySound = sound
        sound.fill(frame)
    }

    private static let ducked: Float = 0.25

    private func holdStill(_ frame: UnsafeMutableBufferPointer<Int16>) -> PlayoutQueue.Slot {
        frame.update(repeating: 0)
        return PlayoutQueue.Slot(isPlaying: false, marks: [])
    }

    private func tell(_ slot: PlayoutQueue.Slot) {
        if dialect.wantsSlots {
            var playout = position
            playout.isPlaying = slot.isPlaying
            dialect.slot(playout, call: AgentSlotFigures(gaps: self.playout.gaps, framesDropped: counters.framesDropped), to: transport)
        }
        for name in slot.marks { dialect.mark(name, to: transport) }
    }

    /// Also while the agent is away its queue plays on.
    var isPlayingOut: Bool {
        switch state {
        case .up, .away: true
        case .connecting, .stopping, .over: false
        }
    }

    func endIfPlayed() {
        guard let waiting = ending, queued == 0 || waiting.until <= now else { return }
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
    var queuedMilliseconds: Int { packets?.queuedMilliseconds ?? queue.queuedMilliseconds }
    var playout: PlayoutQueue.Counters { packets?.counters ?? queue.counters }
    /// Samples of the agent's that wait to be played.
    var queued: Int { packets?.queued ?? queue.queued }
    /// Samples of the agent's that were.
    var played: Int64 { packets?.played ?? queue.played }
    var turns: TurnMeter.Figures { meter.figures }

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
    var wantsGapFreeStream: Bool { !dialect.takesCallerPackets }
    var opusPassing: OpusPassing { dialect.takesCallerPackets ? .packets : .off }
    var pathDescription: String { "agent \(dialect.rate) Hz [playout queue\(packets == nil ? "" : " of packets"), 20 ms grid]" }

    func start(rate: Int, gapFree: Bool, sink: any AudioSink, now: NIODeadline) {
        self.sink = sink
        self.now = now
        watchdog.joined(now: now)
        if !hasJoined { dialect.joined(to: transport) }
        hasJoined = true
    }

    func stop() {
        sink = nil
        lastTick = nil
    }

    func send(_ frame: borrowing AudioFrame, now: NIODeadline) {
        guard isPlayingOut else { return }
        if let uplink { return pass(frame, through: uplink, now: now) }
        if frame.origin == .concealed { concealed = frame.mediaTime..<(frame.mediaTime + Int64(frame.samples.count)) }
        let mayBeEcho = frame.mayBeEcho
        accumulator.append(frame.samples, mediaTime: frame.mediaTime) { samples, time in
            if isMuted { samples.update(repeating: 0) }
            pass(UnsafeBufferPointer(samples), isConcealed: concealed.overlaps(time..<(time + Int64(samples.count))))
            judge(UnsafeBufferPointer(samples), mayBeEcho: mayBeEcho, now: now)
        }
    }

    /// To the agent, or, while it is away, to the dialect, which keeps what it may have to say again.
    private func pass(_ samples: UnsafeBufferPointer<Int16>, isConcealed: Bool) {
        if !mayWrite() {
            dialect.dropped(samples, position: sent, to: transport)
        } else if isConcealed {
            dialect.concealedAudio(samples, position: sent, to: transport)
        } else {
            dialect.audio(samples, position: sent, to: transport)
        }
        sent += Int64(samples.count)
    }

    /// Whether the agent reads, or is away; one that reads nothing for too long is given up.
    func mayWrite() -> Bool {
        if transport.isWritable || !isOpen {
            stalledSince = nil
            return true
        }
        counters.framesDropped += 1
        let since = stalledSince ?? now
        stalledSince = since
        if let limit = dialect.stallLimit, now - since >= limit { fail(code: 4429, reason: "it read nothing for too long") }
        return false
    }

    func send(digit: Digit, duration: Int, now: NIODeadline) {
        if isPlayingOut { dialect.digit(digit, to: transport) }
    }

    // MARK: Interruption

    /// Whether anything depends on the caller's speech: to hear it in packets they must be decoded.
    var hearsCaller: Bool { interruption.policy != .off }

    /// Hertz of what `judge` hears.
    private var hearingRate: Int { dialect.takesCallerPackets ? PacketEar.rate : dialect.rate }

    func judge(_ samples: UnsafeBufferPointer<Int16>, mayBeEcho: Bool = false, now: NIODeadline) {
        lastJudged = now
        let event = voice?.hear(samples, mayBeEcho: mayBeEcho)
        guard let voice else { return }
        let silent = voice.silentSamples
        let isSpeaking = voice.isSpeaking && silent <= hearingRate / 1000 * Self.shortPause
        effect = interruption.heard(samples.count, isSpeaking: isSpeaking, silent: silent, agentSpeaks: isSpeakingNow(now))
        if effect == .flush {
            effect = .none
            if queued > 0 { cut(.bargeIn) }
            say(CallerSpeech(hasBegun: true, position: sent, interrupted: true))
        }
        switch event {
        case .speechBegan:
            meter.callerSpeaks()
            watchdog.callerSpeaks()
            say(CallerSpeech(hasBegun: true, position: sent))
        case .speechEnded:
            let end = now - .milliseconds(Int64(silent * 1000 / hearingRate))
            meter.callerStopped(at: end)
            watchdog.callerStopped(at: end, agentSpeaks: isSpeakingNow(now))
            say(CallerSpeech(hasBegun: false, position: sent - Int64(silent * (dialect.rate / hearingRate))))
        case nil: break
        }
    }

    /// Between two pieces of one answer it does too.
    private func isSpeakingNow(_ now: NIODeadline) -> Bool {
        if queued > 0 { return true }
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
        let heard = played
        let dropped = packets.map { packets in position.map { packets.clear(upTo: $0) } ?? packets.clear() }
            ?? position.map { queue.clear(upTo: $0) } ?? queue.clear(fades: gain.factor > 0)
        let milliseconds = dropped.dropped * 1000 / queue.rate
        meter.cleared(droppedMilliseconds: milliseconds, now: now)
        isPaused = false
        dialect.cleared(PlayoutCut(marks: dropped.marks, heard: heard, dropped: dropped.dropped, cause: cause), to: transport)
    }
}
