import NIOCore
import SDP
import TestKit
import Testing

@testable import Gateway

/// Clocks that do not agree: no delay grows, and what is left out or put in is little and counted.
@Suite struct DriftTests {
    private static let minutes = 3

    /// Each side's packets go on in its own time: its far end's jitter buffer is the one place where clocks meet.
    @Test(arguments: [200.0, -500]) func acrossABridgeEachKeepsItsClock(_ partsPerMillion: Double) throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone(.init(packetMilliseconds: 20))
        let callee = gateway.callee(.init(codec: .pcma, packetMilliseconds: 30))
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { phone.isAnswered && callee.acknowledged })
        gateway.run(for: .seconds(1))
        (phone.speaker.clockError, callee.speaker.clockError) = (partsPerMillion, -partsPerMillion)
        phone.speaker.canned = [UInt8](repeating: 0xFF, count: 160)
        callee.speaker.canned = [UInt8](repeating: 0xD5, count: 240)
        for listener in [phone.listener, callee.listener] {
            listener.decodes = false
            listener.forget()
        }
        gateway.turn = .milliseconds(10)
        let start = gateway.now
        gateway.run(for: .minutes(Int64(Self.minutes)))
        let seconds = Double((gateway.now - start).nanoseconds) / 1e9
        for (listener, error, milliseconds) in [(callee.listener, partsPerMillion, 30.0), (phone.listener, -partsPerMillion, 20.0)] {
            let packets = listener.audioPackets
            let due = seconds * 1000 * (1 + error * 1e-6) / milliseconds
            #expect(abs(Double(packets.count) - due) <= 3, "\(packets.count) packets, \(due) were due")
            let steps = zip(packets, packets.dropFirst())
            #expect(steps.allSatisfy { $1.timestamp &- $0.timestamp == UInt32(milliseconds * 8) && $1.sequence == $0.sequence &+ 1 && !$1.marker })
            let ends = steps.map { ($1.at - $0.at).nanoseconds / 1_000_000 }.max() ?? 0
            #expect(ends <= Int64(milliseconds) + 30)
        }
        for leg in [gateway.call()?.caller?.figures, gateway.call()?.callee?.figures] {
            #expect(leg?.inbound.tooLate == 0 && leg?.inbound.filledMilliseconds == 0 && leg?.rtp.lost == 0)
        }
    }

    /// An agent's stream runs by the gateway's clock: a frame is left out or put in where the caller's has gone 60 ms astray.
    @Test(arguments: [500.0, -500]) func towardAnAgentEverySlipIsCounted(_ partsPerMillion: Double) throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(3)) { gateway.agent?.media.isEmpty == false })
        let agent = try #require(gateway.agent)
        phone.listener.decodes = false
        gateway.run(for: .seconds(3))
        phone.speaker.clockError = partsPerMillion
        gateway.turn = .milliseconds(10)
        let seconds = Self.minutes * 60
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: Double(seconds), rate: 8000))
        let (begun, earlier) = (agent.audio.count, try #require(gateway.call()?.caller?.figures.inbound))
        gateway.run(for: .seconds(Int64(seconds) - 1))
        let counters = try #require(gateway.call()?.caller?.figures.inbound)
        let (out, put) = ((counters.tooLate - earlier.tooLate) * 20, counters.filledMilliseconds - earlier.filledMilliseconds)
        let sound = Array(agent.audio[begun...])
        #expect(abs(sound.count / 8 - (seconds - 1) * 1000) <= 80, "the delay grew")
        // 90 ms astray, of which 60 are put up with.
        let drift = abs(partsPerMillion) * Double(seconds) / 1000
        #expect(Double(partsPerMillion > 0 ? out : put) > drift - 81 && out + put <= Int(drift))
        #expect(partsPerMillion > 0 ? put == 0 : out == 0)
        let report = ToneMeter.analyse(sound, rate: 8000, expectedHz: 1000)
        #expect(report.clicks <= out / 20 && report.gaps.count == put / 20, "\(report.clicks) clicks, \(report.gaps)")
        #expect(report.longestGap < 25)
    }

    /// An agent that paces its sound by a clock of its own: what it is ahead is made up for in its pauses.
    @Test(arguments: [500.0, -500]) func anAgentsClockMayBeWrongToo(_ partsPerMillion: Double) throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(3)) { gateway.agent?.media.isEmpty == false })
        let agent = try #require(gateway.agent)
        (agent.isBrief, phone.listener.decodes) = (true, false)
        agent.clockError = partsPerMillion
        let utterance = SoundMaterial.tone(hertz: 700, seconds: 2, rate: 8000) + [Int16](repeating: 0, count: 8000)
        agent.sayPaced((0..<Self.minutes * 20).flatMap { _ in utterance })
        gateway.turn = .milliseconds(10)
        var longest = 0
        for _ in 0..<(Self.minutes * 60 - 5) {
            gateway.run(for: .seconds(1))
            longest = max(longest, gateway.call()?.queuedMilliseconds ?? 0)
        }
        // The hold, what is put up with, and what comes while it is noticed.
        #expect(longest <= 140, "\(longest) ms")
        #expect((gateway.call()?.currentFigures.playoutGaps ?? 0) <= 3)
    }
}
