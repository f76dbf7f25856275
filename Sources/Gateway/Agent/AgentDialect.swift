import NIOCore

/// How one kind of agent wants a call told: a translation between its messages and the session's words, and nothing else.
/// One file each in `Dialects/`.
protocol AgentDialect: AnyObject {
    /// Hertz of the audio on the wire, both ways.
    var rate: Int { get }
    /// The WebSocket subprotocol asked for (RFC 6455 1.9), if any.
    var subprotocol: String? { get }
    /// Said once, as soon as the socket is up.
    func opening(_ call: AgentCallInfo, to transport: any AgentTransport)
    /// 20 ms of the caller's sound at `rate`; `position` is its first sample on the gap-free stream.
    func audio(_ samples: UnsafeBufferPointer<Int16>, position: Int64, to transport: any AgentTransport)
    /// The caller pressed a key.
    func digit(_ digit: Digit, to transport: any AgentTransport)
    /// A mark was reached, or cleared.
    func mark(_ name: String, to transport: any AgentTransport)
    /// The call is over.
    func stop(_ end: CallEnd, to transport: any AgentTransport)
    /// The agent's `clear` was obeyed; marks that waited behind the sound are reached by it, unless the dialect says otherwise.
    func cleared(_ marks: [String], to transport: any AgentTransport)
    /// Understands one text message of the agent.
    func receive(_ text: ByteBuffer, for session: any AgentCommands)
    /// Understands one binary message of the agent.
    func receive(binary: ByteBuffer, for session: any AgentCommands)
}

extension AgentDialect {
    func cleared(_ marks: [String], to transport: any AgentTransport) {
        for name in marks { mark(name, to: transport) }
    }

    func receive(binary: ByteBuffer, for session: any AgentCommands) {
        session.misunderstood("a binary message")
    }
}

/// What an agent may ask for, whatever its dialect.
protocol AgentCommands: AnyObject {
    /// Queues `count` samples at the dialect's rate; `write` fills them.
    func play(_ count: Int, write: (UnsafeMutableBufferPointer<Int16>) -> Void)
    func mark(_ name: String)
    func clear()
    /// Something that is no message of the dialect: logged once a call, then ignored.
    func misunderstood(_ what: @autoclosure () -> String)
}

/// What an agent is told of its call.
struct AgentCallInfo: Sendable {
    var call: CallID
    /// As the dial plan normalised them.
    var from: String
    var to: String
    /// The account of the agent's configuration (twilio).
    var account: String
    /// The step's parameters, then the browser's.
    var parameters: [String: String]

    /// The parameters with the two numbers among them, under the names that agent frameworks look for.
    var namedParameters: [String: String] {
        parameters.merging(["from_number": from, "to_number": to]) { _, number in number }
    }
}
