import NIOCore
import Transcode

/// What the agent asks for.
extension AgentSession: AgentCommands {
    func accept() {
        guard case .connecting = state, isOpen else { return }
        takeCall()
    }

    func reject(_ end: CallEnd) {
        guard case .connecting = state else { return }
        state = .over
        transport.close(code: 1000)
        events?.agentFailed(end)
    }

    func resumed() {
        guard case .away = state, isOpen else { return }
        state = .up
        redials = 0
        watchdog.agentCameBack(now: now)
        counters.resumed += 1
        logger.info("the agent is back")
    }

    @discardableResult
    func play(_ count: Int, write: (UnsafeMutableBufferPointer<Int16>) -> Void) -> Int64 {
        let position = queue.played + Int64(queue.queued)
        queue.append(count, now: now, write: write)
        meter.agentSpoke(now: now)
        watchdog.agentActed()
        return position
    }

    func mark(_ name: String) {
        if !(packets?.mark(name) ?? queue.mark(name)) { dialect.mark(name, to: transport) }
    }

    func clear() { cut(.agent) }

    func clear(upTo position: Int64?) { cut(.agent, upTo: position) }

    func clearSilently() {
        isPaused = false
        _ = packets?.clear() ?? queue.clear()
    }

    func mute(_ isMuted: Bool) { self.isMuted = isMuted }

    func gain(decibels: Float) { fullGain = Level.rms(dBFS: decibels) / Level.rms(dBFS: 0) }

    func reply(_ body: (any AgentTransport) -> Void) { body(transport) }

    func pause(_ isPaused: Bool) { self.isPaused = isPaused }

    func press(_ digits: [Digit?], milliseconds: Int) {
        watchdog.agentActed()
        keys.add(digits, milliseconds: milliseconds)
    }

    func transfer(_ transfer: AgentTransfer, drains: Bool) { finish(.transfer(transfer), drains: drains) }

    func hangUp(_ end: CallEnd, drains: Bool) { finish(.hangUp(end), drains: drains) }

    /// At the end of the queue's last slot, or now, but never within the agent's own message.
    private func finish(_ ending: Ending, drains: Bool) {
        watchdog.agentActed()
        self.ending = (ending, drains ? now + Self.drainLimit : now)
    }

    func send(_ message: CallMessage) { events?.agentSays(message) }

    func interrupt(_ bargeIn: BargeInPolicy) { setPolicy(bargeIn) }

    var position: PlayoutPosition {
        PlayoutPosition(heard: played, end: played + Int64(queued), isPaused: isPaused)
    }

    func fail(code: UInt16, reason: String) {
        let last = state
        guard isOpen else { return }
        isOpen = false
        state = .over
        transport.close(code: code)
        switch last {
        case .connecting: events?.agentFailed(CallEnd(.agentUnavailable, detail: "The agent was refused: \(reason)."))
        case .up, .away: events?.agentLost(CallEnd(.agentLost, detail: "The agent was given up: \(reason)."))
        case .stopping, .over: break
        }
    }

    func misunderstood(_ what: @autoclosure () -> String) {
        counters.misunderstood += 1
        if counters.misunderstood == 1 { logger.warning("agent message ignored: \(what())") }
    }
}
