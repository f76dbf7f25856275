/// A call that the gateway is to place: it calls a phone or a signed-in user, and joins an agent when that answers.
struct OutboundOrder: Sendable, Equatable {
    /// A number, also as `tel:` or `sip:` address, or a user.
    var to: String
    /// The agent's name.
    var agent: String
    /// The trunk to call by, or `browser` for a user; nil lets the dial plan route the call `via: api`.
    var via: String?
    /// The caller id, in place of the route's.
    var from: String?
    /// Passed to the agent.
    var parameters: [String: String] = [:]
    /// How long the phone may ring, in seconds; the route may allow less.
    var ringSeconds: Int?
    /// Whether the agent is to be told if a person answered, a machine or a fax.
    var detectsMachine = false
    /// Who is told when the phone rings, when it answers, and how the call ended.
    var statusURL: WebSocketAgentTransport.URL?
    /// Of one that came by Twilio's REST resource.
    var twilio: TwilioOrder?
}

/// Why a call is not placed.
struct OutboundRefusal: Error, Sendable, Equatable {
    /// 400, 403, 404, 429 or 503.
    var httpStatus: Int
    /// For people.
    var detail: String
    /// How the call ended, where there was one or a plan refused it.
    var end: CallEnd?
    /// Seconds after which it may be tried again.
    var retryAfter: Int?
}
