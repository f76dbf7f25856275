import Foundation
import Logging
import NIOCore
import RTP
import TestKit

@testable import Gateway

/// The time of day on virtual time. Belongs to the one thread a test runs on.
final class VirtualClock: @unchecked Sendable {
    var now: NIODeadline
    /// What the media loops' threads used so far.
    var threadTime = TimeAmount.zero

    init(now: NIODeadline) { self.now = now }

    private static let epoch: UInt64 = 1_700_000_000_000_000_000
    private var unixNanoseconds: UInt64 { Self.epoch + now.uptimeNanoseconds }
    var wallClock: NTPTimestamp { NTPTimestamp(unixNanoseconds: unixNanoseconds) }
    var date: Date { Date(timeIntervalSince1970: Double(unixNanoseconds) / 1e9) }
}

/// One seeded generator that all copies share. Belongs to the one thread a test runs on.
final class SharedGenerator: RandomNumberGenerator, @unchecked Sendable {
    private var base: SeededGenerator

    init(seed: UInt64) { base = SeededGenerator(seed: seed) }

    func next() -> UInt64 { base.next() }
}

/// Keeps what is logged. Belongs to the one thread a test runs on.
final class VirtualLog: @unchecked Sendable {
    private(set) var lines: [String] = []
    /// Of the calls that are over, in order.
    var records: [CallRecord] = []

    func add(_ line: String) { lines.append(line) }

    func count(_ text: String) -> Int { lines.count { $0.contains(text) } }
}

struct VirtualLogHandler: LogHandler {
    let log: VirtualLog
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let pairs = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        log.add("\(event.level) \(event.message) \(pairs.joined(separator: " "))")
    }
}

/// Makes the agents that calls dial, and knows how many legs are still held by somebody.
final class DialledAgents {
    var made: (FakeAgent) -> Void = { _ in }
    var native: (FakeTandemAgent) -> Void = { _ in }
    var faulty: (FaultyAgent) -> Void = { _ in }
    /// What is known of the agents' addresses.
    let health = AgentHealth()
    private struct Held { weak var leg: AnyObject? }
    private var legs: [Held] = []

    /// Agent legs that still exist.
    var alive: Int { legs.count { $0.leg != nil } }

    func make(_ order: AgentOrder, _ events: any AgentLegEvents, _ logger: Logger, _ now: NIODeadline) -> any AgentLeg {
        let leg: any AgentLeg
        switch order.agent.link {
        case .builtin(.parrot): leg = ParrotAgent(events: events)
        case .builtin(.echo): leg = EchoAgent(events: events)
        case .socket(let urls, let name) where order.agent.name.hasPrefix("faulty-"):
            let agent = FaultyAgent(dialect: name, now: now)
            faulty(agent)
            let targets = health.choose(urls, spread: order.agent.spread, now: now).map { url in
                AgentTarget(name: url, health: health) { agent.dial(url) }
            }
            let watchdog = AgentWatchdog(firstAudioSeconds: order.agent.firstAudioSeconds, answerSeconds: order.agent.answerSeconds)
            leg = AgentSession(
                dialect: agent.makeDialect(order), targets: targets, info: order.info, watchdog: watchdog, events: events, logger: logger, now: now)
        case .socket(_, .tandem):
            let agent = FakeTandemAgent(now: now)
            native(agent)
            var generator = SystemRandomNumberGenerator()
            let dialect = TandemDialect(order.info, using: &generator)
            leg = AgentSession(
                dialect: dialect, targets: [AgentTarget(name: order.agent.name) { agent.dial() }], info: order.info, events: events,
                logger: logger, now: now)
        case .socket:
            let agent = FakeAgent(name: order.agent.name, now: now)
            made(agent)
            leg = AgentSession(
                dialect: TwilioDialect(), targets: [AgentTarget(name: agent.name) { agent }], info: order.info, events: events, logger: logger, now: now)
        }
        legs.append(Held(leg: leg))
        return leg
    }
}
