import Logging
import NIOCore
import RTP
import SIPStack

/// The media of one call: the caller's leg, the far end's, and the bridge between them. Confined to its media loop.
///
/// The far end is an agent, a phone behind a trunk, or a sound that is only heard; one at a time is bridged.
final class MediaCall: LegEvents, AgentLegEvents {
    let id: CallID
    let logger: Logger
    unowned let loop: MediaLoop
    private(set) var caller: (any Leg)?
    var agent: (any AgentLeg)?
    /// A phone, or a user's browser.
    var callee: (any Leg)?
    /// While a user is rung, and until the browser that accepted has its media.
    var userWait: UserWait?
    /// Phones that ring at once, until one of them is the callee; they are silent.
    var branches = MediaBranches()
    var sound: SoundPlayer?
    /// The agent that is reached for while the present one talks on, and those that hear of their legs for this call.
    var candidate: (any AgentLeg)?
    var candidates: [AgentCandidate] = []
    /// Between the agent and the phone that is to have the call, while the caller waits.
    var consultation: Bridge?
    /// The caller waits, because the agent talks, or talked, with somebody else.
    var isConsulting = false
    /// The caller's phone holds, or the browser's microphone is off.
    var isCallerHeld = false
    /// Of a call that the gateway placed: the SIP call of its first party.
    private var party: SIPCallID?
    /// Whether it is to be found out who answered.
    private var listensForAnswerer = false
    /// Agents already told to go whose socket is not closed yet.
    private var leaving: [any AgentLeg] = []
    private(set) var bridge: Bridge?
    /// Of a call that is recorded, in part or whole.
    private var tap: RecordingTap?
    /// The far end that took the call is one to be recorded.
    private var isRecorded = false
    /// Played to both sides before they are joined.
    private var notice: RecordingNotice?
    /// Whom the caller is to hear.
    private var wanted: FarEnd?
    var isTransferring = false
    /// An agent was to be heard already: silence would be taken for the end.
    private(set) var hasHeardAgent = false
    /// The sound only bridges the wait for a far end.
    var isWaiting = false
    private(set) var isEnding = false
    private(set) var figures = MediaFigures()
    /// When the call has lasted as long as its route allows.
    private var limit: NIODeadline?
    /// The next slot of this call's 20 ms grid.
    private var nextSlot: NIODeadline

    private var slotsPlayed = 0

    enum FarEnd { case agent, callee, sound }

    static let slot = TimeAmount.milliseconds(Int64(PlayoutQueue.slotMilliseconds))
    /// Slots played in one turn to make up for a late one; beyond that the grid is anchored anew.
    private static let mostCatchUp = 2
    private static let observedSlots = 250
    /// A slot later than this counts as late.
    private static let lateness = TimeAmount.milliseconds(5)

    init(id: CallID, loop: MediaLoop, firstSlot: NIODeadline, logger: Logger) {
        self.id = id
        self.loop = loop
        self.logger = logger
        nextSlot = firstSlot
    }

    /// The caller's leg, made right after the call itself.
    func adopt(_ leg: any Leg) { caller = leg }

    // MARK: Far ends

    /// Reaches for an agent, in place of the far end there was.
    /// - Parameter isBeside: the present agent talks on until the other one takes the call
    func dial(_ order: AgentOrder, isBeside: Bool = false, now: NIODeadline) {
        if isBeside, agent != nil { dropCandidate(now: now) } else { bridgeTheWait(now: now) }
        guard !isEnding else { return }
        var order = order
        if let caller {
            order.info.callerRates = caller.port.nativeRates
            order.info.callerCodec = caller.port.audio.codec.sdpName
        }
        if agent != nil { return dialBeside(order, now: now) }
        let leg = loop.environment.makeAgent(order, self, logger, now)
        agent = leg
        leg.dial()
    }

    /// The phone or user that the gateway called answered, and takes the place of the caller.
    /// - Parameters:
    ///   - sip: of a phone
    ///   - detectsMachine: says to the agent and the switchboard whether a person answered or a machine
    func calleeBecomesParty(_ sip: SIPCallID?, detectsMachine: Bool) {
        guard caller == nil, !isEnding, let callee else { return }
        // Ways to it that were tried before are no leg of the call, but count.
        if let earlier = figures.callee { loop.counters.finished.add(earlier) }
        figures.callee = nil
        caller = callee
        party = sip
        listensForAnswerer = detectsMachine
        self.callee = nil
    }

    /// `outOfTime` is reported after so long.
    func limit(to length: TimeAmount, now: NIODeadline) { limit = now + length }

