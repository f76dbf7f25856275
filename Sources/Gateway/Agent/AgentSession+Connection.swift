import NIOCore

/// The sockets of a session: one after the other until one is up, and again when it breaks and the agent may come back.
extension AgentSession {
    /// From the first redial to the longest wait between two.
    private static let redialDelay = TimeAmount.milliseconds(100)
    private static let longestRedialDelay = TimeAmount.seconds(2)
    /// A target that does not answer gets at least so long before the next one is tried.
    private static let leastPatience = TimeAmount.seconds(1)

    /// Dials the present target.
    func dialTarget() {
        if let patience { targetDeadline = now + patience }
        connection.open(for: self)
    }

    /// How long one of several targets is waited for; nil for the last one, which gets what is left.
    private var patience: TimeAmount? {
        guard target + 1 < targets.count else { return nil }
        return max(Self.leastPatience, .nanoseconds(Self.connectLimit.nanoseconds / Int64(targets.count)))
    }

    func expire(now: NIODeadline) {
        self.now = now
        if let waiting = ending, waiting.until <= now { endIfPlayed() }
        if let due = targetDeadline, due <= now, case .connecting = state, !isOpen {
            return giveUpTarget("it did not answer in time", now: now)
        }
        switch state {
        case .connecting(let until) where until <= now: timedOut()
        case .away(let until, let dial):
            if until <= now { return lose("it did not come back in time") }
            if let dial, dial <= now { redial(until: until) }
        case .stopping(let until) where until <= now:
            state = .over
            transport.close(code: 1000)
        case .up: if let silence = watchdog.expire(now: now) { giveUpSilent(after: silence) }
        case .connecting, .stopping, .over: break
        }
    }

    /// The agent says nothing for too long. It is told to stop when somebody else takes the call.
    private func giveUpSilent(after silence: TimeAmount) {
        let reason = "it said nothing for \(silence.nanoseconds / 1_000_000_000) s"
        targets[target].health?.failed(targets[target].name, reason: reason, now: now)
        logger.warning("the agent is given up: \(reason)", metadata: ["agent_url": "\(targets[target].name)"])
        events?.agentLost(CallEnd(.agentLost, detail: "The agent was given up: \(reason)."))
    }

    private func timedOut() {
        state = .over
        transport.close(code: isOpen ? 4408 : 1001)
        events?.agentFailed(CallEnd(.agentUnavailable, detail: "The agent did not answer within 3 seconds."))
    }

    // MARK: What the connection tells

    func transportOpened(now: NIODeadline) {
        self.now = now
        switch state {
        case .connecting:
            isOpen = true
            targetDeadline = nil
            dialect.opening(info, to: transport)
            if !dialect.acceptsByMessage { takeCall() }
        case .away:
            isOpen = true
            dialect.resuming(position, to: transport)
        case .up, .stopping, .over: break
        }
    }

    func takeCall() {
        state = .up
        takeRates()
        targets[target].health?.answered(targets[target].name)
        events?.agentAnswered()
    }

    /// Once it was told to stop, what it still says is said of a call that may be another agent's by now.
    private var isHeard: Bool {
        switch state {
        case .connecting, .up, .away: true
        case .stopping, .over: false
        }
    }

    func transportReceived(text: ByteBuffer, now: NIODeadline) {
        guard isOpen, isHeard else { return }
        self.now = now
        dialect.receive(text, for: self)
    }

    func transportReceived(binary: ByteBuffer, now: NIODeadline) {
        guard isOpen, isHeard else { return }
        self.now = now
        dialect.receive(binary: binary, for: self)
    }

    func transportClosed(code: UInt16?, reason: String, now: NIODeadline) {
        self.now = now
        let wasOpen = isOpen
        isOpen = false
        switch state {
        case .connecting:
            if wasOpen, code == Self.draining {
                leaveDraining()
                giveUpTarget("it drains", now: now)
            } else if wasOpen {
                fail("it closed before it took the call: \(reason)")
            } else {
                giveUpTarget(reason, now: now)
            }
        case .up: broke(code: code, reason: reason)
        case .away(let until, _):
            if let code, code == 4410 || code == 4401 || code == 4400 { return lose(reason) }
            if code == Self.draining { leaveDraining() }
            waitToRedial(until: until)
        case .stopping, .over:
            state = .over
            events?.agentReleased()
        }
    }

    private func giveUpTarget(_ reason: String, now: NIODeadline) {
        targetDeadline = nil
        targets[target].health?.failed(targets[target].name, reason: reason, now: now)
        guard target + 1 < targets.count else { return fail(reason) }
        logger.info("agent does not answer, the next address is tried: \(reason)", metadata: ["agent_url": "\(targets[target].name)"])
        connection.leave()
        target += 1
        connection = AgentConnection(targets[target])
        dialTarget()
    }

    private func fail(_ reason: String) {
        state = .over
        events?.agentFailed(CallEnd(.agentUnavailable, detail: "The agent could not be reached: \(reason)."))
        events?.agentReleased()
    }

    // MARK: The socket breaks

    /// For what an agent that left had asked for to be done; then it counts as lost.
    private static let leaving = TimeAmount.seconds(1)
    /// The server takes no more calls, and wants those it has to go on elsewhere.
    private static let draining: UInt16 = 4503

    /// New calls are given to the other addresses for a while; this one goes on there when it comes back, if it can.
    private func leaveDraining() {
        targets[target].health?.drains(targets[target].name, now: now)
        if case .connecting = state { return }
        target = (target + 1) % targets.count
    }

    private func broke(code: UInt16?, reason: String) {
        let returns = code == nil || code == 1001 || code == 1006 || code == 1012 || code == 4500 || code == 4503
        if code == Self.draining { leaveDraining() }
        if let window = dialect.resumptionWindow, returns {
            logger.warning("the agent's connection broke: \(reason); it may come back")
            redials = 0
            return waitToRedial(until: now + window)
        }
        if let ending, code == 1000 || code == 1005 {
            // It said how the call goes on, and left: its last words are heard, and then that is done.
            state = .away(until: max(ending.until, now) + Self.leaving, dial: nil)
            return
        }
        state = .over
        if code == 1000 || code == 1005 {
            events?.agentEnded(CallEnd(.agentHangup))
        } else {
            events?.agentLost(CallEnd(.agentLost, detail: "The connection to the agent broke: \(reason)."))
        }
        events?.agentReleased()
    }

    private func waitToRedial(until: NIODeadline) {
        let factor = 1 << min(redials, 8)
        let delay = min(Self.longestRedialDelay, .nanoseconds(Self.redialDelay.nanoseconds * Int64(factor)))
        redials += 1
        state = .away(until: until, dial: now + delay)
        dialect.broke()
    }

    /// Leaves the socket for a new one.
    func renew() {
        guard case .up = state, let window = dialect.resumptionWindow else { return }
        logger.info("the agent's session is replaced by a new one")
        connection.leave()
        isOpen = false
        redials = 0
        state = .away(until: now + window, dial: now)
        dialect.broke()
    }

    private func redial(until: NIODeadline) {
        state = .away(until: until, dial: nil)
        connection = AgentConnection(targets[target])
        connection.open(for: self)
    }

    private func lose(_ reason: String) {
        state = .over
        isOpen = false
        transport.close(code: 1001)
        events?.agentLost(CallEnd(.agentLost, detail: "The connection to the agent broke: \(reason)."))
        events?.agentReleased()
    }
}
