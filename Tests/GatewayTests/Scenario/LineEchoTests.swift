import NIOCore
import SDP
import TestKit
import Testing
import Transcode

@testable import Gateway

/// Phone lines that send back what is played to them.
@Suite struct LineEchoTests {
    private struct Talk {
        var gateway: VirtualGateway
        var phone: FakeTrunk
        var agent: FakeAgent
    }

    /// A call of such a phone with an agent.
    private func talk(
        codec: AudioCodec = .pcmu, delay: Int = 80, loss: Double = 12, configure: (inout Configuration) -> Void = { _ in }
    ) throws -> Talk {
        let gateway = VirtualGateway()
        gateway.configure(configure)
        let phone = gateway.phone(.init(codec: codec))
        let echo = HybridEcho(of: phone.listener, after: delay, loss: loss)
        phone.speaker.background = { echo.next($0) }
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        return Talk(gateway: gateway, phone: phone, agent: try #require(gateway.agent))
    }

    /// How much weaker what the agent hears is than what it says, in dB, from `second` to `end` of its speech.
    private func weakening(_ talk: Talk, saying speech: [Int16], from second: Int, to end: Int) -> Double {
        let start = talk.agent.audio.count
        talk.agent.sayPaced(speech)
        talk.gateway.run(for: .seconds(Int64(end) + 1))
        let heard = Array(talk.agent.audio[start...])
        let range = (second * 8000)..<(end * 8000)
        return Self.level(speech[range]) - Self.level(heard[range])
    }

    private static func level(_ samples: ArraySlice<Int16>) -> Double {
        Double(samples.withUnsafeBufferPointer { Level.dBFS($0) })
    }

    @Test(arguments: [AudioCodec.pcmu, .pcma, .g722])
    func anAgentHardlyHearsItself(_ codec: AudioCodec) throws {
        let talk = try talk(codec: codec)
        let speech = SoundMaterial.speech(seconds: 7, rate: 8000, seed: 41)
        #expect(weakening(talk, saying: speech, from: 4, to: 7) >= 30)
        SoundBothWaysTests.expectGapFree(talk.agent)
        let echo = try #require(talk.gateway.loops[0].calls.values.first?.currentFigures.caller.echo)
        #expect(echo.returnLoss + echo.enhancement >= 30, "\(echo)")
        #expect(talk.gateway.loops[0].snapshot().echoLegs == 1)
        talk.phone.hangUp()
        talk.gateway.run(for: .seconds(1))
        let leg = try #require(talk.gateway.log.records.first?.legs.first)
        #expect(leg.echoReturnLoss == echo.returnLoss && leg.echoEnhancement == echo.enhancement)
    }

    @Test func jitterDoesNotBringItBack() throws {
        let talk = try talk()
        talk.phone.uplink.jitter = .milliseconds(30)
        talk.phone.downlink.jitter = .milliseconds(10)
        #expect(weakening(talk, saying: SoundMaterial.speech(seconds: 8, rate: 8000, seed: 42), from: 5, to: 8) >= 25)
    }

    @Test func whoSpeaksAtTheLineIsHeard() throws {
        let talk = try talk()
        _ = weakening(talk, saying: SoundMaterial.speech(seconds: 5, rate: 8000, seed: 43), from: 0, to: 4)
        let (speech, voice) = (SoundMaterial.speech(seconds: 4, rate: 8000, seed: 44), SoundMaterial.speech(seconds: 2, rate: 8000, seed: 45))
        let start = talk.agent.audio.count
        talk.agent.sayPaced(speech)
        talk.gateway.run(for: .seconds(1))
        talk.phone.speaker.say(voice)
        talk.gateway.run(for: .seconds(3))
        let match = Correlation.best(of: voice, in: Array(talk.agent.audio[start...]), rate: 8000)
        // The canceller's high pass turns the phases of the lowest tones.
        #expect(match.coefficient > 0.85)
        #expect(abs(Self.level(talk.agent.audio.suffix(24_000).prefix(16_000)) - Self.level(voice[...])) < 3)
    }

    @Test func offLeavesIt() throws {
        let talk = try talk(configure: { $0.trunks[0].echo = .off })
        let weaker = weakening(talk, saying: SoundMaterial.speech(seconds: 5, rate: 8000, seed: 46), from: 3, to: 5)
        #expect(abs(weaker - 12) < 4)
        #expect(talk.gateway.loops[0].snapshot().echoLegs == 0)
    }

    /// Two phones hear each other as they are: their own networks see to their echoes.
    @Test func betweenTwoPhonesNothingIsTouched() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        let callee = gateway.callee()
        let echo = HybridEcho(of: phone.listener, after: 60, loss: 12)
        phone.speaker.background = { echo.next($0) }
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { callee.acknowledged && phone.isAnswered })
        callee.speaker.say(SoundMaterial.speech(seconds: 4, rate: 8000, seed: 49))
        gateway.run(for: .seconds(4))
        #expect(gateway.loops[0].snapshot().echoLegs == 0)
        #expect(Self.level(callee.listener.sound.suffix(8000)) > -45)
    }

    /// A browser speaks to the line, and does not hear itself either.
    @Test func aBrowserHardlyHearsItself() throws {
        let gateway = VirtualGateway()
        let browser = gateway.browser()
        let callee = gateway.callee()
        let echo = HybridEcho(of: callee.listener, after: 60, loss: 12)
        callee.speaker.background = { echo.next($0) }
        browser.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { callee.acknowledged && browser.isConnected })
        gateway.run(for: .milliseconds(500))
        let speech = SoundMaterial.speech(seconds: 7, rate: 48_000, seed: 50)
        browser.speaker.say(speech)
        gateway.run(for: .seconds(4))
        let start = gateway.now
        gateway.run(for: .seconds(3))
        let heard = browser.listener.sound(after: start)
        #expect(Self.level(speech[(4 * 48_000)...]) - Self.level(heard[...]) >= 30)
    }
}
