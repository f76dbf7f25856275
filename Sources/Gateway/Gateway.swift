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

    /// How long the last BYE waits for its answer: over UDP it is repeated twice meanwhile.
    private static let lastAnswersLimit = TimeAmount.seconds(2)

    /// Runs until SIGTERM or SIGINT, then drains.
    /// - Parameter environment: what `${NAME}` takes its values from when the configuration is read anew.
    /// - Throws: `ConfigurationRefused` when the database of calls cannot be opened, `AddressUnavailable` when an address cannot be bound.
    public static func run(configuration: Configuration, plan: LoadedPlan, environment: [String: String]) async throws {
        GatewayLog.bootstrap(configuration.log)
        let logger = Logger(label: "tandem")
        let records = try openRecords(configuration, logger: logger)
        let recorder = try makeRecorder(configuration.recordings, logger: logger)

        // Signals are caught before anything is bound: one that comes early drains a gateway that has no calls.
        let signals = GatewaySignals()

        AgentTrust.prepare(configuration.agents)
        let signalling = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let media = try MediaLoops(configuration: configuration, logger: logger)
        let outletsBox = OutletsBox()
        let post = WebhookPost(group: signalling)
        let webhooks = CallWebhooks(logger: logger) { url, content in try await post(url, content) }
        let hosts = HostDirectory(logger: logger)
        let settings = SwitchboardSettings(configuration: configuration, plan: plan.plan, addresses: hosts.addresses(of:))
        let switchboard = Switchboard(settings: settings, logger: logger, records: { records.store($0) }, recorder: recorder) { back in
            outletsBox.make(loops: media.drivers, webhooks: webhooks, back: back)
        }
        media.report(to: switchboard)
        let decisions = Task { await switchboard.run() }

        let sip = try await startSIP(configuration, on: signalling.next(), switchboard: switchboard)
        outletsBox.outlets?.attach(sip)
        let health = Health(
            metrics: GatewayMetrics(
                switchboard: switchboard, loops: media.drivers, sip: sip, ports: media.ports, records: records, recorder: recorder,
                agentHealth: media.agentHealth))
        let dialplan = DialplanService(
            configuration: configuration, plan: plan, environment: environment, history: records, logger: logger
        ) { configuration, plan in
            sip.setKnown(trunkTest(configuration))
            switchboard.post(.settings(SwitchboardSettings(configuration: configuration, plan: plan, addresses: hosts.addresses(of:))))
            Task { await hosts.resolve(configuration.trunks) }
        }
        let lookUps = Task { await hosts.keep { dialplan.configuration.trunks } }
        let api = APIServices(
            records: records, calls: switchboard, dialplan: dialplan, access: AdministratorAccess(token: configuration.http.adminToken),
            agentHealth: media.agentHealth, recordings: RecordingFolder(path: configuration.recordings.folder))
        let http = HTTPServer(
            configuration: HTTPServer.Configuration(configuration.http), calls: switchboard, health: health, api: api, group: signalling,
            logger: logger)
        let httpPort = try await startHTTP(http)
        media.start()
        recorder.start()

        warnOfFirewalls(configuration, media, logger)
        ReadyLine(
            http: Configuration.Listen(host: configuration.http.listen.host, port: httpPort), sip: sip.bound,
            candidates: media.candidates, ports: media.browserPorts
        ).print()

        await signals.wait { await dialplan.reload() }
        lookUps.cancel()
        await drain(configuration, switchboard: switchboard, health: health, logger: logger)
        await http.stop()
        try? await sip.settle(atMost: lastAnswersLimit).get()
        try? await sip.shutdown().get()
        switchboard.stop()
        await decisions.value
        await media.stop()
        await webhooks.close()
        await recorder.close()
        await records.close()
        try? await signalling.shutdownGracefully()
        logger.info("stopped")
    }

    private static func openRecords(_ configuration: Configuration, logger: Logger) throws -> RecordStore {
        guard case .sqlite(let path) = configuration.calls.database else {
            throw ConfigurationRefused(reason: Unbuilt.postgres.sentence)
        }
        do {
            return try RecordStore(path: path, retentionDays: configuration.calls.retentionDays, logger: logger)
        } catch {
            throw ConfigurationRefused(reason: error.description)
        }
    }

    private static func makeRecorder(_ settings: Configuration.Recordings, logger: Logger) throws -> Recorder {
        var announcement: Recording?
        if let file = settings.announcement {
            do { announcement = try Recording.load(file).get() } catch {
                throw ConfigurationRefused(reason: "recordings.announcement: \(error.detail)")
            }
        }
        return Recorder(settings, announcement: announcement, logger: logger)
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
