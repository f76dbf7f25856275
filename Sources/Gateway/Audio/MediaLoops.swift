import Foundation
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import RTCStack
import RTP
import Transcode

/// All media loops of the gateway: one NIO group, a socket for browsers each, one pool of RTP ports.
final class MediaLoops: Sendable {
    let drivers: [MediaLoopDriver]
    let ports: PortPool
    /// Addresses browsers are told, best first.
    let candidates: [String]
    let browserPorts: ClosedRange<Int>
    /// What is known of the agents' addresses.
    let agentHealth = AgentHealth()
    private let group: MultiThreadedEventLoopGroup
    private let events: EventRelay
    /// Whether the threads ask for real-time priority.
    private let isRealtime: Bool
    private let logger: Logger

    /// Tries with port 0 to find as many ports in a row as there are loops.
    private static let mostTries = 32

    /// Binds the browsers' sockets; nothing runs before `start`.
    /// - Throws: `AddressUnavailable`.
    init(configuration: Configuration, logger: Logger) throws {
        let count = configuration.media.loops ?? System.coreCount
        group = MultiThreadedEventLoopGroup(numberOfThreads: count)
        ports = PortPool(configuration.sip.rtpPorts)
        events = EventRelay()
        isRealtime = configuration.media.realtime
        self.logger = logger
        let certificate = try DTLSCertificate()
        let advertised = AdvertisedAddresses(configuration)
        candidates = advertised.browser
        let sockets = try Self.bind(configuration, count: count, ports: ports)
        let first = Int(sockets.first?.browserAddress.port ?? 0)
        browserPorts = first...max(first, Int(sockets.last?.browserAddress.port ?? 0))

        let eventLoops = Array(group.makeIterator())
        let events = events
        let health = agentHealth
        var drivers: [MediaLoopDriver] = []
        for (index, io) in sockets.enumerated() {
            let eventLoop = eventLoops[index]
            let environment = MediaEnvironment(
                io: io, certificate: certificate, candidates: candidates, trunkAddress: advertised.trunk,
                opusFromTrunk: OpusEncoder.Settings(configuration.media.opus.trunk),
                opusFromAgent: OpusEncoder.Settings(configuration.media.opus.agent),
                randomness: { SystemRandomNumberGenerator() }, wallClock: Self.wallClock,
                makeAgent: { order, legEvents, logger, now in
                    AgentFactory.make(order, on: eventLoop, streams: io, health: health, events: legEvents, logger: logger, now: now)
                }, logger: logger, threadTime: Self.threadTime,
                controlsBrowserGain: configuration.browser.agc == .auto)
            drivers.append(
                MediaLoopDriver(eventLoop: eventLoop, streams: io) {
                    let loop = MediaLoop(index: index, environment: environment, now: .now()) { events.post(.media($0, $1)) }
                    loop.overloadChanged = { events.post(.loopLoad(index, isOverloaded: $0)) }
                    return loop
                })
        }
        self.drivers = drivers
    }

    func report(to switchboard: Switchboard) { events.attach { switchboard.post($0) } }

    func start() {
        for (index, driver) in drivers.enumerated() {
            if isRealtime { hasten(driver.eventLoop, warns: index == 0) }
            driver.start()
        }
    }

    /// Without the permission the loop goes on at normal priority; one warning says so for all.
    private func hasten(_ eventLoop: any EventLoop, warns: Bool) {
        let logger = logger
        eventLoop.execute {
            guard let reason = RealtimePriority.request() else { return }
            guard warns else { return }
            logger.warning("media.realtime: the system refuses real-time priority (\(reason)): media loops run at normal priority")
        }
    }

    func stop() async {
        for driver in drivers { try? await driver.stop().get() }
        try? await group.shutdownGracefully()
    }

    private static func bind(_ configuration: Configuration, count: Int, ports: PortPool) throws -> [EpollMediaIO] {
        let listen = configuration.browser.listen
        let trunkHost = AdvertisedAddresses.trunkHost(configuration)
        for attempt in 1...mostTries {
            do { return try bindInRow(listen, count: count, trunkHost: trunkHost, ports: ports) } catch let error as BindError {
                guard listen.port == 0, attempt < mostTries else {
                    throw AddressUnavailable(address: error.address, reason: error.reason)
                }
            }
        }
        return []
    }

    private static func bindInRow(
        _ listen: Configuration.Listen, count: Int, trunkHost: TransportAddress, ports: PortPool
    ) throws -> [EpollMediaIO] {
        var sockets: [EpollMediaIO] = []
        var port = listen.port
        let host = listen.host == "localhost" ? "127.0.0.1" : listen.host
        do {
            for _ in 0..<count {
                guard let address = TransportAddress(host: host, port: port) else {
                    throw AddressUnavailable(address: "udp:\(listen.host):\(port)", reason: "not a numeric address and port")
                }
                let io = try EpollMediaIO(browser: address, trunkHost: trunkHost, ports: ports)
                sockets.append(io)
                port = Int(io.browserAddress.port) + 1
            }
        } catch {
            for io in sockets { io.close() }
            throw error
        }
        return sockets
    }

    /// Of the calling thread.
    private static let threadTime: @Sendable () -> TimeAmount = {
        var used = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used)
        return .nanoseconds(Int64(used.tv_sec) * 1_000_000_000 + Int64(used.tv_nsec))
    }

    private static let wallClock: @Sendable () -> NTPTimestamp = {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return NTPTimestamp(unixNanoseconds: UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec))
    }
}

/// Carries events from the media loops to a switchboard that is made after them.
final class EventRelay: Sendable {
    /// Not the closure itself: each time it passes through the generic box it would be wrapped once more, and the wrappings are a leak
    /// and, some ten thousand events on, the end of the stack.
    private struct Target {
        let post: @Sendable (SwitchboardEvent) -> Void
    }

    private let target = NIOLockedValueBox<Target?>(nil)

    func attach(_ target: @escaping @Sendable (SwitchboardEvent) -> Void) { self.target.withLockedValue { $0 = Target(post: target) } }

    func post(_ event: SwitchboardEvent) { target.withLockedValue { $0 }?.post(event) }
}

extension OpusEncoder.Settings {
    init(_ encoding: Configuration.OpusEncoding) {
        self.init(bitrate: encoding.bitrate, complexity: encoding.complexity)
    }
}
