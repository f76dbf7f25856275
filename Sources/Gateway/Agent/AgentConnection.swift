import NIOCore

/// One socket of a session, counted at its address for as long as it is held. What an earlier one still has to say reaches the session no
/// more.
final class AgentConnection: AgentTransportDelegate {
    let transport: any AgentTransport
    /// Not weak, which would cost every message: nobody but the session keeps its connections.
    private unowned var session: AgentSession?

    private let target: AgentTarget

    init(_ target: AgentTarget) {
        self.target = target
        transport = target.make()
        target.health?.began(target.name)
    }

    deinit { target.health?.ended(target.name) }

    func open(for session: AgentSession) {
        self.session = session
        transport.open(delegate: self)
    }

    /// Gives the socket up, unheard.
    func leave() {
        session = nil
        transport.close(code: 1001)
    }

    func transportOpened(now: NIODeadline) { session?.transportOpened(now: now) }
    func transportReceived(text: ByteBuffer, now: NIODeadline) { session?.transportReceived(text: text, now: now) }
    func transportReceived(binary: ByteBuffer, now: NIODeadline) { session?.transportReceived(binary: binary, now: now) }
    func transportClosed(code: UInt16?, reason: String, now: NIODeadline) {
        session?.transportClosed(code: code, reason: reason, now: now)
    }
}
