import NIOCore

/// Calls that an agent gives away: it talks on meanwhile, with the caller, or with the phone that is to have the call.
extension MediaCall {
    /// The agent gives the call away; or nothing came of it, and it has the caller again.
    func transferring(_ isTransferring: Bool, now: NIODeadline) {
        self.isTransferring = isTransferring
        guard !isTransferring, !isEnding else { return }
        dropCandidate(now: now)
        guard isConsulting, let agent else { return }
        isConsulting = false
        closeCallee(now: now)
        dropSound()
        agent.consult(false)
        want(.agent, now: now)
    }

    /// The phone that was called talks with the agent, and the caller hears that the line is held.
    func consult(now: NIODeadline) {
        guard isTransferring, !isEnding, let agent, let callee, callee.isReady else { return }
        stopBridge()
        isConsulting = true
        agent.consult(true)
        sound = SoundPlayer(.tone(.held, milliseconds: nil))
        want(.sound, now: now)
        callee.port.opus = loop.environment.opusFromAgent
        (callee as? TrunkLeg)?.prepare(isWithPhone: false)
        let bridge = Bridge(callee.port, agent)
        bridge.start(now: now)
        consultation = bridge
        logger.info("agent consults", metadata: ["path": "\(bridge.pathDescription)"])
    }

    func stopConsultation() {
        guard let consultation else { return }
        consultation.stop()
        self.consultation = nil
        callee?.port.opus = loop.environment.opusFromTrunk
    }

    /// An agent that gives the call away need not wait for what becomes of it. The caller of a call that is held goes on to hear that.
    func leaveTransfer(_ end: CallEnd) {
        guard isTransferring, let agent else { return }
        if consultation == nil { stopBridge() }
        dismiss(agent, end, now: loop.now)
        promote()
    }

    // MARK: Another agent

    /// Reaches for an agent while the present one has the call.
    func dialBeside(_ order: AgentOrder, now: NIODeadline) {
        let events = AgentCandidate(of: self)
        let leg = loop.environment.makeAgent(order, events, logger, now)
        events.leg = leg
        candidates.removeAll { $0.leg == nil }
        candidates.append(events)
        candidate = leg
        leg.dial()
    }

    /// The agent that was reached for has the call as soon as no other one has.
    func promote() {
        guard agent == nil, let candidate else { return }
        agent = candidate
        self.candidate = nil
    }

    func dropCandidate(now: NIODeadline) {
        guard let candidate else { return }
        self.candidate = nil
        dismiss(candidate, CallEnd(.failed), now: now)
    }

    // MARK: The caller

    /// The caller's description changed: an agent is told whether its phone holds the call.
    func sessionChanged(of leg: TrunkLeg) {
        guard leg === caller else { return }
        hold(!leg.port.audio.direction.sends, as: .held)
    }

    /// The browser says that its microphone is off, or on again.
    func mute(_ isMuted: Bool) {
        caller?.port.setMuted(isMuted)
        hold(isMuted, as: .muted)
    }

    private func hold(_ isHeld: Bool, as state: CallerState) {
        guard isHeld != isCallerHeld else { return }
        isCallerHeld = isHeld
        agent?.callerChanged(isHeld ? state : .resumed)
    }
}

/// Hears of the leg of an agent that is reached for while another one has the call, and goes on when it has the call itself.
final class AgentCandidate: AgentLegEvents {
    private weak var call: MediaCall?
    weak var leg: (any AgentLeg)?

    init(of call: MediaCall) { self.call = call }

    func agentAnswered() { call?.agentAnswered() }
    func agentFailed(_ end: CallEnd) { call?.agentFailed(end) }
    func agentEnded(_ end: CallEnd) { tell(end) { $0.agentEnded(end) } orReport: { .agentEnded($0) } }
    func agentLost(_ end: CallEnd) { tell(end) { $0.agentLost(end) } orReport: { .agentLost($0) } }
    func agentTransfers(_ transfer: AgentTransfer) { call?.agentTransfers(transfer) }
    func agentSays(_ message: CallMessage) { call?.agentSays(message) }
    func agentReleased() { call?.agentReleased() }

    /// Before it has the call its end is not that of the agent which has.
    private func tell(_ end: CallEnd, _ body: (MediaCall) -> Void, orReport event: (CallEnd) -> MediaEvent) {
        guard let call else { return }
        if call.agent === leg { body(call) } else { call.loop.report(event(end), of: call) }
    }
}
