import NIOCore
import SDP
import TestKit
import Testing

@testable import Gateway

/// Fax machines and exchanges tell by tones what they are: the record and the metrics say so.
@Suite struct LineToneTests {
    private static func events(_ gateway: VirtualGateway) -> [String] {
        gateway.core.entries.values.flatMap(\.record.events).map(\.what).filter { $0.contains("tone") }
    }

    /// Half a second of 1100 Hz, three seconds of nothing.
    private static func calling(rate: Int) -> [Int16] {
        SoundMaterial.tone(hertz: 1100, seconds: 0.5, rate: rate) + SoundMaterial.silence(seconds: 3, rate: rate)
    }

    @Test(arguments: [AudioCodec.pcmu, .g722]) func aFaxMachineThatCallsIsToldOnce(_ codec: AudioCodec) {
        let gateway = VirtualGateway()
        let phone = gateway.phone(.init(codec: codec))
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        let calling = Self.calling(rate: phone.speaker.rate)
        phone.speaker.say(calling + calling)
        gateway.run(for: .seconds(8))
        #expect(Self.events(gateway) == ["The caller is a fax machine: it sends the calling tone (CNG)."])
        #expect(gateway.core.figures.lineTones == [.faxCalling: 1])
    }

    @Test func aPhoneThatCallsMaySoundTheAnswerTone() {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        phone.speaker.say(SoundMaterial.tone(hertz: 2100, seconds: 3, rate: phone.speaker.rate))
        gateway.run(for: .seconds(5))
        #expect(Self.events(gateway) == ["The caller is a fax machine or a modem: it sends the answer tone (CED)."])
    }

    @Test func anAgentIsToldToo() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("native")
        #expect(gateway.run(for: .seconds(2)) { (gateway.native?.nextPTS ?? 0) > 0 })
        let agent = try #require(gateway.native)
        phone.speaker.say(Self.calling(rate: 8000) + Self.calling(rate: 8000))
        gateway.run(for: .seconds(8))
        #expect(agent.events("message").map { $0["body"] as? String } == [#"{"tone":"fax_cng"}"#])
        #expect(agent.events("message").first?["content_type"] as? String == "application/json")
    }

    /// A phone that was called stays the called party when it answers an agent's call.
    @Test func aBusyLineThatAnAgentCalledIsTold() throws {
        let gateway = VirtualGateway()
        let callee = gateway.callee()
        var order = OutboundTests.order
        order.agent = "native"
        try OutboundTests.place(gateway, order)
        #expect(gateway.run(for: .seconds(3)) { (gateway.native?.nextPTS ?? 0) > 0 })
        let busy = SoundMaterial.tone(hertz: 425, seconds: 0.5, rate: 8000) + SoundMaterial.silence(seconds: 0.5, rate: 8000)
        callee.speaker.say(busy + busy + busy + busy)
        gateway.run(for: .seconds(5))
        #expect(gateway.native?.events("message").map { $0["body"] as? String } == [#"{"tone":"busy"}"#])
        #expect(Self.events(gateway) == ["The called party's line sounds the busy tone."])
    }

    @Test func laterNobodyListens() {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(32))
        phone.speaker.say(Self.calling(rate: 8000))
        gateway.run(for: .seconds(4))
        #expect(Self.events(gateway).isEmpty)
    }

    @Test func aFaxMachineThatAnswersAndABusyLineAreTold() {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        let callee = gateway.callee()
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { callee.acknowledged && phone.isAnswered })
        let busy = SoundMaterial.tone(hertz: 425, seconds: 0.5, rate: 8000) + SoundMaterial.silence(seconds: 0.5, rate: 8000)
        callee.speaker.say(busy + busy + busy + busy)
        gateway.run(for: .seconds(5))
        callee.speaker.say(SoundMaterial.tone(hertz: 2100, seconds: 2, rate: 8000))
        // What the caller sounds is another matter: nobody listens to it for these.
        phone.speaker.say(busy + busy + busy + busy)
        gateway.run(for: .seconds(5))
        #expect(
            Self.events(gateway) == [
                "The called party's line sounds the busy tone.",
                "The called party is a fax machine or a modem: it sends the answer tone (CED).",
            ])
    }
}
