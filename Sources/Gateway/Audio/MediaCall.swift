import Logging
import NIOCore
import RTP

/// The media of one call: the caller's leg, the agent's, and the bridge between them. Confined to its media loop.
final class MediaCall: LegEvents, AgentLegEvents {
    let id: CallID
    let logger: Logger
    private unowned let loop: MediaLoop
    private(set) var caller: (any Leg)?
    private(set) var agent: (any AgentLeg)?
    /// Agents already told to go whose socket is not closed yet.
    private var leaving: [any AgentLeg] = []
    private var bridge: Bridge?
    private var isBridgeWanted = false
    private var isEnding = false
    private(set) var figures = MediaFigures()
    /// The next slot of this call's 20 ms grid.
    private var nextSlot: NIODeadline

    static let slot = TimeAmount.milliseconds(Int64(PlayoutQueue.slotMilliseconds))
    /// Slots played in one turn to make up for a late one; beyond that the grid is anchored anew.
    private static let mostCatchUp = 2
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

    // MARK: The agent

    func dial(_ order: AgentOrder, now: NIODeadline) {
        dropAgent(CallEnd(.failed), now: now)
        guard !isEnding else { return }
        let leg = loop.environment.makeAgent(order, self, logger, now)
        agent = leg
        leg.dial()
    }

    /// Joins caller and agent as soon as sound can go both ways.
    func connect(now: NIODeadline) {
        isBridgeWanted = true
        startBridge(now: now)
    }

    private func startBridge(now: NIODeadline) {
        guard isBridgeWanted, bridge == nil, let caller, caller.isReady, let agent else { return }
        let bridge = Bridge(caller.port, agent)
        bridge.start(now: now)
        self.bridge = bridge
        figures.path = bridge.pathDescription
        logger.info("audio connected", metadata: ["path": "\(bridge.pathDescription)"])
    }

    private func dropAgent(_ end: CallEnd, now: NIODeadline) {
        bridge?.stop()
        bridge = nil
        isBridgeWanted = false
        guard let agent else { return }
        self.agent = nil
        figures.playoutGaps += agent.playout.gaps
        agent.hangUp(end, now: now)
        if !agent.isOver { leaving.append(agent) }
    }

    /// The caller pressed a key that came by signalling, not in the stream.
    func pressed(_ digit: Digit, now: NIODeadline) {
        guard let bridge, let caller else { return }
        bridge.receive(digit: digit, from: caller.port, now: now)
    }

    // MARK: The end

    /// Ends the media of the call. Legal in every state; `released` follows when nothing is left.
    func end(_ end: CallEnd, now: NIODeadline) {
        guard !isEnding else { return }
        isEnding = true
        dropAgent(end, now: now)
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
            if now - nextSlot > Self.lateness { loop.counters.lateTicks += 1 }
            agent?.tick(slots: 0, now: now)
            nextSlot = nextSlot + Self.slot
            played += 1
        }
        if nextSlot <= now { reanchor(now: now) }
        if played > 0 { caller?.tick(now: now, wallClock: wallClock) }
    }

    /// The loop stalled: what was not played then is not played now, and the time on the wire goes on.
    private func reanchor(now: NIODeadline) {
        let missed = Int((now - nextSlot).nanoseconds / Self.slot.nanoseconds) + 1
        nextSlot = nextSlot + Self.slot * missed
        loop.counters.skippedSlots += missed
        agent?.tick(slots: missed - 1, now: now)
    }

    var deadline: NIODeadline? {
        var first = NIODeadline.earlier(caller?.deadline, agent?.deadline)
        for leg in leaving { first = NIODeadline.earlier(first, leg.deadline) }
        return first
    }

    func expire(now: NIODeadline) {
        caller?.expire(now: now)
        agent?.expire(now: now)
        for leg in leaving { leg.expire(now: now) }
        releaseIfOver()
    }

    var currentFigures: MediaFigures {
        var current = figures
        if let caller { current.caller = caller.figures }
        current.playoutGaps += agent?.playout.gaps ?? 0
        return current
    }

    var queuedMilliseconds: Int { agent?.queuedMilliseconds ?? 0 }

    // MARK: LegEvents

    func legBecameReady() { startBridge(now: loop.now) }

    func legEnded(_ end: CallEnd) { loop.report(.callerEnded(end), of: self) }

    // MARK: AgentLegEvents

    func agentAnswered() { loop.report(.agentAnswered, of: self) }
    func agentFailed(_ end: CallEnd) { loop.report(.agentFailed(end), of: self) }
    func agentEnded(_ end: CallEnd) { loop.report(.agentEnded(end), of: self) }
    func agentLost(_ end: CallEnd) { loop.report(.agentLost(end), of: self) }
    func agentReleased() { loop.afterTurn(self) }

    /// After an agent's socket closed by itself.
    func sweep() { releaseIfOver() }
}
