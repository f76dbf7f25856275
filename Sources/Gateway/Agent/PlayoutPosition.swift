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
