/// An agent, or an administrator, gives the call to somebody else.
struct AgentTransfer: Equatable, Sendable {
    /// As the agent wrote it: a number, `tel:` or `sip:` address, the name of an agent or a route.
    var target: String
    /// The agent's own number of the request, repeated in what it is told of it.
    var reference: Int64 = 0
    /// How long the far end may ring, in seconds; nil leaves it to the route.
    var ringSeconds: Int?
}
