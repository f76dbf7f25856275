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
    /// Its socket is gone.
    func agentReleased()
}
