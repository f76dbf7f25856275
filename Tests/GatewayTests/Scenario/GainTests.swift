import SDP
import TestKit
import Testing
import Transcode

@testable import Gateway

/// Callers whose level is changed (`agc: auto`).
@Suite struct GainTests {
    private static let target = Double(GainControl.target)

    private static func level(_ samples: ArraySlice<Int16>) -> Double {
        Double(samples.withUnsafeBufferPointer { Level.dBFS($0) })
    }

    /// Speech at about -20 dBFS, so many decibels weaker.
    private static func quiet(seconds: Double, rate: Int = 8000, by decibels: Double = 18) -> [Int16] {
        SoundMaterial.speech(seconds: seconds, rate: rate, seed: 61).map { Int16(Double($0) * powerOfTen(-decibels / 20)) }
    }

    private func phone(_ gateway: VirtualGateway, codec: AudioCodec = .pcmu, agc: Configuration.AGC) throws -> (phone: FakeTrunk, agent: FakeAgent) {
        gateway.configure { for index in $0.trunks.indices { $0.trunks[index].agc = agc } }
        let phone = gateway.phone(.init(codec: codec))
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        return (phone, try #require(gateway.agent))
    }

    @Test(arguments: [AudioCodec.pcmu, .g722, .opus])
    func anAgentHearsAQuietPhoneAtTheTarget(_ codec: AudioCodec) throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway, codec: codec, agc: .auto)
        let rate = codec == .g722 ? 16_000 : codec == .opus ? 48_000 : 8000
        let said = Self.quiet(seconds: 7, rate: rate)
        phone.speaker.say(said)
        gateway.run(for: .seconds(7))
        SoundBothWaysTests.expectGapFree(agent)
        let gain = try #require(gateway.loops[0].calls.values.first?.currentFigures.caller.gain)
        #expect(abs(Double(gain.speechLevel + gain.gain) - Self.target) < 2, "\(gain)")
        let difference = Self.level(agent.audio.suffix(16_000)) - Self.level(said.suffix(2 * rate))
        #expect(difference > 12 && abs(difference - Double(gain.gain)) < 2, "\(difference) where \(gain)")
        #expect(gateway.loops[0].snapshot().gainLegs == 1)
        phone.hangUp()
        gateway.run(for: .seconds(1))
        let leg = try #require(gateway.log.records.first?.legs.first)
        #expect(leg.speechLevel == Double(gain.speechLevel) && leg.gain == Double(gain.gain))
    }

    @Test func offLeavesIt() throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway, agc: .off)
        let said = Self.quiet(seconds: 6)
        phone.speaker.say(said)
        gateway.run(for: .seconds(6))
        #expect(abs(Self.level(agent.audio.suffix(16_000)) - Self.level(said.suffix(16_000))) < 1)
        #expect(gateway.loops[0].snapshot().gainLegs == 0)
    }

    /// Their echoes are not taken out: raised both ways they would howl.
    @Test func betweenTwoPhonesNothingIsRaised() throws {
        let gateway = VirtualGateway()
        gateway.configure { for index in $0.trunks.indices { $0.trunks[index].agc = .auto } }
        let (phone, callee) = (gateway.phone(), gateway.callee())
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { callee.acknowledged && phone.isAnswered })
        let said = Self.quiet(seconds: 5)
        phone.speaker.say(said)
        gateway.run(for: .seconds(5))
        #expect(abs(Self.level(callee.listener.sound.suffix(16_000)) - Self.level(said.suffix(16_000))) < 1)
        #expect(gateway.loops[0].snapshot().gainLegs == 0)
    }

    /// What a quiet line sends back of the agent's own voice is no caller who speaks quietly.
    @Test func anEchoIsNotRaised() throws {
        let gateway = VirtualGateway()
        gateway.configure { for index in $0.trunks.indices { $0.trunks[index].agc = .auto } }
        let phone = gateway.phone()
        let echo = HybridEcho(of: phone.listener, after: 80, loss: 20)
        phone.speaker.background = { echo.next($0) }
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        let agent = try #require(gateway.agent)
        let speech = SoundMaterial.speech(seconds: 7, rate: 8000, seed: 62)
        let start = agent.audio.count
        agent.sayPaced(speech)
        gateway.run(for: .seconds(8))
        let heard = Array(agent.audio[start...])
        #expect(Self.level(speech[32_000..<56_000]) - Self.level(heard[32_000..<56_000]) >= 25)
    }

    /// An agent that takes Opus packets gets such as are made of the raised samples.
    @Test func packetsAreNotPassedOnAsTheyCame() throws {
        let gateway = VirtualGateway()
        gateway.configure { for index in $0.trunks.indices { $0.trunks[index].agc = .auto } }
        gateway.prepareNative = { ($0.accept, $0.takesPackets) = (OpusPassthroughTests.accept, true) }
        let phone = gateway.phone(.init(codec: .opus))
        phone.call("native")
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered && (gateway.native?.nextPTS ?? 0) > 0 })
        let agent = try #require(gateway.native)
        let said = Self.quiet(seconds: 6, rate: 48_000)
        phone.speaker.say(said)
        gateway.run(for: .seconds(6))
        let decoder = try #require(OpusDecoder(rate: 48_000))
        let heard = agent.packets.flatMap { packet in
            [Int16](unsafeUninitializedCapacity: 5760) { samples, count in
                count = packet.payload.withUnsafeBytes { decoder.decode($0, into: samples) }
            }
        }
        #expect(Self.level(heard.suffix(96_000)) - Self.level(said.suffix(96_000)) > 12)
        #expect(try #require(gateway.call()?.currentFigures.path).contains("decode to 48000"))
    }
}
