/// A piece of the agent's speech that will not be heard.
struct PlayoutCut: Equatable {
    enum Cause: String {
        /// The agent's own `clear`.
        case agent
        /// The gateway, because the caller spoke.
        case bargeIn = "barge_in"
        /// It was meant for another ear: the agent talks with somebody else from here on.
        case transfer
    }

    /// Names of the marks that waited, in order.
    var marks: [String]
    /// The first sample that was not heard.
    var heard: Int64
    /// Samples that were queued behind it.
    var dropped: Int
    var cause: Cause
}
