import NIOCore
import SDP
import TestKit
import Testing
import Transcode

@testable import Gateway

/// Keys of phones without telephone-events, which send them as tones in the sound.
@Suite struct InbandDigitTests {
    private static let keys = Array(UInt8(0)..<16)

    @Test(arguments: [AudioCodec.pcmu, .pcma, .g722, .opus])
    func anAgentGetsEachKeyOnceAndHardlyHearsIt(_ codec: AudioCodec) throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone(.init(codec: codec, telephoneEvents: false))
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        let agent = try #require(gateway.agent)
        for key in Self.keys {
            phone.speaker.say(BridgedDigitTests.tone(key, rate: phone.speaker.rate))
            gateway.run(for: .milliseconds(300))
        }
        #expect(agent.digits.map(\.digit).joined() == String(Self.keys.map { Tone.digits[Int($0)] }))
        // A detector needs two of its blocks, 26 ms: of 120 ms so much is heard before the tone is muted.
        let loud = agent.audio.count { abs(Int($0)) > 1000 }
        #expect(loud < Self.keys.count * 8 * 45)
        // What is said afterwards is heard.
        let before = agent.audio.count
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: phone.speaker.rate))
        gateway.run(for: .milliseconds(1300))
        let report = ToneMeter.analyse(Array(agent.audio[before...]), rate: 8000, expectedHz: 1000)
        #expect(report.gaps.isEmpty && abs(report.frequency - 1000) < 0.5)
    }

    @Test func theyBecomeEventsWhereThoseAreTaken() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone(.init(telephoneEvents: false))
        let callee = gateway.callee()
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { callee.acknowledged && phone.isAnswered })
        gateway.run(for: .milliseconds(500))
        callee.listener.forget()
        for key: UInt8 in [1, 2, 11] {
            phone.speaker.say(BridgedDigitTests.tone(key, rate: 8000))
            gateway.run(for: .milliseconds(400))
        }
        #expect(BridgedDigitTests.keys(callee.listener, type: 101, step: 160) == [1, 2, 11])
        AgentFailureTests.expectOneAxis(callee.listener)
    }

    /// Between two phones without events a key is sound like any other: nothing is cut out, nothing is made anew.
    @Test func betweenTwoSuchPhonesTheyStaySound() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone(.init(telephoneEvents: false))
        let callee = gateway.callee(.init(telephoneEvents: false))
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { callee.acknowledged && phone.isAnswered })
        gateway.run(for: .milliseconds(500))
        let pressed = gateway.now
        let tone = BridgedDigitTests.tone(5, rate: 8000)
        phone.speaker.say(tone)
        gateway.run(for: .milliseconds(800))
        let heard = callee.listener.sound(after: pressed)
        #expect(Correlation.best(of: tone, in: heard, rate: 8000).coefficient > 0.999)
        #expect(heard.count { abs(Int($0)) > 500 } <= tone.count)
    }

    /// Where events were agreed on nobody listens for tones: speech could imitate them.
    @Test func withEventsTonesAreJustSound() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        let agent = try #require(gateway.agent)
        phone.speaker.say(BridgedDigitTests.tone(5, rate: 8000, milliseconds: 200))
        gateway.run(for: .milliseconds(500))
        #expect(agent.digits.isEmpty)
        #expect(agent.audio.contains { abs(Int($0)) > 4000 })
    }

    @Test(arguments: [8000, 16_000, 24_000, 48_000]) func atEveryRateOfABridge(rate: Int) throws {
        let keys = try #require(InbandKeys(rate: rate))
        var found = ""
        for key in Self.keys {
            var sound = BridgedDigitTests.tone(key, rate: rate, milliseconds: 100) + [Int16](repeating: 0, count: rate / 10)
            sound.withUnsafeMutableBufferPointer { samples in
                for start in stride(from: 0, to: samples.count, by: rate / 50) {
                    keys.hear(UnsafeMutableBufferPointer(rebasing: samples[start..<(start + rate / 50)])) { found.append($0.character) }
                }
            }
            #expect(!keys.isPressed)
        }
        #expect(found == String(Self.keys.map { Tone.digits[Int($0)] }))
    }
}
