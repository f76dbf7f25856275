/// An agent, or an administrator, gives the call to somebody else.
struct AgentTransfer: Equatable, Sendable {
    /// As the agent wrote it: a number, `tel:` or `sip:` address, the name of an agent or a route.
    var target: String
    /// The agent's own number of the request, repeated in what it is told of it.
    var reference: Int64 = 0
    /// How long the far end may ring, in seconds; nil leaves it to the route.
    var ringSeconds: Int?
}

/// What an agent is told of a transfer.
struct AgentTransferProgress: Equatable, Sendable {
    enum State: String, Sendable {
        case trying, ringing, completed, failed
    }

    var reference: Int64
    var state: State
    /// Of the far end's answer, or of why it failed.
    var sipStatus: Int?
    var detail = ""
}

/// A text beside the sound: from or to a browser's page, a phone's SIP MESSAGE.
struct CallMessage: Equatable, Sendable {
    var contentType: String
    var body: String
}
