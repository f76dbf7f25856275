import NIOCore
import NIOPosix
import NIOSSL

/// The agent's side of a WebSocket, played by a script: what it answers to the request, then whatever bytes a test wants, right or wrong.
final class SocketAgent: Sendable {
    enum Answer: Sendable {
        /// 101 with these further header lines, followed in the same write by `bytes`.
        case upgrade(lines: [String] = [], bytes: [UInt8] = [])
        case text(String)
        case close
        case nothing
    }

    enum Event: Sendable, Equatable {
        case request(String)
        /// A frame of the gateway, unmasked. `isMasked` as it came.
        case frame(opcode: UInt8, payload: [UInt8], isMasked: Bool)
        /// The connection is gone.
        case gone
    }

    /// What `Sec-WebSocket-Accept` says to the key that `FixedGenerator` makes.
    static let accept = "1nwQI3IBoftOh+fG2YorpTWcrHs="

    private let listener: any Channel
    private let connection: EventLoopPromise<any Channel>
    private let stream: AsyncStream<Event>

    var port: Int { listener.localAddress?.port ?? 0 }

    /// - Parameter tls: for `wss`.
    init(_ answer: Answer = .upgrade(), tls: NIOSSLContext? = nil) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let (stream, continuation) = AsyncStream.makeStream(of: Event.self)
        self.stream = stream
        let connection = group.any().makePromise(of: (any Channel).self)
        self.connection = connection
        let bootstrap = ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.addHandler(Script(answer: answer, events: continuation))
                    connection.succeed(channel)
                }
            }
        listener = try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
    }

    /// A port of this machine on which nobody listens.
    static func freePort() async throws -> Int {
        let agent = try await SocketAgent(.nothing)
        let port = agent.port
        try await agent.stop()
        return port
    }

    /// What happens next at the agent's side.
    func next() async -> Event? {
        var iterator = stream.makeAsyncIterator()
        return await iterator.next()
    }

    /// The next frame of this opcode; what comes before it is skipped.
    func payload(of opcode: UInt8) async -> [UInt8]? {
        while let event = await next() {
            if case .frame(opcode, let payload, _) = event { return payload }
            if case .gone = event { return nil }
        }
        return nil
    }

    func gone() async -> Bool {
        while let event = await next() {
            if event == .gone { return true }
        }
        return false
    }

    func send(_ bytes: [UInt8]) async throws {
        let channel = try await connection.futureResult.get()
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    /// Stops or resumes to read.
    func read(_ on: Bool) async throws {
        try await connection.futureResult.get().setOption(.autoRead, value: on).get()
    }

    func close() async throws {
        do {
            try await connection.futureResult.get().close().get()
        } catch ChannelError.alreadyClosed {
            // The gateway was first.
        }
    }

    /// Ends the connection by RST.
    func reset() async throws {
        let channel = try await connection.futureResult.get()
        guard let provider = channel as? any SocketOptionProvider else { throw ChannelError.operationUnsupported }
        try await provider.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try await channel.close().get()
    }

    func stop() async throws {
        connection.fail(ChannelError.alreadyClosed)
        try await listener.close().get()
    }

    /// A frame as an agent sends it.
    /// - Parameter first: FIN, reserved bits and opcode.
    static func frame(_ first: UInt8, _ payload: [UInt8], mask: Bool = false) -> [UInt8] {
        var bytes = [first]
        let bit: UInt8 = mask ? 0x80 : 0
        switch payload.count {
        case ..<126: bytes.append(bit | UInt8(payload.count))
        case ...0xFFFF: bytes += [bit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default: bytes += [bit | 127] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: payload.count >> ($0 * 8)) }
        }
        return bytes + (mask ? [0, 0, 0, 0] : []) + payload
    }

    static func text(_ text: String) -> [UInt8] { frame(0x81, Array(text.utf8)) }

    /// Reads the request, answers it and takes frames apart.
    private final class Script: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let answer: Answer
        private let events: AsyncStream<Event>.Continuation
        private var buffer = ByteBuffer()
        private var isUpgraded = false

        init(answer: Answer, events: AsyncStream<Event>.Continuation) {
            self.answer = answer
            self.events = events
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            buffer.writeImmutableBuffer(unwrapInboundIn(data))
            if !isUpgraded, let end = buffer.readableBytesView.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound {
                events.yield(.request(buffer.readString(length: end - buffer.readerIndex) ?? ""))
                isUpgraded = true
                reply(context)
            }
            if isUpgraded { readFrames() }
        }

        func channelInactive(context: ChannelHandlerContext) {
            events.yield(.gone)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }

        private func reply(_ context: ChannelHandlerContext) {
            switch answer {
            case .upgrade(let lines, let bytes):
                let head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: \(accept)"]
                var reply = ByteBuffer(string: (head + lines).joined(separator: "\r\n") + "\r\n\r\n")
                reply.writeBytes(bytes)
                context.writeAndFlush(NIOAny(reply), promise: nil)
            case .text(let text): context.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: nil)
            case .close: context.close(promise: nil)
            case .nothing: break
            }
        }

        private func readFrames() {
            while true {
                var rest = buffer
                guard let first = rest.readInteger(as: UInt8.self), let second = rest.readInteger(as: UInt8.self) else { return }
                var length = Int(second & 127)
                if length == 126 {
                    guard let long = rest.readInteger(as: UInt16.self) else { return }
                    length = Int(long)
                } else if length == 127 {
                    guard let long = rest.readInteger(as: UInt64.self) else { return }
                    length = Int(long)
                }
                let isMasked = second & 128 != 0
                var mask: [UInt8] = [0, 0, 0, 0]
                if isMasked {
                    guard let key = rest.readBytes(length: 4) else { return }
                    mask = key
                }
                guard let payload = rest.readBytes(length: length) else { return }
                buffer = rest
                let plain = payload.enumerated().map { $1 ^ mask[$0 & 3] }
                events.yield(.frame(opcode: first & 15, payload: plain, isMasked: isMasked && first & 0xF0 == 0x80))
            }
        }
    }
}
