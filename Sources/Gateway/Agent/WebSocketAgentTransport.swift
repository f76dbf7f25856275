import Logging
import NIOCore
import NIOPosix
import NIOSSL
import NIOWebSocket

/// The WebSocket (RFC 6455) of one call to its agent, dialled by the gateway, on the call's media loop.
///
/// Confined to `eventLoop`: every method is called there, and the delegate hears there. It hears nothing from within a call of
/// `open`, `send` or `close`, and `transportClosed` exactly once, as the last thing. It is held weakly; a transport let go of while it
/// is up says 1001 to the agent.
final class WebSocketAgentTransport: AgentTransport, WebSocketAgentTransportOwner {
    private enum State {
        case idle
        case dialling(limit: Scheduled<Void>)
        case up(Handler)
        /// A Close frame is under way; the end is not yet told.
        case closing(Handler)
        case over
    }

    private let eventLoop: any EventLoop
    private let logger: Logger
    /// Nil when the configured address is none.
    private let url: URL?
    private let token: String?
    private let subprotocol: String?
    private let signature: RequestSignature?
    private let trust: NIOSSLContext?
    private let identity: Configuration.TLS?
    private let limits: Limits
    private let streams: (any StreamSet)?
    /// From `open` until the connection is up, and then the handler's.
    private var presence: ChannelPresence?
    private var generator: any RandomNumberGenerator

    private var state = State.idle {
        didSet { if case .up(let handler) = state { live = handler } else { live = nil } }
    }
    /// The connection while it is up. The state holds it, and a message need not.
    private unowned(unsafe) var live: Handler?
    /// The connection that won, from TCP's connect on.
    private var channel: (any Channel)?
    private var handler: Handler?
    private weak var delegate: (any AgentTransportDelegate)?
    /// A message's storage on its way round: lent by `makeBuffer`, back with `send`.
    private var spare = ByteBuffer()

    /// Storage kept for the next message; a larger one was an exception.
    private static let keptStorage = 64 << 10

    /// - Parameters:
    ///   - url: `ws://` or `wss://`; anything else fails like an agent that cannot be reached.
    ///   - token: sent as `Authorization: Bearer`.
    ///   - subprotocol: asked for; an agent that does not select it is refused.
    ///   - signature: shows the agent who asks.
    ///   - trust: whom to believe for `wss`; nil for the system's certificate authorities, and `identity`.
    ///   - identity: shown to an agent that asks for a certificate.
    ///   - streams: reads and writes a `ws` connection past the event loop; nil where nobody turns it
    ///   - generator: source of the request key and the masking keys (RFC 6455 10.3: unpredictable).
    init(
        url: String, token: String?, subprotocol: String?, signature: RequestSignature? = nil, on eventLoop: any EventLoop, logger: Logger,
        trust: NIOSSLContext? = nil, identity: Configuration.TLS? = nil, limits: Limits = Limits(), streams: (any StreamSet)? = nil,
        generator: any RandomNumberGenerator = SystemRandomNumberGenerator()
    ) {
        self.url = URL(url)
        self.token = token
        self.subprotocol = subprotocol
        self.signature = signature
        self.eventLoop = eventLoop
        self.logger = logger
        self.trust = trust
        self.identity = identity
        self.limits = limits
        self.streams = streams
        self.generator = generator
    }

    deinit {
        handler?.owner = nil
        // A dial in progress holds the transport, so only a connection that is up can be left behind.
        if case .up(let handler) = state { handler.close(code: 1001) }
    }

    // MARK: AgentTransport

    func open(delegate: any AgentTransportDelegate) {
        switch state {
        case .idle: break
        case .over where self.delegate == nil:
            self.delegate = delegate
            tell(code: nil, reason: "it was given up before it was dialled")
            return
        case .dialling, .up, .closing, .over: return
        }
        self.delegate = delegate
        presence = streams.map(ChannelPresence.init)
        let limit = eventLoop.assumeIsolated().scheduleTask(in: limits.connect) {
            self.fail("it did not answer within \(self.limits.connect.nanoseconds / 1_000_000) ms")
        }
        state = .dialling(limit: limit)
        do {
            try dial()
        } catch {
            fail(Self.reason(error))
        }
    }

    func makeBuffer(capacity: Int) -> ByteBuffer {
        var buffer = spare
        spare = ByteBuffer()
        buffer.clear(minimumCapacity: capacity)
        return buffer
    }

    func send(_ kind: AgentMessageKind, atMost capacity: Int, write: (UnsafeMutableRawBufferPointer) -> Int) {
        live?.send(kind == .text ? .text : .binary, atMost: capacity, write)
    }

