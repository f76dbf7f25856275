/// Counted at a slot of the playout grid, for agents that want to know.
struct AgentSlotFigures: Equatable {
    /// Breaks in the agent's speech so far.
    var gaps: Int
    /// Frames of caller audio dropped so far because the agent does not read.
    var framesDropped: Int
}