    /// Joins caller and far end as soon as sound can go both ways.
    /// - Parameter recording: takes what both say; nil where this far end is not recorded
    func connect(recordedBy recording: CallRecording? = nil, now: NIODeadline) {
        stopConsultation()
        if sound != nil, agent != nil || callee != nil { dropSound() }
        if isTransferring, callee != nil || candidate != nil, let agent {
            stopBridge()
            dismiss(agent, CallEnd(.transferred), now: now)
        }
        promote()
        (isTransferring, isConsulting) = (false, false)
        if let recording, tap == nil { tap = RecordingTap(recording) }
        isRecorded = recording != nil
        // Who was heard before the answer is joined anew, for something may have to be said first.
        if isRecorded { stopBridge() }
        want(agent != nil ? .agent : callee != nil ? .callee : .sound, now: now)
    }

    func want(_ end: FarEnd, now: NIODeadline) {
        wanted = end
        hasHeardAgent = hasHeardAgent || end == .agent
        startBridge(now: now)
    }

    private func startBridge(now: NIODeadline) {
        guard bridge == nil, notice == nil, let wanted, let caller, caller.isReady, let port = farPort(wanted) else { return }
        let tap = isRecorded && wanted != .sound ? tap : nil
        if let notice = tap?.notice(caller: caller.port, callee: wanted == .callee ? port : nil) {
            self.notice = notice
            return notice.start(now: now)
        }
        let isWithPhone = wanted != .agent && !(wanted == .callee && callee is BrowserLeg)
        caller.port.opus = isWithPhone ? loop.environment.opusFromTrunk : loop.environment.opusFromAgent
        (caller as? TrunkLeg)?.prepare(isWithPhone: isWithPhone || agent is EchoAgent)
        (callee as? TrunkLeg)?.prepare(isWithPhone: caller is TrunkLeg)
        let bridge = Bridge(caller.port, port)
        tap?.attach(rate: bridge.rate, hasPhone: wanted == .callee, now: now)
        bridge.tap = tap
        bridge.start(now: now)
        self.bridge = bridge
        figures.path = bridge.pathDescription
        logger.info("audio connected", metadata: ["path": "\(bridge.pathDescription)"])
    }

    private func farPort(_ wanted: FarEnd) -> (any AudioPort)? {
        switch wanted {
        case .agent: agent.map { listensForAnswerer ? listener(before: $0) : $0 }
        case .callee: callee.flatMap { $0.isReady ? $0.port : nil }
        case .sound: sound
        }
    }

    private func listener(before agent: any AgentLeg) -> any AudioPort {
        AnswerListener(agent) { [weak self] finding in self?.answererFound(finding) }
    }

    private func answererFound(_ finding: AnswerClassifier.Finding) {
        // The next agent need not listen again; a beep may follow a machine's greeting.
        listensForAnswerer = false
        agent?.receive(CallMessage(contentType: MediaTypes.json, body: finding.json))
        loop.report(.answererFound(finding), of: self)
    }

    func stopBridge() {
        bridge?.stop()
        bridge = nil
        tap?.detach()
        notice?.stop()
        notice = nil
        wanted = nil
    }

    func dropSound() {
        stopBridge()
        sound = nil
        isWaiting = false
    }

    func dropFarEnd(_ end: CallEnd, now: NIODeadline) {
        dropSound()
        dropBranches(now: now)
        closeCallee(now: now)
        dropCandidate(now: now)
        isConsulting = false
        if let agent { dismiss(agent, end, now: now) }
    }

    func closeCallee(now: NIODeadline) {
        userWait = nil
        stopConsultation()
        guard let callee else { return }
        self.callee = nil
        keepFigures(of: callee)
        callee.close(now: now, wallClock: loop.environment.wallClock())
    }

    func dismiss(_ agent: any AgentLeg, _ end: CallEnd, now: NIODeadline) {
        stopConsultation()
        if agent === self.agent { self.agent = nil }
        figures.playoutGaps += agent.playout.gaps
        figures.turns.add(agent.turns)
        agent.hangUp(end, now: now)
        if !agent.isOver { leaving.append(agent) }
    }

    /// Of several phones that were called one after the other, the last one's figures are the call's; the others still count.
    private func keepFigures(of callee: any Leg) {
        if let earlier = figures.callee { loop.counters.finished.add(earlier) }
        figures.callee = callee.figures
    }

    /// The caller, or the callee, pressed a key that came by signalling, not in the stream.
    func pressed(_ digit: Digit, byCallee: Bool = false, now: NIODeadline) {
        guard let bridge = byCallee ? consultation ?? bridge : bridge, let port = byCallee ? callee?.port : caller?.port else { return }
        bridge.receive(digit: digit, from: port, now: now)
    }

    /// The leg of a SIP call: the callee's are those that we made.
    func trunkLeg(of sip: SIPCallID) -> TrunkLeg? { (sip.isOutgoing && sip != party ? callee : caller) as? TrunkLeg }

    // MARK: The end

    /// Ends the media of the call. Legal in every state; `released` follows when nothing is left.
    func end(_ end: CallEnd, now: NIODeadline) {
        guard !isEnding else { return }
        isEnding = true
        limit = nil
        dropFarEnd(end, now: now)
        tap?.finish(now: now)
        tap = nil
        if let caller {
            figures.caller = caller.figures
            caller.close(now: now, wallClock: loop.environment.wallClock())
        }
        caller = nil
        releaseIfOver()
    }

