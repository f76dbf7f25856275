import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SIPStack

/// The sockets, the clock and the timer of one ``SIPEndpoint``, all on one event loop.
///
/// Everything but the members marked "any thread" runs on `loop`; that is what makes it sendable. Commands and events travel in order:
/// commands are queued on the loop, events are told on the loop after the endpoint has finished.
final class SIPDriver: @unchecked Sendable {
    struct Settings: Sendable {
        /// What far ends are told to reach us at; nil: the address bound, or for a wildcard the first address of the host.
        var advertisedHost: String?
        var serverName: String
        var timers = SIPTimers()
        /// Open TCP connections in all. A trunk with a connection per call needs one for each.
        var maximumConnections = 4_096
        /// Open TCP connections of sources that are no trunk: they get a 403 and have no business to stay.
        var maximumStrangerConnections = 128
        /// A stranger, or a connection that never brought a message, is closed after so long without a byte.
        var strangerIdleLimit = TimeAmount.seconds(30)
        /// So is a trunk's connection without calls.
        var idleLimit = TimeAmount.minutes(10)
        /// Unsent bytes on a TCP connection after which its peer is taken for dead, and on a UDP socket after which datagrams are dropped.
        var maximumUnsentBytes = 256 * 1_024
        /// Messages kept for one address while a connection to it is being opened.
        var maximumQueuedMessages = 32
        var connectTimeout = TimeAmount.seconds(5)
    }

    typealias Known = @Sendable (SIPAddress) -> Bool

    /// Not the closure itself: each time it passes through a generic box it would be wrapped once more (see `EventRelay`).
    private struct Lookup {
        let isKnown: Known
    }

    typealias Sink = @Sendable (SIPOutput) -> Void
    typealias Command = @Sendable (inout SIPEndpoint, NIODeadline, inout [SIPOutput]) -> Void

    let loop: any EventLoop
    let settings: Settings
    /// What was bound, with real ports, in the order given. Any thread.
    private(set) var bound: [SIPListenAddress] = []
    var channels: [any Channel] = []
    var endpoint: SIPEndpoint
    /// Between `begin` and `shutdown`; nothing reaches the endpoint outside it.
    private(set) var isRunning = false
    var connections: [UInt64: Connection] = [:]
    /// The newest connection to each address.
    var connectionsByAddress: [SIPAddress: UInt64] = [:]
    var strangerConnections = 0
    var nextConnection: UInt64 = 1
    /// Messages that wait for a connection being opened.
    var connecting: [SIPAddress: [[UInt8]]] = [:]
    /// Somebody waits for the last answers.
    private var settling: (settled: EventLoopPromise<Void>, limit: Scheduled<Void>)?
    private var timer: (at: NIODeadline, task: Scheduled<Void>)?
    private let known: NIOLockedValueBox<Lookup>
    private let snapshot = NIOLockedValueBox(SIPCounters())
    private var datagramsDropped: UInt64 = 0
    private let onEvent: Sink

    private init(loop: any EventLoop, settings: Settings, isKnown: @escaping Known, onEvent: @escaping Sink) {
        self.loop = loop
        self.settings = settings
        endpoint = SIPEndpoint(configuration: .init(listeners: [], serverName: settings.serverName), random: SystemRandomNumberGenerator())
        known = NIOLockedValueBox(Lookup(isKnown: isKnown))
        self.onEvent = onEvent
    }

    /// Binds every address, in order, and begins to listen. Throws ``BindError`` for the first that fails; none stays bound then.
    ///
    /// `isKnown` tells trunks from strangers by their address; `onEvent` gets every output but sends and closes, on the loop, and must not block.
    static func start(
        on loop: any EventLoop, listeners: [SIPListenAddress], settings: Settings,
        random: some RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(), isKnown: @escaping Known, onEvent: @escaping Sink
    ) async throws -> SIPDriver {
        let driver = SIPDriver(loop: loop, settings: settings, isKnown: isKnown, onEvent: onEvent)
        var channels: [any Channel] = []
        do {
            for (index, address) in listeners.enumerated() {
                channels.append(try await driver.bind(address, listener: index))
            }
        } catch {
            for channel in channels { try? await channel.close() }
            throw error
        }
        let opened = channels
        try await loop.submit { driver.begin(opened, listeners: listeners, random: random) }.get()
        return driver
    }

    private func begin(_ channels: [any Channel], listeners: [SIPListenAddress], random: some RandomNumberGenerator & Sendable) {
        self.channels = channels
        bound = zip(listeners, channels).map { address, channel in
            SIPListenAddress(transport: address.transport, host: channel.localAddress?.ipAddress ?? address.host, port: channel.localAddress?.port ?? address.port)
        }
        let advertised = bound.map { address in
            SIPEndpoint.Listener(transport: address.transport, host: settings.advertisedHost ?? HostAddress.advertised(for: address.host), port: address.port)
        }
        endpoint = SIPEndpoint(
            configuration: .init(listeners: advertised, serverName: settings.serverName, timers: settings.timers), random: random)
        isRunning = true
        // Nothing was read so far: there was no endpoint to read it.
        for channel in channels { channel.setOption(.autoRead, value: true).whenFailure { _ in channel.close(promise: nil) } }
    }

