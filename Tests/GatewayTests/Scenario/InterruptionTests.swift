import NIOCore
import TestKit
import Testing

@testable import Gateway

/// The gateway interrupts an agent that does not notice the caller: `barge_in`.
@Suite struct InterruptionTests {
    private func talkingAgent(_ gateway: VirtualGateway, to destination: String) throws -> (FakeTrunk, FakeAgent) {
        let phone = gateway.phone()
        phone.call(destination)
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered && gateway.agent?.media.isEmpty == false })
        let agent = try #require(gateway.agent)
        gateway.run(for: .seconds(1))
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 20, rate: 8000))
        agent.mark("end")
        gateway.run(for: .seconds(1))
        return (phone, agent)
    }

    @Test func aCallerWhoGoesOnIsHeardInSilence() throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try talkingAgent(gateway, to: "interruptible")
        let spoke = gateway.now
        phone.speaker.say(SoundMaterial.tone(hertz: 300, seconds: 1, rate: 8000))
        gateway.run(for: .milliseconds(1200))
        #expect(phone.listener.firstSound(after: spoke + .milliseconds(250)) == nil)
        #expect(agent.marks.map(\.name) == ["end"])
        // The agent's next answer is heard.
        let answered = gateway.now
        agent.say(SoundMaterial.tone(hertz: 900, seconds: 1, rate: 8000))
        gateway.run(for: .seconds(2))
        SoundBothWaysTests.expectTone(phone.listener.sound(after: answered), rate: 8000, hertz: 900, seconds: 1)
    }

    @Test func aShortSoundOfAgreementStopsNothing() throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try talkingAgent(gateway, to: "interruptible")
        phone.speaker.say(SoundMaterial.tone(hertz: 300, seconds: 0.25, rate: 8000))
        gateway.run(for: .seconds(1))
        #expect(agent.marks.isEmpty)
        let after = gateway.now
        gateway.run(for: .seconds(1))
        NativeAgentTests.expectSteady(phone.listener.sound(after: after), hertz: 700)
    }

    @Test func withoutItTheAgentIsLeftToItself() throws {
        let gateway = VirtualGateway()
        let (phone, _) = try talkingAgent(gateway, to: "assistant")
        let spoke = gateway.now
        phone.speaker.say(SoundMaterial.tone(hertz: 300, seconds: 1, rate: 8000))
        gateway.run(for: .milliseconds(1200))
        NativeAgentTests.expectSteady(phone.listener.sound(after: spoke), hertz: 700)
    }

    @Test func aNativeAgentIsToldWhereItWasCutOff() throws {
        let gateway = VirtualGateway()
        gateway.prepareNative = {
            $0.accept = #"{"event":"accept","id":1,"vad":"interrupt","format":{"codec":"pcm_s16le","rate":8000}}"#
        }
        let phone = gateway.phone()
        phone.call("native")
        gateway.run(for: .seconds(2))
        let agent = try #require(gateway.native)
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 20, rate: 8000), generation: 3)
        gateway.run(for: .seconds(2))
        phone.speaker.say(SoundMaterial.tone(hertz: 300, seconds: 1, rate: 8000))
        gateway.run(for: .seconds(2))
        let cleared = try #require(agent.events("cleared").last)
        #expect(cleared["cause"] as? String == "barge_in" && cleared["gen"] as? Int == 3)
        #expect(abs((cleared["heard_pts"] as? Int ?? 0) - 17_500) < 2000)
        #expect(agent.events("speech").contains { $0["interrupted"] as? Bool == true })
        #expect(agent.events("speech").last?["state"] as? String == "stopped")
        // What is late of the answer is dropped, the next one is heard.
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 1, rate: 8000), generation: 3)
        let next = gateway.now
        agent.say(SoundMaterial.tone(hertz: 900, seconds: 1, rate: 8000), generation: 4)
        gateway.run(for: .seconds(2))
        SoundBothWaysTests.expectTone(phone.listener.sound(after: next), rate: 8000, hertz: 900, seconds: 1)
    }
}