    private func releaseIfOver() {
        leaving.removeAll { $0.isOver }
        guard isEnding, leaving.isEmpty else { return }
        loop.release(self)
    }

    // MARK: Time

    /// Called on the call's phase of the grid: plays what is due, at most two slots more than one.
    func tick(now: NIODeadline, wallClock: NTPTimestamp) {
        var played = 0
        while nextSlot <= now, played <= Self.mostCatchUp {
            loop.slotPlayed(isLate: now - nextSlot > Self.lateness)
            agent?.tick(slots: 0, now: now)
            sound?.tick(now: now)
            notice?.tick(now: now)
            nextSlot = nextSlot + Self.slot
            played += 1
            observeCaller()
        }
        if nextSlot <= now { reanchor(now: now) }
        guard played > 0 else { return }
        caller?.tick(now: now, wallClock: wallClock)
        callee?.tick(now: now, wallClock: wallClock)
        if let notice, notice.isOver {
            notice.stop()
            self.notice = nil
            startBridge(now: now)
        }
        if sound?.isOver == true {
            dropSound()
            loop.report(.played, of: self)
        }
        loop.expects(deadline)
    }

    /// Tells the agent how the caller's leg does, every five seconds.
    private func observeCaller() {
        slotsPlayed += 1
        guard slotsPlayed % Self.observedSlots == 0, let agent, agent.wantsQuality, let caller else { return }
        agent.observe(CallerQuality(caller.figures))
    }

    /// The loop stalled: what was not played then is not played now, and the time on the wire goes on.
    private func reanchor(now: NIODeadline) {
        let missed = Int((now - nextSlot).nanoseconds / Self.slot.nanoseconds) + 1
        nextSlot = nextSlot + Self.slot * missed
        loop.counters.skippedSlots += missed
        agent?.tick(slots: missed - 1, now: now)
    }

    var deadline: NIODeadline? {
        var first = NIODeadline.earlier(NIODeadline.earlier(caller?.deadline, callee?.deadline), agent?.deadline)
        first = NIODeadline.earlier(first, candidate?.deadline)
        for leg in leaving { first = NIODeadline.earlier(first, leg.deadline) }
        return NIODeadline.earlier(first, NIODeadline.earlier(limit, userWait?.until))
    }

    func expire(now: NIODeadline) {
        caller?.expire(now: now)
        callee?.expire(now: now)
        agent?.expire(now: now)
        candidate?.expire(now: now)
        for leg in leaving { leg.expire(now: now) }
        if let limit, limit <= now {
            self.limit = nil
            loop.report(.outOfTime, of: self)
        }
        expireUserWait(now: now)
        releaseIfOver()
    }

    var currentFigures: MediaFigures {
        var current = figures
        if let caller { current.caller = caller.figures }
        if let callee { current.callee = callee.figures }
        current.playoutGaps += agent?.playout.gaps ?? 0
        if let agent { current.turns.add(agent.turns) }
        return current
    }

    var queuedMilliseconds: Int { agent?.queuedMilliseconds ?? 0 }

    // MARK: LegEvents

    func legBecameReady() {
        startBridge(now: loop.now)
        reportReadyUser()
    }

    func report(_ event: MediaEvent) { loop.report(event, of: self) }

    func legEnded(_ leg: any Leg, _ end: CallEnd) {
        loop.report(leg === caller ? .callerEnded(end) : .calleeEnded(end), of: self)
    }

    func leg(_ leg: any Leg, heard tone: LineTone) {
        if leg === caller { agent?.receive(CallMessage(contentType: MediaTypes.json, body: tone.json)) }
        // A phone that the gateway called stands in the caller's place once it answered.
        loop.report(.toneHeard(tone, byCallee: leg !== caller || leg.port.lineSide == .callee), of: self)
    }

    func leg(_ leg: any Leg, signals digit: Digit, milliseconds: Int) {
        loop.report(.keyToSignal(digit, milliseconds: milliseconds, toCallee: leg !== caller), of: self)
    }

    // MARK: AgentLegEvents

    func agentAnswered() { loop.report(.agentAnswered, of: self) }
    func agentFailed(_ end: CallEnd) { loop.report(.agentFailed(end), of: self) }
    func agentEnded(_ end: CallEnd) {
        leaveTransfer(end)
        loop.report(.agentEnded(end), of: self)
    }

    func agentLost(_ end: CallEnd) {
        leaveTransfer(end)
        loop.report(.agentLost(end), of: self)
    }

    func agentTransfers(_ transfer: AgentTransfer) { loop.report(.agentTransfers(transfer), of: self) }
    func agentSays(_ message: CallMessage) { loop.report(.agentSays(message), of: self) }
    func agentReleased() { loop.afterTurn(self) }

    /// After an agent's socket closed by itself.
    func sweep() { releaseIfOver() }
}
