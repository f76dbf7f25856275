import Foundation
import NIOCore
import TestKit
import Testing

@testable import Gateway

/// A phone's call to a faulty agent, whose standby takes a second to answer, and what the phone hears of it.
final class FaultCall {
    let gateway: VirtualGateway
    let phone: FakeTrunk

    /// Louder is sound: the noise of a waiting line is, and silence is not.
    private static let quiet = 60
    /// No two samples of a 150 Hz tone, of a signal of life or of their joints are farther apart; those of a cut in a crest are.
    private static let largestStep = 1900
    /// Of the tones.
    private static let amplitude = 8000.0

    init(_ dialect: Agent.AgentProtocol, isReachable: Bool, takesCalls: Bool) {
        let plan = "routes: [{ name: faulty, when: { to: faulty }, do: [{ agent: faulty-\(dialect.rawValue) }, { agent: standby }] }]"
        gateway = VirtualGateway(plan: plan)
        gateway.turn = .milliseconds(5)
        gateway.prepareFaulty = {
            $0.isReachable = isReachable
            $0.takesCalls = takesCalls
        }
        gateway.prepareAgent = { $0.answer = .after(.seconds(1)) }
        phone = gateway.phone()
        phone.call("faulty")
    }

    /// A tone that begins softly, and is at a crest wherever a slot ends: a cut there is the loudest click there can be.
    static func tone(hertz: Double, seconds: Double, rate: Int) -> [Int16] {
        (0..<Int(seconds * Double(rate))).map { place in
            let time = Double(place) / Double(rate)
            return Int16(amplitude * min(1, time / 0.01) * cos(2 * .pi * hertz * time))
        }
    }

    func run(_ milliseconds: Int64) { gateway.run(for: .milliseconds(milliseconds)) }

    /// The agent, once it has the call.
    func answered(sourceLocation: SourceLocation = #_sourceLocation) throws -> FaultyAgent {
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered }, sourceLocation: sourceLocation)
        run(200)
        return try #require(gateway.faulty.last, sourceLocation: sourceLocation)
    }

    // MARK: What is heard

    /// When packets came that hold sound.
    private func loud(_ start: NIODeadline, _ end: NIODeadline) -> [NIODeadline] {
        let listener = phone.listener
        return listener.arrivals.enumerated().filter { index, arrival in
            guard arrival.at >= start, arrival.at <= end else { return false }
            let next = index + 1 < listener.arrivals.count ? listener.arrivals[index + 1].place : listener.sound.count
            return listener.sound[arrival.place..<next].contains { abs(Int($0)) > Self.quiet }
        }.map(\.element.at)
    }

    /// Never silent for longer than that.
    func expectSound(
        from start: NIODeadline, until end: NIODeadline, longest: TimeAmount = .milliseconds(300), sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let times = [start] + loud(start, end) + [end]
        let silence = zip(times, times.dropFirst()).map { $1 - $0 }.max() ?? .zero
        #expect(silence <= longest, "\(silence.nanoseconds / 1_000_000) ms", sourceLocation: sourceLocation)
    }

    func expectSilence(from start: NIODeadline, until end: NIODeadline, unless isExempt: Bool = false, sourceLocation: SourceLocation = #_sourceLocation) {
        if isExempt { return }
        #expect(loud(start, end).isEmpty, sourceLocation: sourceLocation)
    }

    /// No step between two samples that is none of the sound's own, from the first packet to the last.
    func expectNoClick(sourceLocation: SourceLocation = #_sourceLocation) {
        let sound = phone.listener.sound
        let step = zip(sound, sound.dropFirst()).map { abs(Int($1) - Int($0)) }.max() ?? 0
        #expect(step <= Self.largestStep, sourceLocation: sourceLocation)
    }

    /// The agent is heard whole when it speaks now.
    func expectHeard(_ agent: FaultyAgent, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let began = gateway.now
        agent.say(Self.tone(hertz: 175, seconds: 1, rate: agent.rate))
        run(1300)
        SoundBothWaysTests.expectTone(
            phone.listener.sound(after: began + .milliseconds(45)), rate: 8000, hertz: 175, seconds: 0.95, snr: 20, sourceLocation: sourceLocation)
    }

    /// The route's next step takes the call, and is heard.
    func expectStandby(within limit: TimeAmount, sourceLocation: SourceLocation = #_sourceLocation) {
        let took = gateway.run(for: limit) { gateway.agent?.isUp == true && gateway.agent?.media.isEmpty == false }
        #expect(took && phone.isAnswered && phone.byeAt == nil, sourceLocation: sourceLocation)
        let began = gateway.now
        gateway.agent?.say(Self.tone(hertz: 150, seconds: 1, rate: 8000))
        run(1000)
        expectSound(from: began, until: gateway.now, sourceLocation: sourceLocation)
    }
}
