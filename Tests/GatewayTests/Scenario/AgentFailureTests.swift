import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Agents that refuse, are silent, die, or talk nonsense.
@Suite struct AgentFailureTests {
    @Test func aRefusedAgentIsFollowedByTheNextStep() throws {
        let gateway = VirtualGateway()
        gateway.prepareAgent = { if $0.name == "assistant" { $0.answer = .refuse } }
        let phone = gateway.phone()
        let browser = gateway.browser()
        phone.call("spare")
        browser.call("spare")
        gateway.run(for: .seconds(2))
        #expect(gateway.agents.map(\.name).sorted() == ["assistant", "assistant", "standby", "standby"])
        #expect(phone.statuses == [100, 180, 200])
        #expect(browser.events == [.ringing, .connected])
        #expect(gateway.agents.filter { $0.name == "standby" }.allSatisfy { $0.media.count > 50 })
    }

    @Test func aSilentAgentIsGivenThreeSeconds() throws {
        let gateway = VirtualGateway()
        gateway.prepareAgent = { if $0.name == "assistant" { $0.answer = .never } }
        let phone = gateway.phone()
        phone.call("spare")
        #expect(gateway.run(for: .milliseconds(100)) { gateway.agents.count == 1 })
        let dialled = gateway.now
        #expect(gateway.run(for: .seconds(5)) { gateway.agents.count == 2 })
        #expect(gateway.now - dialled >= .milliseconds(2990) && gateway.now - dialled <= .milliseconds(3010))
        #expect(gateway.run(for: .seconds(1)) { phone.isAnswered })
        #expect(phone.statuses == [100, 180, 200])
    }

    @Test func withoutAStepLeftTheLastFailureIsTheAnswer() {
        let gateway = VirtualGateway()
        gateway.prepareAgent = { $0.answer = .refuse }
        let (phone, other, browser) = (gateway.phone(), gateway.phone(), gateway.browser())
        phone.call("assistant")
        other.call("spare")
        browser.call("assistant")
        gateway.run(for: .seconds(1))
        #expect(phone.statuses == [100, 180, 480])
        #expect(other.statuses == [100, 180, 486])
        #expect(browser.end?.reason == .agentUnavailable)
        gateway.turn = .milliseconds(10)
        gateway.run(for: .seconds(40))
        #expect(gateway.leftovers == [])
    }

