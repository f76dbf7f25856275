import Dialplan
import Foundation
import Logging
import NIOCore
import NIOPosix
import RTCStack
import RTP
import SIPStack

/// The gateway: wiring only, readable top to bottom.
public enum Gateway {
    /// Semantic version of this build.
    public static let version = "0.1.0"

    /// Runs until SIGTERM or SIGINT, then drains.
    /// - Throws: `AddressUnavailable` when an address cannot be bound.
    public static func run(configuration: Configuration, plan: Plan) async throws {
        GatewayLog.bootstrap(configuration.log)
        let logger = Logger(label: "tandem")

        // Signals are caught before anything is bound: one that comes early drains a gateway that has no calls.
        let signals = GatewaySignals()

        prepareTrust(configuration)
        let signalling = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let media = try MediaLoops(configuration: configuration, logger: logger)
        let outletsBox = OutletsBox()
        let switchboard = Switchboard(settings: SwitchboardSettings(configuration: configuration, plan: plan), logger: logger) { back in
            outletsBox.make(loops: media.drivers, back: back)
        }
        media.report(to: switchboard)
        let decisions = Task { await switchboard.run() }

        let sip = try await startSIP(configuration, on: signalling.next(), switchboard: switchboard)
        outletsBox.outlets?.attach(sip)
        let health = Health(
            metrics: GatewayMetrics(switchboard: switchboard, loops: media.drivers, sip: sip, ports: media.ports))
        let http = HTTPServer(
            configuration: HTTPServer.Configuration(configuration.http), calls: switchboard, health: health, group: signalling, logger: logger)
        let httpPort = try await startHTTP(http)
        media.start()

        warnOfFirewalls(configuration, media, logger)
        ReadyLine(
            http: Configuration.Listen(host: configuration.http.listen.host, port: httpPort), sip: sip.bound,
            candidates: media.candidates, ports: media.browserPorts
        ).print()

        await signals.wait {
            reload(configuration, switchboard: switchboard, sip: sip, logger: logger)
        }
        await drain(configuration, switchboard: switchboard, health: health, logger: logger)
        await http.stop()
        try? await sip.shutdown().get()
        switchboard.stop()
        await decisions.value
        await media.stop()
        try? await signalling.shutdownGracefully()
        logger.info("stopped")
    }

    /// Reads the system's certificate authorities before a call would have to, on its media loop.
    private static func prepareTrust(_ configuration: Configuration) {
        let urls = configuration.agents.flatMap { agent -> [String] in
            if case .socket(let urls, _) = agent.link { urls } else { [] }
        }
        if urls.contains(where: { $0.lowercased().hasPrefix("wss:") }) { WebSocketAgentTransport.prepareTrust() }
    }

    private static func startSIP(
        _ configuration: Configuration, on loop: any EventLoop, switchboard: Switchboard
    ) async throws -> SIPDriver {
        let listeners = configuration.sip.listen.map {
            SIPListenAddress(
                transport: SIPTransport(rawValue: $0.transport.rawValue) ?? .udp, host: $0.address.host, port: $0.address.port)
        }
        let settings = SIPDriver.Settings(advertisedHost: configuration.sip.advertise, serverName: "Tandem/\(version)")
        do {
            return try await SIPDriver.start(
                on: loop, listeners: listeners, settings: settings, isKnown: trunkTest(configuration),
                onEvent: { switchboard.post(.sip($0)) })
        } catch let error as BindError {
            throw AddressUnavailable(address: error.address, reason: error.reason)
        }
    }

    private static func startHTTP(_ http: HTTPServer) async throws -> Int {
        do { return try await http.start() } catch let error as HTTPServer.BindFailure {
            throw AddressUnavailable(address: error.address, reason: error.reason)
        }
    }

    /// Whether a source may speak SIP to us at all.
    private static func trunkTest(_ configuration: Configuration) -> SIPDriver.Known {
        { configuration.trunk(for: $0.host) != nil }
    }

    /// SIGHUP: dial plan and trunks anew; whatever does not pass changes nothing.
    private static func reload(_ old: Configuration, switchboard: Switchboard, sip: SIPDriver, logger: Logger) {
        let (loaded, plan, problems) = Configuration.load(path: old.file, environment: ProcessInfo.processInfo.environment)
        for problem in problems { logger.warning("reload: \(problem)") }
        guard let loaded, let plan else { return logger.error("reload refused: the old dial plan and trunks stay") }
        var next = old
        next.trunks = loaded.trunks
        next.agents = loaded.agents
        next.limits = loaded.limits
        sip.setKnown(trunkTest(next))
        switchboard.post(.settings(SwitchboardSettings(configuration: next, plan: plan)))
        logger.notice("reloaded dial plan, trunks and agents")
    }

    private static func drain(_ configuration: Configuration, switchboard: Switchboard, health: Health, logger: Logger) async {
        health.isReady = false
        let limit = configuration.limits.drainSeconds
        logger.notice("draining", metadata: ["seconds": "\(limit)"])
        let lateness = Task {
            try await Task.sleep(for: .seconds(limit))
            switchboard.post(.endAll(.draining))
        }
        await switchboard.drain()
        lateness.cancel()
    }

    /// What keeps a first browser call from having sound, said before it happens.
    private static func warnOfFirewalls(_ configuration: Configuration, _ media: MediaLoops, _ logger: Logger) {
        if media.candidates.allSatisfy({ TransportAddress(host: $0, port: 0)?.isLoopback ?? false }) {
            logger.warning("browsers are told only loopback addresses: only browsers on this machine can connect; set browser.advertise")
        }
    }
}
