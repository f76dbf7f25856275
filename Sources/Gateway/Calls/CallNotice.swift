/// What whoever ordered a call is told of it: a call that rings, was answered, or is over.
struct CallNotice: Sendable, Equatable {
    var call: CallID
    /// Where it goes.
    var url: WebSocketAgentTransport.URL
    /// The call as the API shows it.
    var body: JSONValue
}
