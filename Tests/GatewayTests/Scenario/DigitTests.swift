import NIOCore
import TestKit
import Testing
import Transcode

@testable import Gateway

/// Keys of a caller reach the agent once each, and their tones are not heard beside them.
@Suite struct DigitTests {
    private static let keys: [UInt8] = Array(0..<16)
    private static let names = keys.compactMap { Digit(event: $0).map { String($0.character) } }

    @Test(arguments: [0, 0.2]) func everyKeyComesOnce(_ loss: Double) throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        let browser = gateway.browser()
        phone.call("assistant")
        browser.call("assistant")
        #expect(gateway.run(for: .seconds(2)) { gateway.agents.count == 2 && gateway.agents.allSatisfy { !$0.media.isEmpty } })
        phone.uplink.loss = .independent(loss)
        browser.uplink.loss = .independent(loss)
        for key in Self.keys {
            // The tone of the key leaks into the sound.
            let digit = Tone.digits[Int(key)]
            phone.speaker.say(Self.tone(digit, rate: 8000))
            browser.speaker.say(Self.tone(digit, rate: 48000))
            phone.press(key)
            browser.press(key)
            gateway.run(for: .milliseconds(400))
        }
        for agent in gateway.agents {
            #expect(agent.digits.map(\.digit) == Self.names)
            SoundBothWaysTests.expectGapFree(agent)
            // Without loss nothing of the tones is left; with it the first event may come late.
            if loss == 0 { #expect(agent.audio.map { abs(Int($0)) }.max() ?? 0 < 500) }
        }
    }

    @Test func aKeyComesWhenItIsPressed() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        let pressed = gateway.now
        phone.press(7, milliseconds: 2000)
        gateway.run(for: .seconds(3))
        let digits = try #require(gateway.agent).digits
        #expect(digits.map(\.digit) == ["7"])
        #expect(digits.allSatisfy { $0.at - pressed <= .milliseconds(21) })
    }

    @Test func keysComeBackFromTheEchoAsEvents() {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        let browser = gateway.browser()
        phone.call("echo")
        browser.call("echo")
        gateway.run(for: .seconds(1))
        phone.press(3)
        browser.press(3)
        gateway.run(for: .seconds(1))
        for (listener, type, step) in [(phone.listener, UInt8(101), 160), (browser.listener, 110, 960)] {
            let events = listener.packets.filter { $0.payloadType == type }
            #expect(events.count >= 6)
            #expect(events.first?.marker == true)
            #expect(Set(events.map(\.timestamp)).count == 1)
            #expect(events.allSatisfy { $0.payload.first == 3 })
            #expect(events.count { $0.payload.count == 4 && $0.payload[1] & 0x80 != 0 } == 3)
            #expect(events.last.map { Int($0.payload[2]) << 8 | Int($0.payload[3]) } == 5 * step)
            AgentFailureTests.expectOneAxis(listener)
        }
    }

    @Test func theParrotSpeaksKeysBackAndTheStarHangsUp() {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("parrot")
        gateway.run(for: .seconds(2))
        let pressed = gateway.now
        phone.press(5)
        gateway.run(for: .milliseconds(600))
        let tone = Self.tone("5", rate: 8000)
        #expect(Correlation.best(of: tone, in: phone.listener.sound(after: pressed), rate: 8000).coefficient > 0.7)
        phone.press(10)
        gateway.run(for: .milliseconds(200))
        #expect(phone.byeAt != nil)
        #expect(gateway.core.figures.ended == [.agentHangup: 1])
    }

    private static func tone(_ digit: Character, rate: Int) -> [Int16] {
        let generator = ToneGenerator(rate: rate)
        _ = generator.start(digit: digit, milliseconds: 120)
        return [Int16](unsafeUninitializedCapacity: rate * 120 / 1000) { samples, count in count = generator.generate(into: samples) }
    }
}
