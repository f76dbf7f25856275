import NIOCore

enum AgentMessageKind {
    case text, binary
}

/// The socket to an agent, as the session sees it: a WebSocket on the call's media loop, or a fake on virtual time in tests.
protocol AgentTransport: AnyObject {
    /// Starts to connect. What follows is told to `delegate`, on the media loop.
    func open(delegate: any AgentTransportDelegate)
    func makeBuffer(capacity: Int) -> ByteBuffer
    /// Sends one message, which `write` puts into memory of the transport's: nothing is copied, and nothing kept.
    /// - Parameters:
    ///   - capacity: bytes at most
    ///   - write: sends nothing itself, and says how many bytes it wrote
    func send(_ kind: AgentMessageKind, atMost capacity: Int, write: (UnsafeMutableRawBufferPointer) -> Int)
    /// Sends one text message.
    func send(text: ByteBuffer)
    /// Sends one binary message.
    func send(binary: ByteBuffer)
    /// False while more than two seconds of caller audio wait to be sent: newer audio is dropped then.
    var isWritable: Bool { get }
    /// Sends a close frame with `code` (RFC 6455 7.4.1) and ends the connection.
    func close(code: UInt16)
}

extension AgentTransport {
    func send(_ kind: AgentMessageKind, atMost capacity: Int, write: (UnsafeMutableRawBufferPointer) -> Int) {
        var message = makeBuffer(capacity: capacity)
        message.writeWithUnsafeMutableBytes(minimumWritableBytes: capacity) { write(UnsafeMutableRawBufferPointer(rebasing: $0[0..<capacity])) }
        switch kind {
        case .text: send(text: message)
        case .binary: send(binary: message)
        }
    }
}

protocol AgentTransportDelegate: AnyObject {
    /// The WebSocket is up.
    func transportOpened(now: NIODeadline)
    /// A whole text message.
    func transportReceived(text: ByteBuffer, now: NIODeadline)
    /// A whole binary message.
    func transportReceived(binary: ByteBuffer, now: NIODeadline)
    /// The connection is gone or never came up.
    /// - Parameter code: the agent's close code; nil without a close frame.
    func transportClosed(code: UInt16?, reason: String, now: NIODeadline)
}