    @Test func anAgentThatDiesIsReplacedByTheNextStep() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        let browser = gateway.browser()
        phone.call("spare")
        browser.call("spare")
        #expect(gateway.run(for: .seconds(3)) { gateway.agents.count == 2 && gateway.agents.allSatisfy { $0.media.count > 20 } })
        for agent in gateway.agents { agent.say(SoundMaterial.tone(hertz: 500, seconds: 5, rate: 8000)) }
        gateway.run(for: .seconds(1))
        for agent in gateway.agents { agent.hangUp(code: nil) }
        gateway.run(for: .seconds(1))
        let spares = gateway.agents.dropFirst(2)
        #expect(spares.map(\.name) == ["standby", "standby"])
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 8000))
        browser.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 48000))
        for spare in spares { spare.say(SoundMaterial.tone(hertz: 800, seconds: 1, rate: 8000)) }
        let replaced = gateway.now
        gateway.run(for: .seconds(2))
        for spare in spares {
            // A stream of its own, from its beginning.
            SoundBothWaysTests.expectGapFree(spare)
            SoundBothWaysTests.expectTone(spare.audio, rate: 8000, hertz: 1000, seconds: 1, snr: 20)
        }
        for listener in [phone.listener, browser.listener] {
            SoundBothWaysTests.expectTone(listener.sound(after: replaced), rate: listener.rate, hertz: 800, seconds: 1, snr: 20)
            Self.expectOneAxis(listener)
        }
        #expect(phone.byeAt == nil)
        #expect(phone.statuses == [100, 180, 200])
        #expect(browser.events == [.ringing, .connected])
    }

    @Test func withoutAStepLeftADeadAgentEndsTheCall() {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        let browser = gateway.browser()
        phone.call("assistant")
        browser.call("assistant")
        gateway.run(for: .seconds(1))
        for agent in gateway.agents { agent.hangUp(code: 1011) }
        gateway.run(for: .milliseconds(10))
        #expect(phone.byeReason?.contains("cause=500") == true)
        #expect(browser.end?.reason == .agentLost)
        #expect(browser.transportEvents.contains(.closed))
        gateway.turn = .milliseconds(10)
        gateway.run(for: .seconds(40))
        #expect(gateway.leftovers == [])
    }

    @Test func anAgentThatClosesHangsUp() {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        let browser = gateway.browser()
        phone.call("assistant")
        browser.call("assistant")
        gateway.run(for: .seconds(1))
        for agent in gateway.agents { agent.hangUp(code: 1000) }
        gateway.run(for: .milliseconds(10))
        #expect(phone.byeAt != nil)
        #expect(phone.byeReason?.contains("cause=200") == true)
        #expect(browser.end?.reason == .agentHangup)
        #expect(gateway.core.figures.ended == [.agentHangup: 2])
        gateway.turn = .milliseconds(10)
        gateway.run(for: .seconds(40))
        #expect(gateway.leftovers == [])
    }

    @Test func nonsenseIsLoggedOnceAndIgnored() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        let agent = try #require(gateway.agent)
        for text in [
            "", "hello", "{", "[]", "null", "{\"event\":5}", #"{"event":"media"}"#, #"{"event":"media","media":{"payload":"!!"}}"#,
            #"{"event":"mark"}"#, #"{"event":"mark","mark":{"name":7}}"#, #"{"event":"explode"}"#,
            #"{"event":"clear","streamSid":"MZ0"}"#, #"{"event":"media","media":{"payload":"A"}}"#,
        ] { agent.post(text) }
        agent.post([0xFF, 0xFE, 0x00])
        agent.post([UInt8](repeating: UInt8(ascii: "["), count: 100_000))
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 1, rate: 8000))
        phone.listener.forget()
        gateway.run(for: .seconds(2))
        SoundBothWaysTests.expectTone(phone.listener.sound, rate: 8000, hertz: 700, seconds: 1)
        SoundBothWaysTests.expectGapFree(agent)
        #expect(gateway.log.count("agent message ignored") == 1)
        #expect(agent.marks.isEmpty)
        #expect(phone.byeAt == nil)
    }

    @Test(arguments: [7, 100, 333, 2400, 16000, 240_000]) func payloadsMayHaveAnySize(_ bytes: Int) throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        let agent = try #require(gateway.agent)
        let seconds = bytes > 100_000 ? 30.0 : 2
        let speech = FakeAgent.encode(SoundMaterial.tone(hertz: 700, seconds: seconds, rate: 8000))
        for start in stride(from: 0, to: speech.count, by: bytes) { agent.sendMedia(speech[start..<min(start + bytes, speech.count)]) }
        gateway.run(for: .milliseconds(Int64(seconds * 1000) + 500))
        SoundBothWaysTests.expectTone(phone.listener.sound, rate: 8000, hertz: 700, seconds: seconds)
    }

    @Test func tenMinutesAreQueuedAndWhatIsBeyondIsDropped() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        let agent = try #require(gateway.agent)
        let minute = SoundMaterial.tone(hertz: 700, seconds: 60, rate: 8000)
        for _ in 0..<11 { agent.say(minute) }
        agent.mark("end")
        #expect(gateway.call()?.queuedMilliseconds == 600_000)
        #expect(gateway.call()?.agent?.playout.overflowed == 480_000)
        gateway.run(for: .seconds(2))
        #expect(gateway.call()?.queuedMilliseconds == 598_000)
        agent.clear()
        #expect(agent.marks.map(\.name) == ["end"])
        #expect(gateway.call()?.queuedMilliseconds == 0)
    }

    @Test func anAgentThatDoesNotReadLosesOldSoundNotTheCall() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        let agent = try #require(gateway.agent)
        let before = agent.media.count
        agent.isWritable = false
        gateway.run(for: .seconds(1))
        #expect(agent.media.count == before)
        agent.isWritable = true
        gateway.run(for: .seconds(1))
        // The timestamps tell the agent how much is missing.
        let next = try #require(agent.media.dropFirst(before).first)
        #expect(next.timestamp - agent.media[before - 1].timestamp >= 1000)
        #expect(next.chunk == before + 1)
    }

    /// One SSRC, every sequence number the next one, timestamps that never go back.
    static func expectOneAxis(_ listener: Listener, sourceLocation: SourceLocation = #_sourceLocation) {
        let packets = listener.packets
        #expect(Set(packets.map(\.source)).count == 1, sourceLocation: sourceLocation)
        for (before, after) in zip(packets, packets.dropFirst()) {
            let advance = Int32(bitPattern: after.timestamp &- before.timestamp)
            // The packets of a key all carry the timestamp of its beginning.
            let isSameKey = before.payloadType > 96 && after.payloadType == before.payloadType && advance == 0
            guard after.sequence == before.sequence &+ 1, advance > 0 || isSameKey else {
                Issue.record("\(before) is followed by \(after)", sourceLocation: sourceLocation)
                return
            }
        }
    }
}
