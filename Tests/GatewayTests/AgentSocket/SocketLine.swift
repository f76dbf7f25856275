import Logging
import NIOCore
import NIOPosix
import NIOSSL

@testable import Gateway

/// Always the same, so that the request key is known: 16 times 0x5A.
struct FixedGenerator: RandomNumberGenerator {
    mutating func next() -> UInt64 { 0x5A5A_5A5A_5A5A_5A5A }
}

extension WebSocketAgentTransport.Limits {
    /// For tests that are not about time, on a machine that is busy with other things.
    static var patient: Self {
        var limits = Self()
        limits.connect = .seconds(30)
        limits.closing = .seconds(30)
        return limits
    }
}

/// A transport on its loop, and what its delegate hears. Its connection goes past the event loop, as on a media loop, unless `isDirect` is false.
final class SocketLine: Sendable {
    enum Event: Sendable, Equatable {
        case opened
        case text(String)
        case binary([UInt8])
        case closed(code: UInt16?, reason: String)
    }

    let loop: any EventLoop
    private let stream: AsyncStream<Event>
    private let transport: NIOLoopBoundBox<WebSocketAgentTransport?>
    private let delegate: NIOLoopBoundBox<Delegate>
    private let turner: StreamTurner

    private final class Delegate: AgentTransportDelegate {
        let events: AsyncStream<Event>.Continuation
        /// Nothing may be heard while the session itself calls the transport.
        var isCalling = false
        init(events: AsyncStream<Event>.Continuation) { self.events = events }

        func transportOpened(now: NIODeadline) { tell(.opened) }

        func transportReceived(text: ByteBuffer, now: NIODeadline) { tell(.text(String(buffer: text))) }

        func transportReceived(binary: ByteBuffer, now: NIODeadline) { tell(.binary(Array(binary.readableBytesView))) }

        func transportClosed(code: UInt16?, reason: String, now: NIODeadline) { tell(.closed(code: code, reason: reason)) }

        private func tell(_ event: Event) {
            events.yield(isCalling ? .closed(code: 0, reason: "told from within a call") : event)
        }
    }

    init(
        url: String, token: String? = nil, subprotocol: String? = nil, trust: NIOSSLContext? = nil,
        limits: WebSocketAgentTransport.Limits = .patient, isDirect: Bool = true
    ) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        self.loop = loop
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self)
        self.stream = stream
        let turner = try StreamTurner(on: loop)
        self.turner = turner
        (transport, delegate) = try await loop.submit {
            let transport = WebSocketAgentTransport(
                url: url, token: token, subprotocol: subprotocol, on: loop, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
                trust: trust, limits: limits, streams: isDirect ? turner.streams : nil, generator: FixedGenerator())
            turner.turn()
            return (
                NIOLoopBoundBox(transport as WebSocketAgentTransport?, eventLoop: loop),
                NIOLoopBoundBox(Delegate(events: continuation), eventLoop: loop)
            )
        }.get()
    }

    deinit { loop.execute { [turner] in turner.stop() } }

    convenience init(
        to agent: SocketAgent, path: String = "/", token: String? = nil, subprotocol: String? = nil,
        limits: WebSocketAgentTransport.Limits = .patient, isDirect: Bool = true
    ) async throws {
        try await self.init(
            url: "ws://127.0.0.1:\(agent.port)\(path)", token: token, subprotocol: subprotocol, limits: limits, isDirect: isDirect)
    }

    /// Calls the transport as its session would.
    func call<Value: Sendable>(_ body: @escaping @Sendable (WebSocketAgentTransport) -> Value) async throws -> Value {
        try await loop.submit {
            let delegate = self.delegate.value
            guard let transport = self.transport.value else { throw ChannelError.alreadyClosed }
            delegate.isCalling = true
            defer { delegate.isCalling = false }
            return body(transport)
        }.get()
    }

    func open() async throws {
        let delegate = delegate
        try await call { $0.open(delegate: delegate.value) }
    }

    func send(_ text: String) async throws {
        try await call { transport in
            var buffer = transport.makeBuffer(capacity: text.utf8.count)
            buffer.writeString(text)
            transport.send(text: buffer)
        }
    }

    func send(binary bytes: [UInt8]) async throws {
        try await call { transport in
            var buffer = transport.makeBuffer(capacity: bytes.count)
            buffer.writeBytes(bytes)
            transport.send(binary: buffer)
        }
    }

    func close(_ code: UInt16 = 1000) async throws { try await call { $0.close(code: code) } }

    /// The session is let go of, and its transport with it.
    func drop() async throws {
        try await loop.submit { self.transport.value = nil }.get()
    }

    /// What the delegate hears next.
    func next() async -> Event? {
        var iterator = stream.makeAsyncIterator()
        return await iterator.next()
    }

    /// Whatever the delegate still hears until the loop has nothing left to tell.
    func rest() async throws -> [Event] {
        let delegate = delegate
        try await loop.submit {}.get()
        try await loop.submit { delegate.value.events.finish() }.get()
        var heard: [Event] = []
        for await event in stream { heard.append(event) }
        return heard
    }
}
