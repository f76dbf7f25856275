/// What an agent is told of a transfer.
struct AgentTransferProgress: Equatable, Sendable {
    enum State: String, Sendable {
        case trying, ringing
        /// The far end talks with the agent; the caller waits.
        case answered
        case completed, failed
    }

    var reference: Int64
    var state: State
    /// Of the far end's answer, or of why it failed.
    var sipStatus: Int?
    var detail = ""
}
