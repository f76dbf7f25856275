import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Agents at their worst: what they do to themselves the caller does not hear, and nothing is left of it.
@Suite struct AgentFaultTests {
    enum Phase: CaseIterable {
        case dialling, accepting, greeting, listening, talking, clearing, stopping
    }

    /// A phone on the route whose first agent speaks the native protocol and whose second one is the standby.
    private func phone(_ gateway: VirtualGateway) throws -> (phone: FakeTrunk, agent: FakeTandemAgent) {
        let phone = gateway.phone()
        phone.call("native")
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered && (gateway.native?.nextPTS ?? 0) > 0 })
        return (phone, try #require(gateway.native))
    }

    @Test(arguments: Phase.allCases) func anAgentThatDiesInAnyStateIsFollowedByTheNextStep(_ phase: Phase) throws {
        let gateway = VirtualGateway()
        gateway.prepareNative = {
            $0.isReachable = phase != .dialling
            if phase == .accepting { $0.accept = nil }
        }
        let phone = gateway.phone()
        phone.call("native")
        gateway.run(for: .milliseconds(phase == .greeting ? 30 : 600))
        let agent = try #require(gateway.native)
        switch phase {
        case .dialling, .accepting, .greeting, .listening: break
        case .talking: agent.say(SoundMaterial.tone(hertz: 700, seconds: 30, rate: 8000))
        case .clearing:
            agent.say(SoundMaterial.tone(hertz: 700, seconds: 30, rate: 8000))
            gateway.run(for: .milliseconds(300))
            agent.post(#"{"event":"clear","id":2,"gen":1}"#)
        case .stopping: agent.post(#"{"event":"hangup","id":2,"drain":false}"#)
        }
        gateway.run(for: .milliseconds(phase == .stopping ? 5 : 200))
        agent.isReachable = false
        agent.cut()
        gateway.run(for: .seconds(17))
        if phase == .stopping {
            #expect(phone.byeAt != nil)
        } else {
            #expect(gateway.agent?.name == "standby" && phone.isAnswered && phone.byeAt == nil)
            phone.hangUp()
        }
        gateway.run(for: .seconds(1))
        EndOfCallTests.expectNothingLeft(gateway)
    }

    /// What the caller says meanwhile is kept for the session that follows.
    @Test func aModelWhoseSocketBreaksMissesNothingOfTheCaller() throws {
        let call = FaultCall(.openai, isReachable: true, takesCalls: true)
        let agent = try call.answered()
        let (began, count) = (call.gateway.now, agent.sounds)
        agent.isReachable = false
        agent.socket?.cut()
        call.run(1000)
        agent.isReachable = true
        call.run(3000)
        #expect(agent.sockets.count > 2 && agent.socket?.isUp == true)
        let due = Int((call.gateway.now - began).nanoseconds / 20_000_000)
        #expect(abs(agent.sounds - count - due) <= 2, "\(agent.sounds - count) of \(due)")
    }

    @Test func fiftyMarksASecondCostTheSpeechNothing() throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway)
        let spoke = gateway.now
        let tone = SoundMaterial.tone(hertz: 700, seconds: 4, rate: 8000)
        for piece in 0..<200 {
            agent.say(Array(tone[(piece * 160)..<(piece * 160 + 160)]))
            agent.post(#"{"event":"mark","id":\#(piece + 2),"name":"m\#(piece)"}"#)
        }
        gateway.run(for: .seconds(5))
        SoundBothWaysTests.expectTone(phone.listener.sound(after: spoke), rate: 8000, hertz: 700, seconds: 4)
        #expect(agent.events("mark").map { $0["name"] as? String } == (0..<200).map { "m\($0)" })
        #expect(agent.events("mark").enumerated().allSatisfy { $0.element["heard_pts"] as? Int == ($0.offset + 1) * 160 })
    }

    @Test func aThousandAnswersAreCutOffAndTheNextIsWhole() throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway)
        let burst = SoundMaterial.tone(hertz: 700, seconds: 0.1, rate: 8000)
        for cycle in 1...1000 {
            agent.say(burst, generation: UInt16(cycle))
            if cycle % 20 == 0 { gateway.run(for: .milliseconds(40)) }
            agent.post(#"{"event":"clear","id":\#(cycle + 1),"gen":\#(cycle)}"#)
            // And what is late of it.
            agent.say(Array(burst.prefix(160)), generation: UInt16(cycle))
        }
        #expect(agent.events("cleared").count == 1000 && agent.events("error").isEmpty)
        gateway.run(for: .milliseconds(100))
        let spoke = gateway.now
        agent.say(SoundMaterial.tone(hertz: 900, seconds: 2, rate: 8000), generation: 1001)
        gateway.run(for: .seconds(3))
        SoundBothWaysTests.expectTone(phone.listener.sound(after: spoke), rate: 8000, hertz: 900, seconds: 2)
    }

    @Test func whatIsNoSoundIsNeverPlayed() throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway)
        var generator = SeededGenerator(seed: 7)
        let before = gateway.now
        // Kinds that are not built, and messages that are too short for sound but not for their header.
        for _ in 0..<200 {
            let count = Int.random(in: 16...2000, using: &generator)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            bytes[0] = UInt8.random(in: 2...255, using: &generator)
            agent.post(binary: bytes)
        }
        gateway.run(for: .seconds(1))
        #expect(phone.listener.firstSound(after: before) == nil && agent.socket?.isUp == true)
        agent.post(binary: [1, 0, 0])
        gateway.run(for: .seconds(1))
        #expect(agent.socket?.closeCode == 4400 && gateway.agent?.name == "standby")
    }

    @Test func anAgentThatReadsNothingIsToldWhatItMissedAndThenLeft() throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway)
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 30, rate: 8000))
        agent.socket?.isWritable = false
        gateway.run(for: .seconds(5))
        agent.socket?.isWritable = true
        gateway.run(for: .milliseconds(100))
        let gap = try #require(agent.events("gap").last)
        let length = (gap["to_pts"] as? Int ?? 0) - (gap["from_pts"] as? Int ?? 0)
        #expect(abs(length - 40_000) <= 320)
        #expect(agent.binary.count { $0.flags & 1 == 1 } == 1)
        agent.socket?.isWritable = false
        gateway.run(for: .seconds(11))
        #expect(agent.socket?.closeCode == 4429 && gateway.agent?.name == "standby" && phone.byeAt == nil)
    }
}
