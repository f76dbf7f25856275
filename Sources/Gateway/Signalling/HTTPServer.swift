import Glibc
import Hummingbird
import HummingbirdCore
import Logging
import NIOConcurrencyHelpers
import NIOCore
import ServiceLifecycle

/// The HTTP side of the gateway: pages, WHIP, the signal socket, health and metrics.
final class HTTPServer: Sendable {
    struct Configuration: Sendable {
        /// The address to bind, and the port; 0 takes a free one.
        var host: String
        var port: Int
        /// `Origin` values allowed besides the same origin, as `http.origins` has them.
        var origins: [String] = []
        /// The servers browsers are told of, asked for each call: credentials may be short-lived.
        var iceServers: @Sendable () -> [ICEServer] = { [] }
        /// How sockets are watched, and how long a call waits for a lost one.
        var socketTiming = SignalSocket.Timing()
        var resumeWindow = TimeAmount.seconds(Int64(SignalReply.resumeSeconds))
        /// How long `stop` lets requests finish.
        var stopTimeout = TimeAmount.seconds(2)

        init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// The address could not be bound.
    struct BindFailure: Error, CustomStringConvertible {
        var address: String
        var reason: String

        var description: String { "HTTP cannot listen on \(address): \(reason)" }
    }

    private enum State {
        case initial
        case starting(CheckedContinuation<Int, any Error>)
        case serving
        case ended
    }

    private let configuration: Configuration
    private let group: any EventLoopGroup
    private let logger: Logger
    private let hub: SignalHub
    private let services: ServiceGroup
    private let state: NIOLockedValueBox<State>
    private let task: NIOLockedValueBox<Task<Void, any Error>?>

    /// - Parameters:
    ///   - calls: the door to the switchboard.
    ///   - health: what `/readyz` and `/metrics` say.
    ///   - api: what `/api/v1` answers from; without it there is no such path.
    ///   - group: the signalling loops.
    ///   - now: the clock of ended WHIP sessions.
    init(
        configuration: Configuration, calls: any BrowserCalls, health: any GatewayHealth, api: APIServices? = nil, group: any EventLoopGroup,
        logger: Logger = Logger(label: "tandem.http"), now: @escaping @Sendable () -> NIODeadline = { .now() }
    ) {
        let policy = OriginPolicy(origins: configuration.origins)
        let hub = SignalHub(
            loop: group.next(), calls: calls, iceServers: configuration.iceServers, resumeWindow: configuration.resumeWindow)
        let state = NIOLockedValueBox(State.initial)
        let upgrade = SignalUpgrade(policy: policy)
        let router = Self.router(
            policy: policy, upgrade: upgrade,
            whip: WHIPController(sessions: WHIPSessions(calls: calls, now: now), iceServers: configuration.iceServers),
            health: HealthController(health: health), api: api)
        let timing = configuration.socketTiming
        let application = Application(
            router: router,
            server: HTTPServerBuilder { responder in
                UpgradableHTTPChannel(responder: responder, upgrade: upgrade, hub: hub, timing: timing)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port), serverName: "tandem"),
            onServerRunning: { channel in
                Self.finishStart(state, .success(channel.localAddress?.port ?? configuration.port))
            },
            eventLoopGroupProvider: .shared(group), logger: logger)
        self.configuration = configuration
        self.group = group
        self.logger = logger
        self.hub = hub
        self.state = state
        services = ServiceGroup(configuration: .init(services: [application], logger: logger))
        task = NIOLockedValueBox(nil)
    }

    /// Which path is whose.
    private static func router(
        policy: OriginPolicy, upgrade: SignalUpgrade, whip: WHIPController, health: HealthController, api: APIServices?
    ) -> Router<SignallingContext> {
        let router = Router(context: SignallingContext.self)
        router.add(middleware: HTTPProblemMiddleware())
        PageController().addRoutes(to: router)
        health.addRoutes(to: router)
        let calls = router.group().add(middleware: OriginMiddleware(policy: policy))
        whip.addRoutes(to: calls)
        upgrade.addRoutes(to: calls)
        if let api { APIRoutes.add(api, policy: policy, to: router) }
        return router
    }

    /// Binds, and serves from then on.
    /// - Returns: the port that was bound.
    /// - Throws: `BindFailure`.
    func start() async throws -> Int {
        do {
            return try await withCheckedThrowingContinuation { continuation in
                state.withLockedValue { $0 = .starting(continuation) }
                task.withLockedValue { [services, state] in
                    $0 = Task {
                        do {
                            try await services.run()
                            Self.finishStart(state, .failure(CancellationError()))
                        } catch {
                            Self.finishStart(state, .failure(error))
                            // Cut short by `stop`, which is no failure.
                            if !Task.isCancelled { throw error }
                        }
                    }
                }
            }
        } catch {
            throw BindFailure(address: address, reason: Self.reason(of: error))
        }
    }

    /// Starts unless that was done, and returns when the server has stopped.
    /// - Throws: `BindFailure`, or what broke the server.
    func run() async throws {
        if task.withLockedValue({ $0 == nil }) { _ = try await start() }
        try await task.withLockedValue { $0 }?.value
    }

    /// Stops listening, lets requests finish for two seconds, then closes what is left. Signal sockets are told 1001.
    func stop() async {
        guard let task = task.withLockedValue({ $0 }) else { return }
        hub.stop()
        await services.triggerGracefulShutdown()
        let deadline = group.next().scheduleTask(in: configuration.stopTimeout) { task.cancel() }
        _ = await task.result
        deadline.cancel()
    }

    /// Calls of signal sockets, those that wait for a lost one included.
    func sessionCount() async -> Int {
        await hub.sessionCount()
    }

    private var address: String {
        let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
        return "\(host):\(configuration.port)"
    }

    private static func finishStart(_ state: NIOLockedValueBox<State>, _ result: Result<Int, any Error>) {
        let continuation: CheckedContinuation<Int, any Error>? = state.withLockedValue { state in
            let starting = if case .starting(let continuation) = state { continuation } else { CheckedContinuation<Int, any Error>?.none }
            state = if case .success = result { .serving } else { .ended }
            return starting
        }
        continuation?.resume(with: result)
    }

    private static func reason(of error: any Error) -> String {
        switch error {
        case let error as IOError where error.errnoCode == EADDRINUSE: "the address is in use"
        case let error as IOError where error.errnoCode == EADDRNOTAVAIL: "this machine has no such address"
        case let error as IOError where error.errnoCode == EACCES: "this needs a privilege the process does not have"
        default: "\(error)"
        }
    }
}