    func send(text: ByteBuffer) {
        send(text, as: .text)
    }

    func send(binary: ByteBuffer) {
        send(binary, as: .binary)
    }

    private func send(_ message: ByteBuffer, as opcode: WebSocketOpcode) {
        guard let live else { return }
        live.send(message, as: opcode)
        if message.capacity <= Self.keptStorage { spare = message }
    }

    var isWritable: Bool { live?.isWritable ?? false }

    func close(code: UInt16) {
        switch state {
        case .idle: state = .over
        case .dialling: fail("it was given up while it was dialled")
        case .up(let handler):
            state = .closing(handler)
            handler.close(code: code)
        case .closing, .over: break
        }
    }

    // MARK: Dialling

    private func dial() throws {
        guard let url else { throw Refusal(reason: "its address is no ws:// or wss:// URL") }
        let trust = url.isSecure ? try self.trust ?? AgentTrust.context(showing: identity) : nil
        let request = try UpgradeRequest(url: url, token: token, subprotocol: subprotocol, signature: signature, key: .random(using: &generator))
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(limits.connect)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            // What waits in the kernel is as stale as what waits here: it may hold little that is not yet sent.
            .channelOption(.tcpOption(Self.notSentLowWater), value: Self.kernelBacklog)
            .channelOption(.writeBufferWaterMark, value: .init(low: limits.backlog / 2, high: limits.backlog))
            // With reads of at most 64 KiB: no agent's burst holds the loop for longer than that in a turn.
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try bound.value.prepare(channel, request: request, trust: trust, serverName: url.serverName)
                }
            }
        bootstrap.connect(host: url.host, port: url.port).assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel): self.connected(channel)
            case .failure(let error): self.fail(Self.reason(error))
            }
        }
    }

    /// Sets up one attempt; a name with several addresses makes several (RFC 8305), of which one connects.
    private func prepare(_ channel: any Channel, request: UpgradeRequest, trust: NIOSSLContext?, serverName: String?) throws {
        let pipeline = channel.pipeline.syncOperations
        if let trust { try pipeline.addHandler(NIOSSLClientHandler(context: trust, serverHostname: serverName)) }
        let handler = Handler(limits: limits, generator: generator, streams: trust == nil ? streams : nil)
        try request.upgrade(channel, to: handler).assumeIsolated().whenComplete { result in
            // Attempts that lost the race end here too.
            guard channel === self.channel else { return }
            switch result {
            case .success: self.opened(handler)
            case .failure(let error): self.fail(Self.reason(error))
            }
        }
    }

    private func connected(_ channel: any Channel) {
        guard case .dialling = state else {
            channel.close(promise: nil)
            return
        }
        self.channel = channel
    }

    private func opened(_ handler: Handler) {
        guard case .dialling(let limit) = state else { return }
        limit.cancel()
        self.handler = handler
        // Those of the attempts that lost the race tell nobody anything.
        handler.owner = self
        channel = nil
        state = .up(handler)
        guard let delegate else {
            close(code: 1001)
            return
        }
        handler.start(presence)
        presence = nil
        logger.debug("agent socket up", metadata: ["host": "\(url?.hostField ?? "")"])
        delegate.transportOpened(now: .now())
    }

    /// Ends a dial that came to nothing.
    private func fail(_ reason: String) {
        guard case .dialling(let limit) = state else { return }
        limit.cancel()
        presence = nil
        state = .over
        channel?.close(promise: nil)
        channel = nil
        tell(code: nil, reason: reason)
    }

    // MARK: From the handler

    func received(_ text: ByteBuffer, now: NIODeadline) {
        guard live != nil else { return }
        delegate?.transportReceived(text: text, now: now)
    }

    func received(binary: ByteBuffer, now: NIODeadline) {
        guard live != nil else { return }
        delegate?.transportReceived(binary: binary, now: now)
    }

    func ended(code: UInt16?, reason: String) {
        switch state {
        case .up, .closing: break
        case .idle, .dialling, .over: return
        }
        state = .over
        tell(code: code, reason: reason)
    }

    /// Later, for a write that fails may end the connection from within a delegate's own call.
    private func tell(code: UInt16?, reason: String) {
        logger.debug("agent socket ended", metadata: ["reason": "\(reason)"])
        eventLoop.assumeIsolated().execute {
            self.delegate?.transportClosed(code: code, reason: reason, now: .now())
            self.delegate = nil
        }
    }
}
