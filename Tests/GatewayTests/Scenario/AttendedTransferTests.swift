import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Agents that talk with whoever is to have the call before the caller does.
@Suite struct AttendedTransferTests {
    private struct Parties {
        let gateway: VirtualGateway
        let phone: FakeTrunk
        let callee: FakeTrunk
        let agent: FakeTandemAgent

        /// What the agent was told of the transfer.
        var states: [String] { agent.events("transfer").compactMap { $0["state"] as? String } }
        /// Of the agent's last message that is told of the transfer.
        var lastCode: Int? { agent.events("transfer").last?["sip_code"] as? Int }

        /// The caller hears the agent, and the agent the caller.
        func expectAgentHasCaller(sourceLocation: SourceLocation = #_sourceLocation) {
            let (began, place, tracks) = (gateway.now, agent.nextPTS, agent.tracks.count)
            phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 8000))
            agent.say(SoundMaterial.tone(hertz: 700, seconds: 1, rate: 8000), generation: 9)
            gateway.run(for: .milliseconds(1500))
            SoundBothWaysTests.expectTone(phone.listener.sound(after: began), rate: 8000, hertz: 700, seconds: 1, sourceLocation: sourceLocation)
            SoundBothWaysTests.expectTone(Array(agent.heard[place...]), rate: 8000, hertz: 1000, seconds: 1, sourceLocation: sourceLocation)
            #expect(Set(agent.tracks[tracks...]) == [0], sourceLocation: sourceLocation)
        }
    }

    /// A phone with the native agent, who has asked for a transfer.
    private func transferring(_ reactions: [(TimeAmount, FakeTrunk.Reaction)], to target: String = BridgeTests.number) throws -> Parties {
        let gateway = VirtualGateway()
        let (phone, callee) = (gateway.phone(), gateway.callee())
        callee.reactions = reactions.map { (after: $0.0, does: $0.1) }
        phone.call("native")
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered && (gateway.native?.nextPTS ?? 0) > 0 })
        let agent = try #require(gateway.native)
        agent.post(#"{"event":"transfer","id":7,"to":"\#(target)","mode":"attended"}"#)
        return Parties(gateway: gateway, phone: phone, callee: callee, agent: agent)
    }

    private func consulting() throws -> Parties {
        let parties = try transferring([(.milliseconds(10), .progress(180)), (.milliseconds(500), .answer)])
        #expect(parties.gateway.run(for: .seconds(2)) { parties.states.last == "answered" })
        return parties
    }

    @Test func theAgentTalksWithTheOtherPartyAndTheCallerWaits() throws {
        let parties = try transferring([(.milliseconds(10), .progress(180)), (.seconds(2), .answer)])
        let (gateway, phone, callee, agent) = (parties.gateway, parties.phone, parties.callee, parties.agent)
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 10, rate: 8000))
        let started = gateway.now
        gateway.run(for: .milliseconds(1900))
        // Until the answer the agent has the caller.
        NativeAgentTests.expectSteady(phone.listener.sound(after: started), hertz: 700)
        #expect(gateway.run(for: .seconds(1)) { parties.states.last == "answered" })
        // What was said to the caller is not for the other party.
        let cleared = try #require(agent.events("cleared").last)
        #expect(cleared["cause"] as? String == "transfer" && cleared["gen"] as? Int == 1)
        let answered = gateway.now
        gateway.run(for: .milliseconds(200))
        let (talked, place) = (gateway.now, agent.nextPTS)
        agent.say(SoundMaterial.tone(hertz: 900, seconds: 2, rate: 8000), generation: 2)
        callee.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 2, rate: 8000))
        phone.speaker.say(SoundMaterial.tone(hertz: 1300, seconds: 2, rate: 8000))
        gateway.run(for: .milliseconds(2500))
        SoundBothWaysTests.expectTone(callee.listener.sound(after: talked), rate: 8000, hertz: 900, seconds: 2)
        SoundBothWaysTests.expectTone(Array(agent.heard[place...]), rate: 8000, hertz: 1000, seconds: 2)
        let first = try #require(agent.tracks.firstIndex(of: 1))
        #expect(Set(agent.tracks[first...]) == [1] && first > 100)
        // The line is held, not dead.
        SoundBothWaysTests.expectTone(phone.listener.sound(after: answered), rate: 8000, hertz: 523, seconds: 0.2)
        #expect(agent.events("call").count == 1)

        agent.post(#"{"event":"transfer","id":8,"complete":true}"#)
        gateway.run(for: .milliseconds(700))
        #expect(parties.states == ["trying", "ringing", "answered", "completed"])
        #expect(agent.events("transfer").allSatisfy { $0["re"] as? Int == 7 } && agent.events("stop").last?["cause"] as? String == "transferred")
        BridgeTests.expectTones(gateway, phone.speaker, callee.listener, limit: 41, snr: 30)
        BridgeTests.expectTones(gateway, callee.speaker, phone.listener, limit: 41, snr: 30)
        AgentFailureTests.expectOneAxis(phone.listener)
        AgentFailureTests.expectOneAxis(callee.listener)
        callee.hangUp()
        gateway.run(for: .milliseconds(100))
        #expect(phone.byeAt != nil && gateway.core.figures.ended == [.calleeHangup: 1])
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func theAgentTakesItBack() throws {
        let parties = try consulting()
        parties.agent.post(#"{"event":"transfer","id":8,"cancel":true}"#)
        parties.gateway.run(for: .milliseconds(200))
        #expect(parties.states.last == "failed" && parties.lastCode == 487 && parties.callee.byeAt != nil)
        #expect(parties.gateway.core.limits.callsOn["carrier"] == nil)
        parties.expectAgentHasCaller()
        // And may try again.
        parties.agent.post(#"{"event":"transfer","id":9,"to":"\#(BridgeTests.number)","mode":"attended"}"#)
        #expect(parties.gateway.run(for: .seconds(2)) { parties.states.last == "answered" })
        parties.phone.hangUp()
        parties.gateway.run(for: .seconds(1))
        EndOfCallTests.expectNothingLeft(parties.gateway)
    }

    @Test func theAgentTakesItBackWhileItRings() throws {
        let parties = try transferring([(.milliseconds(10), .progress(180))])
        parties.gateway.run(for: .milliseconds(500))
        parties.agent.post(#"{"event":"transfer","id":8,"cancel":true}"#)
        parties.gateway.run(for: .milliseconds(200))
        #expect(parties.callee.cancelledAt != nil && parties.states == ["trying", "ringing", "failed"])
        #expect(parties.gateway.core.entries.values.first?.record.steps.map(\.outcome) == ["answered", "no_answer"])
        parties.expectAgentHasCaller()
    }

    @Test func theOtherPartyHangsUp() throws {
        let parties = try consulting()
        parties.callee.hangUp()
        parties.gateway.run(for: .milliseconds(200))
        #expect(parties.states.last == "failed" && parties.agent.events("stop").isEmpty && parties.phone.byeAt == nil)
        parties.expectAgentHasCaller()
        parties.phone.hangUp()
        parties.gateway.run(for: .seconds(1))
        EndOfCallTests.expectNothingLeft(parties.gateway)
    }

    @Test func theOtherPartyIsLost() throws {
        let parties = try consulting()
        parties.callee.sendsMedia = false
        parties.gateway.turn = .milliseconds(5)
        parties.gateway.run(for: .seconds(62)) { parties.states.last == "failed" }
        #expect(parties.callee.byeAt != nil && parties.phone.byeAt == nil && parties.agent.socket?.isUp == true)
    }

    @Test func theCallerHangsUp() throws {
        let parties = try consulting()
        parties.phone.hangUp()
        parties.gateway.run(for: .seconds(1))
        #expect(parties.callee.byeAt != nil && parties.agent.events("stop").last?["cause"] as? String == "caller_hangup")
        #expect(parties.gateway.core.figures.ended == [.callerHangup: 1])
        EndOfCallTests.expectNothingLeft(parties.gateway)
    }

    /// The agent hangs up, or is lost for good: the two who are left talk with each other.
    @Test(arguments: [true, false]) func theAgentLeaves(_ hangsUp: Bool) throws {
        let parties = try consulting()
        if hangsUp { parties.agent.post(#"{"event":"hangup","id":8}"#) } else { parties.agent.cut(code: 4400) }
        parties.gateway.run(for: .milliseconds(700))
        BridgeTests.expectTones(parties.gateway, parties.phone.speaker, parties.callee.listener, limit: 41, snr: 30)
        BridgeTests.expectTones(parties.gateway, parties.callee.speaker, parties.phone.listener, limit: 41, snr: 30)
        parties.phone.hangUp()
        parties.gateway.run(for: .milliseconds(100))
        #expect(parties.callee.byeAt != nil && parties.gateway.core.figures.ended == [.callerHangup: 1])
        EndOfCallTests.expectNothingLeft(parties.gateway)
    }

    @Test func anAgentThatComesBackGoesOnToConsult() throws {
        let parties = try consulting()
        let place = parties.agent.nextPTS
        parties.callee.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 2, rate: 8000))
        parties.gateway.run(for: .milliseconds(500))
        parties.agent.cut()
        let tracks = parties.agent.tracks.count
        parties.gateway.run(for: .seconds(2))
        #expect(parties.agent.sockets.count == 2)
        SoundBothWaysTests.expectTone(Array(parties.agent.heard[place...]), rate: 8000, hertz: 1000, seconds: 2)
        #expect(Set(parties.agent.tracks[tracks...]) == [1])
        parties.agent.post(#"{"event":"transfer","id":8,"complete":true}"#)
        parties.gateway.run(for: .milliseconds(200))
        BridgeTests.expectTones(parties.gateway, parties.phone.speaker, parties.callee.listener, limit: 41, snr: 30)
    }

    @Test func completedBeforeTheAnswerItNeedsNoTalk() throws {
        let parties = try transferring([(.milliseconds(10), .progress(180)), (.seconds(1), .answer)])
        parties.gateway.run(for: .milliseconds(300))
        parties.agent.post(#"{"event":"transfer","id":8,"complete":true}"#)
        parties.gateway.run(for: .seconds(2))
        #expect(parties.states == ["trying", "ringing", "completed"])
        BridgeTests.expectTones(parties.gateway, parties.callee.speaker, parties.phone.listener, limit: 41, snr: 30)
    }

    @Test func keysOfTheOtherPartyReachTheAgentAndTheAgentsKeysIt() throws {
        let parties = try consulting()
        parties.callee.press(5)
        parties.gateway.run(for: .milliseconds(300))
        #expect(parties.agent.events("dtmf").map { $0["digit"] as? String } == ["5"])
        parties.agent.post(#"{"event":"dtmf","id":8,"digits":"7"}"#)
        parties.gateway.run(for: .milliseconds(500))
        #expect(BridgedDigitTests.keys(parties.callee.listener, type: 101, step: 160) == [7])
        #expect(BridgedDigitTests.keys(parties.phone.listener, type: 101, step: 160) == [])
    }

    /// The agent speaks at a browser's 24 kHz, and the phone at 8 kHz.
    @Test func aBrowserWaitsToo() throws {
        let gateway = VirtualGateway()
        gateway.prepareNative = { $0.accept = #"{"event":"accept","format":{"codec":"pcm_s16le","rate":24000}}"# }
        let (browser, callee) = (gateway.browser(), gateway.callee())
        browser.call("native")
        #expect(gateway.run(for: .seconds(2)) { (gateway.native?.nextPTS ?? 0) > 0 })
        let agent = try #require(gateway.native)
        agent.post(#"{"event":"transfer","id":7,"to":"\#(BridgeTests.number)","mode":"attended"}"#)
        #expect(gateway.run(for: .seconds(2)) { agent.events("transfer").last?["state"] as? String == "answered" })
        gateway.run(for: .milliseconds(300))
        let (talked, place) = (gateway.now, agent.nextPTS)
        agent.say(SoundMaterial.tone(hertz: 900, seconds: 1, rate: 24_000), generation: 2)
        callee.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 8000))
        gateway.run(for: .milliseconds(1500))
        SoundBothWaysTests.expectTone(callee.listener.sound(after: talked), rate: 8000, hertz: 900, seconds: 1)
        SoundBothWaysTests.expectTone(Array(agent.heard[place...]), rate: 24_000, hertz: 1000, seconds: 1)
        agent.post(#"{"event":"transfer","id":8,"complete":true}"#)
        gateway.run(for: .milliseconds(500))
        let joined = gateway.now
        callee.speaker.say(SoundMaterial.tone(hertz: 1100, seconds: 1, rate: 8000))
        gateway.run(for: .milliseconds(1500))
        SoundBothWaysTests.expectTone(browser.listener.sound(after: joined), rate: browser.listener.rate, hertz: 1100, seconds: 1)
    }

    @Test func onlyAPhoneCanBeConsulted() throws {
        let parties = try transferring([], to: "standby")
        parties.gateway.run(for: .milliseconds(200))
        #expect(parties.states == ["trying", "failed"] && parties.lastCode == 488 && parties.gateway.agents.isEmpty)
        parties.expectAgentHasCaller()
        parties.agent.post(#"{"event":"transfer","id":8,"complete":true}"#)
        parties.gateway.run(for: .milliseconds(100))
        #expect(parties.states.last == "failed" && parties.lastCode == 491 && parties.agent.events("transfer").last?["re"] as? Int == 8)
    }
}