    // MARK: Any thread

    /// Replaces the lookup of trunks, on reload.
    func setKnown(_ isKnown: @escaping Known) { known.withLockedValue { $0 = Lookup(isKnown: isKnown) } }

    func isKnown(_ address: SIPAddress) -> Bool { known.withLockedValue { $0 }.isKnown(address) }

    /// The endpoint's counters after its last turn.
    var counters: SIPCounters { snapshot.withLockedValue { $0 } }

    /// Queues a command; commands of one thread run in their order. After `shutdown` it does nothing.
    func perform(_ command: @escaping Command) {
        loop.execute { self.run(command) }
    }

    /// Waits until the far ends know that the calls are over, at most so long: a BYE or CANCEL without an answer is repeated meanwhile.
    func settle(atMost limit: TimeAmount) -> EventLoopFuture<Void> {
        loop.flatSubmit {
            let settled = self.loop.makePromise(of: Void.self)
            self.settling = (settled, self.loop.scheduleTask(in: limit) { self.endSettling() })
            self.endIfSettled()
            return settled.futureResult
        }
    }

    /// Closes every socket and connection; no event is told afterwards.
    func shutdown() -> EventLoopFuture<Void> {
        loop.flatSubmit {
            self.isRunning = false
            self.timer?.task.cancel()
            self.timer = nil
            self.connecting = [:]
            self.endSettling()
            let all = self.channels + self.connections.values.map(\.channel)
            self.channels = []
            // Closing a channel that has just closed by itself fails, and is as good.
            return EventLoopFuture.andAllComplete(all.map { $0.close() }, on: self.loop)
        }
    }

    // MARK: On the loop

    /// One turn of the endpoint: the command or input, then its outputs, then the timer.
    func run(_ body: (inout SIPEndpoint, NIODeadline, inout [SIPOutput]) -> Void) {
        loop.preconditionInEventLoop()
        guard isRunning else { return }
        var out: [SIPOutput] = []
        let now = NIODeadline.now()
        body(&endpoint, now, &out)
        // Before anything is sent: who has our answer finds it counted.
        var counters = endpoint.counters
        counters.datagramsDropped = datagramsDropped
        snapshot.withLockedValue { [counters] in $0 = counters }
        for output in out {
            switch output {
            case .send(let bytes, let flow): send(bytes, flow: flow)
            case .close(let connection): closeAfterSending(connection)
            default: onEvent(output)
            }
        }
        schedule()
        endIfSettled()
    }

    private func endIfSettled() {
        if settling != nil, !isRunning || !endpoint.isEnding { endSettling() }
    }

    private func endSettling() {
        guard let (settled, limit) = settling.take() else { return }
        limit.cancel()
        settled.succeed()
    }

    /// One UDP datagram or framed message.
    func receive(_ bytes: UnsafeRawBufferPointer, from flow: SIPFlow) {
        let isKnown = isKnown(flow.remote)
        run { $0.receive(bytes, from: flow, known: isKnown, now: $1, into: &$2) }
    }

    /// Keeps one timer armed for the endpoint's deadline.
    private func schedule() {
        guard isRunning else { return }
        guard let deadline = endpoint.deadline else {
            timer?.task.cancel()
            timer = nil
            return
        }
        // A timer that rings too early finds nothing to do and is armed again; that is cheaper than moving it at every turn.
        if let timer, timer.at <= deadline { return }
        timer?.task.cancel()
        let task = loop.scheduleTask(deadline: deadline) { self.timerRang() }
        timer = (deadline, task)
    }

    private func timerRang() {
        timer = nil
        run { $0.expire(now: $1, into: &$2) }
    }

    private func dropDatagram() {
        datagramsDropped += 1
        snapshot.withLockedValue { $0.datagramsDropped += 1 }
    }

    private func send(_ bytes: [UInt8], flow: SIPFlow) {
        guard flow.transport == .udp else {
            sendOnConnection(bytes, flow: flow)
            return
        }
        guard channels.indices.contains(flow.listener) else { return }
        let channel = channels[flow.listener]
        guard let remote = HostAddress.socketAddress(flow.remote, like: channel.localAddress) else { return }
        // A datagram that cannot be sent is as good as lost, and lost ones are repeated.
        guard channel.isWritable else { return dropDatagram() }
        channel.writeAndFlush(AddressedEnvelope(remoteAddress: remote, data: ByteBuffer(bytes: bytes)), promise: nil)
    }
}
