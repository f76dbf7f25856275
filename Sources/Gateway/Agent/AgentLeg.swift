import NIOCore

/// The leg of an agent, in the process or behind a socket: it plays out on the 20 ms grid.
protocol AgentLeg: AudioPort {
    /// Starts to reach the agent; `AgentLegEvents` tell what came of it.
    func dial()
    /// One slot of the playout grid.
    /// - Parameter missed: slots that were skipped since the last one because the loop was late.
    func tick(slots missed: Int, now: NIODeadline)
    func expire(now: NIODeadline)
    var deadline: NIODeadline? { get }
    /// Tells the agent and lets it go. `agentReleased` follows when nothing is left of it, unless `isOver` at once.
    func hangUp(_ end: CallEnd, now: NIODeadline)
    /// Nothing is left: no socket, no deadline.
    var isOver: Bool { get }
    /// Speech waiting to be played.
    var queuedMilliseconds: Int { get }
    var playout: PlayoutQueue.Counters { get }
    /// How long the caller waited for answers.
    var turns: TurnMeter.Figures { get }
    /// What became of a transfer.
    func transferProgressed(_ progress: AgentTransferProgress)
    /// A text from the caller's side.
    func receive(_ message: CallMessage)
    /// A text of its own was not taken by the phone, with the status that says why.
    func messageRefused(_ reference: Int64, status: Int)
    /// From here on it talks with somebody else while the caller waits, or with the caller again. What is queued is not for them.
    func consult(_ isConsulting: Bool)
    /// The caller's phone holds the call, or went on.
    func callerChanged(_ state: CallerState)
    /// Whether the agent wants to know how the caller's leg does.
    var wantsQuality: Bool { get }
    /// How the caller's leg does, every five seconds.
    func observe(_ quality: CallerQuality)
}

extension AgentLeg {
    var turns: TurnMeter.Figures { TurnMeter.Figures() }
    func transferProgressed(_ progress: AgentTransferProgress) {}
    func receive(_ message: CallMessage) {}
    func messageRefused(_ reference: Int64, status: Int) {}
    func consult(_ isConsulting: Bool) {}
    func callerChanged(_ state: CallerState) {}
    var wantsQuality: Bool { false }
    func observe(_ quality: CallerQuality) {}
}

/// What an agent leg tells its call.
protocol AgentLegEvents: AnyObject {
    /// The agent takes the call.
    func agentAnswered()
    /// It could not be reached.
    func agentFailed(_ end: CallEnd)
    /// It ended the call.
    func agentEnded(_ end: CallEnd)
    /// It was lost in the middle of the call.
    func agentLost(_ end: CallEnd)
    /// It gives the call to somebody else.
    func agentTransfers(_ transfer: AgentTransfer)
    /// It sends a text to the caller's side.
    func agentSays(_ message: CallMessage)
    /// Its socket is gone.
    func agentReleased()
}
