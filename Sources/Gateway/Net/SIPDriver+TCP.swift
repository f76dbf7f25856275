import NIOCore
import NIOPosix
import SIPStack

extension SIPDriver {
    /// One TCP connection, accepted or opened by us.
    struct Connection {
        let channel: any Channel
        let remote: SIPAddress
        let isStranger: Bool
    }

    private static let listenBacklog: Int32 = 256

    func serverBootstrap(listener: Int) -> ServerBootstrap {
        ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: Self.listenBacklog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.autoRead, value: false)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: settings.maximumUnsentBytes / 4, high: settings.maximumUnsentBytes))
            .childChannelInitializer { channel in self.initialise(channel, listener: listener, dialled: nil) }
    }

    private func initialise(_ channel: any Channel, listener: Int, dialled: SIPFlow?) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandlers(
                IdleStateHandler(readTimeout: self.settings.strangerIdleLimit), SIPConnectionHandler(driver: self, listener: listener, dialled: dialled))
        }
    }

    /// Enters a connection; nil when it is one too many and must be closed. One that we opened is no stranger's, whoever may call in.
    func opened(_ channel: any Channel, remote: SIPAddress, isOurs: Bool) -> UInt64? {
        let isStranger = !isOurs && !isKnown(remote)
        guard isRunning, connections.count < settings.maximumConnections,
            !isStranger || strangerConnections < settings.maximumStrangerConnections
        else { return nil }
        let number = nextConnection
        nextConnection += 1
        connections[number] = Connection(channel: channel, remote: remote, isStranger: isStranger)
        connectionsByAddress[remote] = number
        if isStranger { strangerConnections += 1 }
        return number
    }

    func closed(_ number: UInt64) {
        guard let connection = connections.removeValue(forKey: number) else { return }
        if connection.isStranger { strangerConnections -= 1 }
        let isNewest = connectionsByAddress[connection.remote] == number
        if isNewest { connectionsByAddress[connection.remote] = nil }
        run {
            $0.connectionClosed(number, now: $1, into: &$2)
            // What was sent on it without an answer does not know its number.
            if isNewest { $0.connectionFailed(to: connection.remote, transport: .tcp, now: $1, into: &$2) }
        }
    }

    /// Whether a connection without a byte for `idle` should go: strangers at once, trunks later, none that a call needs.
    func shouldClose(_ number: UInt64, idleFor idle: TimeAmount, hasSpoken: Bool) -> Bool {
        guard let connection = connections[number] else { return true }
        if connection.isStranger || !hasSpoken { return true }
        return idle >= settings.idleLimit && !endpoint.isInUse(connection: number)
    }

    func sendOnConnection(_ bytes: [UInt8], flow: SIPFlow) {
        guard let number = flow.connection == 0 ? connectionsByAddress[flow.remote] : flow.connection else {
            connect(to: flow, first: bytes)
            return
        }
        guard let channel = connections[number]?.channel else {
            connectionIsMissing(flow)
            return
        }
        guard channel.isWritable else {
            // The peer does not read: what it has not taken by now it never will.
            channel.close(promise: nil)
            return
        }
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
    }

    /// Closes once everything written before is out.
    func closeAfterSending(_ number: UInt64) {
        guard let channel = connections[number]?.channel else { return }
        channel.writeAndFlush(ByteBuffer()).whenComplete { _ in channel.close(promise: nil) }
    }

    /// Opens a connection for a message that has none; what comes for the same address meanwhile waits with it.
    private func connect(to flow: SIPFlow, first bytes: [UInt8]) {
        if let waiting = connecting[flow.remote] {
            if waiting.count < settings.maximumQueuedMessages { connecting[flow.remote] = waiting + [bytes] }
            return
        }
        guard flow.transport == .tcp, let address = HostAddress.socketAddress(flow.remote, like: nil),
            connections.count + connecting.count < settings.maximumConnections
        else {
            connectionIsMissing(flow)
            return
        }
        connecting[flow.remote] = [bytes]
        ClientBootstrap(group: loop)
            .connectTimeout(settings.connectTimeout)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelOption(.writeBufferWaterMark, value: .init(low: settings.maximumUnsentBytes / 4, high: settings.maximumUnsentBytes))
            .channelInitializer { channel in self.initialise(channel, listener: flow.listener, dialled: flow) }
            .connect(to: address)
            .hop(to: loop)
            .whenComplete { result in self.connected(flow, result) }
    }

    private func connected(_ flow: SIPFlow, _ result: Result<any Channel, any Error>) {
        guard let waiting = connecting.removeValue(forKey: flow.remote) else { return }
        guard case .success(let channel) = result, channel.isActive else {
            connectionIsMissing(flow)
            return
        }
        for bytes in waiting { channel.write(ByteBuffer(bytes: bytes), promise: nil) }
        channel.flush()
    }

    /// Tells the endpoint that this message's way is not there, after the turn that sent it: calls go on to their next host.
    func connectionIsMissing(_ flow: SIPFlow) {
        loop.execute {
            self.run {
                if flow.connection != 0 { $0.connectionClosed(flow.connection, now: $1, into: &$2) }
                $0.connectionFailed(to: flow.remote, transport: flow.transport, now: $1, into: &$2)
            }
        }
    }
}

/// One TCP connection: frames what arrives, answers keep-alives, and sees that it does not stay for nothing.
private final class SIPConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let driver: SIPDriver
    private let listener: Int
    /// Of a connection that we opened: for whom.
    private let dialled: SIPFlow?
    private var framer = SIPStreamFramer()
    private var flow: SIPFlow?
    private var hasSpoken = false
    private var idle = TimeAmount.zero

    init(driver: SIPDriver, listener: Int, dialled: SIPFlow?) {
        self.driver = driver
        self.listener = listener
        self.dialled = dialled
    }

    func channelActive(context: ChannelHandlerContext) {
        guard let address = context.remoteAddress, let remote = HostAddress.sipAddress(address),
            let number = driver.opened(context.channel, remote: remote, isOurs: dialled != nil)
        else {
            if let dialled { driver.connectionIsMissing(dialled) }
            context.close(promise: nil)
            return
        }
        flow = SIPFlow(transport: .tcp, remote: remote, connection: number, listener: listener)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let flow else { return }
        idle = .zero
        var out: [SIPStreamFramer.Output] = []
        framer.receive(unwrapInboundIn(data).readableBytesView, into: &out)
        for output in out {
            switch output {
            case .message(let bytes):
                hasSpoken = true
                bytes.withUnsafeBytes { driver.receive($0, from: flow) }
            case .keepAlive:
                // Whoever asks again and again and does not read the answers is as good as gone.
                guard context.channel.isWritable else { return context.close(promise: nil) }
                context.channel.writeAndFlush(ByteBuffer(string: "\r\n"), promise: nil)
            case .broken:
                driver.closeAfterSending(flow.connection)
            }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .read? = event as? IdleStateHandler.IdleStateEvent, let flow else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        idle = idle + driver.settings.strangerIdleLimit
        if driver.shouldClose(flow.connection, idleFor: idle, hasSpoken: hasSpoken) { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let flow { driver.closed(flow.connection) }
        flow = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
