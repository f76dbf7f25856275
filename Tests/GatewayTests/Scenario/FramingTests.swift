import NIOCore
import SDP
import TestKit
import Testing

@testable import Gateway

/// Packets of 10 to 60 ms: whole on the way to every agent, and as long as the peer asks for on the way back.
@Suite struct FramingTests {
    struct Framing: CustomTestStringConvertible, Sendable {
        var codec: AudioCodec
        var milliseconds: Int

        init(_ codec: AudioCodec, _ milliseconds: Int) { (self.codec, self.milliseconds) = (codec, milliseconds) }

        var testDescription: String { "\(codec) \(milliseconds) ms" }
    }

    static let phones = [
        Framing(.pcmu, 10), Framing(.pcma, 30), Framing(.pcmu, 40), Framing(.pcma, 60), Framing(.g722, 10), Framing(.g722, 40),
        Framing(.g722, 60), Framing(.opus, 10), Framing(.opus, 40), Framing(.opus, 60),
    ]

    private static func expectWhole(_ sound: [Int16], rate: Int, hertz: Double, snr: Double = 20, sourceLocation: SourceLocation = #_sourceLocation) {
        SoundBothWaysTests.expectTone(sound, rate: rate, hertz: hertz, seconds: 1.5, snr: snr, sourceLocation: sourceLocation)
    }

    /// Distances of the packets of speech, in units of the RTP clock, and in time.
    /// - Parameter source: milliseconds of the packets or slots they are made of
    private static func expectPackets(
        _ packets: ArraySlice<Listener.Packet>, milliseconds: Int, clockRate: Int, of source: Int = 20, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let steps = zip(packets, packets.dropFirst()).filter { !$1.marker }
        #expect(steps.count > 1000 / milliseconds, sourceLocation: sourceLocation)
        #expect(steps.allSatisfy { $1.timestamp &- $0.timestamp == UInt32(clockRate / 1000 * milliseconds) }, sourceLocation: sourceLocation)
        let slack = TimeAmount.milliseconds(Int64(source) + 1)
        #expect(steps.allSatisfy { $1.at - $0.at <= .milliseconds(Int64(milliseconds)) + slack }, sourceLocation: sourceLocation)
    }

    @Test(arguments: phones) func aPhoneAndAnAgentHearEachOther(_ framing: Framing) throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone(.init(codec: framing.codec, packetMilliseconds: framing.milliseconds))
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.media.isEmpty == false })
        let agent = try #require(gateway.agent)
        gateway.run(for: .milliseconds(300))
        let first = phone.listener.packets.count
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1.5, rate: phone.speaker.rate))
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 1.5, rate: 8000))
        gateway.run(for: .seconds(2))
        Self.expectWhole(agent.audio, rate: 8000, hertz: 1000)
        SoundBothWaysTests.expectGapFree(agent)
        Self.expectWhole(phone.listener.sound, rate: phone.listener.rate, hertz: 700)
        let sent = phone.listener.audioPackets.dropFirst(first)
        Self.expectPackets(sent, milliseconds: framing.milliseconds, clockRate: framing.codec.rtpClockRate)
        #expect(gateway.call()?.caller?.figures.inbound.filledMilliseconds == 0)
    }

    @Test(arguments: [10, 40, 60], [8000, 16_000, 24_000]) func aBrowserAndAnAgentHearEachOther(_ milliseconds: Int, _ rate: Int) throws {
        let gateway = VirtualGateway()
        gateway.prepareNative = { $0.accept = #"{"event":"accept","id":1,"format":{"codec":"pcm_s16le","rate":\#(rate)}}"# }
        let browser = gateway.browser(.init(packetMilliseconds: milliseconds))
        browser.call("native")
        #expect(gateway.run(for: .seconds(2)) { (gateway.native?.nextPTS ?? 0) > 0 })
        let agent = try #require(gateway.native)
        gateway.run(for: .milliseconds(300))
        let first = browser.listener.packets.count
        browser.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1.5, rate: 48_000))
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 1.5, rate: rate))
        gateway.run(for: .seconds(2))
        Self.expectWhole(agent.heard, rate: rate, hertz: 1000)
        #expect(agent.binary.allSatisfy { $0.samples == rate / 50 && $0.flags == 0 })
        Self.expectWhole(browser.listener.sound, rate: 48_000, hertz: 700)
        Self.expectPackets(browser.listener.audioPackets.dropFirst(first), milliseconds: milliseconds, clockRate: 48_000)
    }

    @Test(arguments: [10, 40, 60]) func aBrowserAndAPhoneHearEachOther(_ milliseconds: Int) {
        let gateway = VirtualGateway()
        let browser = gateway.browser(.init(packetMilliseconds: milliseconds))
        let callee = gateway.callee(.init(codec: .pcma, packetMilliseconds: 30))
        browser.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { callee.isAnswered && browser.events.last == .connected })
        gateway.run(for: .milliseconds(500))
        let limit = Int64(2 * milliseconds + 30 + 11)
        BridgeTests.expectTones(gateway, browser.speaker, callee.listener, limit: limit, snr: 20)
        BridgeTests.expectTones(gateway, callee.speaker, browser.listener, limit: limit, snr: 20)
        AgentFailureTests.expectOneAxis(callee.listener)
        AgentFailureTests.expectOneAxis(browser.listener)
        Self.expectPackets(callee.listener.audioPackets.suffix(60), milliseconds: 30, clockRate: 8000, of: milliseconds)
        Self.expectPackets(browser.listener.audioPackets.suffix(120), milliseconds: milliseconds, clockRate: 48_000, of: 30)
    }

    /// Packets are passed on as long as they are.
    @Test(arguments: [10, 40, 60]) func anAgentOfPacketsGetsThemAsLongAsTheyAre(_ milliseconds: Int) throws {
        let gateway = VirtualGateway()
        gateway.prepareNative = { ($0.accept, $0.takesPackets) = (OpusPassthroughTests.accept, true) }
        let browser = gateway.browser(.init(packetMilliseconds: milliseconds))
        browser.call("native")
        #expect(gateway.run(for: .seconds(2)) { (gateway.native?.nextPTS ?? 0) > 0 })
        let agent = try #require(gateway.native)
        gateway.run(for: .seconds(2))
        #expect(agent.packets.map(\.pts) == (0..<agent.packets.count).map { $0 * milliseconds * 48 } && agent.packets.count > 1000 / milliseconds)
        #expect(agent.packets.allSatisfy { $0.flags == 0 })
        #expect(agent.packets.map(\.payload) == Array(browser.frames.map(\.payload).suffix(agent.packets.count)))
    }

    @Test(arguments: [(40, 30, 30), (20, 10, 10), (60, 100, 60)]) func nobodyGetsLongerPacketsThanItTakes(_ wanted: Int, _ most: Int, _ sent: Int) {
        let gateway = VirtualGateway()
        let phone = gateway.phone(.init(packetMilliseconds: wanted, maximumPacketMilliseconds: most))
        phone.call("echo")
        gateway.run(for: .seconds(3))
        #expect(phone.listener.audioPackets.count > 2000 / sent && phone.listener.audioPackets.allSatisfy { $0.payload.count == sent * 8 })
    }
}
