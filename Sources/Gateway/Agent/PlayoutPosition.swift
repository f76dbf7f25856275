/// Where the playout of an agent's speech is. Positions count the agent's samples that were queued and not cut off, from 0 on.
struct PlayoutPosition: Equatable {
    /// The first sample that the caller did not yet hear.
    var heard: Int64
    /// Where the next queued sample will stand.
    var end: Int64
    /// Whether speech left in the present slot.
    var isPlaying = false
    /// Frozen by the agent, or while it is not sure whether the caller interrupts.
    var isPaused = false
}

/// A piece of the agent's speech that will not be heard.
struct PlayoutCut: Equatable {
    enum Cause: String {
        /// The agent's own `clear`.
        case agent
        /// The gateway, because the caller spoke.
        case bargeIn = "barge_in"
    }

    /// Names of the marks that waited, in order.
    var marks: [String]
    /// The first sample that was not heard.
    var heard: Int64
    /// Samples that were queued behind it.
    var dropped: Int
    var cause: Cause
}

/// The caller begins or stops to speak.
struct CallerSpeech: Equatable {
    var hasBegun: Bool
    /// Where it began or stopped, on the caller's gap-free stream.
    var position: Int64
    /// The agent's speech was cut off by it.
    var interrupted = false
}

/// Counted at a slot of the playout grid, for agents that want to know.
struct AgentSlotFigures: Equatable {
    /// Breaks in the agent's speech so far.
    var gaps: Int
    /// Frames of caller audio dropped so far because the agent does not read.
    var framesDropped: Int
}
