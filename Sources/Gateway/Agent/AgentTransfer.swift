/// An agent, or an administrator, gives the call to somebody else.
struct AgentTransfer: Equatable, Sendable {
    enum Mode: String, Sendable {
        /// The gateway calls, and joins the caller to whoever answers.
        case bridge
        /// The same, but the agent talks with whoever answers first.
        case attended
        /// The caller's own phone calls (RFC 3515).
        case refer
    }

    /// What is to be done of it.
    enum Act: Sendable {
        case begin
        /// The caller is handed over to whom the agent talks with.
        case complete
        /// The agent has the caller again.
        case cancel
    }

    var act = Act.begin
    var mode = Mode.bridge
    /// As the agent wrote it: a number, `tel:` or `sip:` address, the name of an agent or a route.
    var target: String
    /// The agent's own number of the request, repeated in what it is told of it.
    var reference: Int64 = 0
    /// How long the far end may ring, in seconds; nil leaves it to the route.
    var ringSeconds: Int?
}
