import NIOCore
import Synchronization
import TestKit
import Testing

@testable import Gateway

/// Calls that are given to somebody else, by their agent or by the API.
@Suite struct TransferTests {
    private final class Box: Sendable {
        let result = Mutex<Result<Void, TransferRefusal>?>(nil)
    }

    /// As the API does it.
    /// - Returns: the status of a refusal, nil if the transfer is being tried.
    static func transfer(_ gateway: VirtualGateway, to target: String, ringSeconds: Int? = nil) throws -> Int? {
        let id = try #require(gateway.core.entries.keys.first)
        return try transfer(gateway, id, AgentTransfer(target: target, ringSeconds: ringSeconds))
    }

    private static func transfer(_ gateway: VirtualGateway, _ id: CallID, _ transfer: AgentTransfer) throws -> Int? {
        let box = Box()
        gateway.post(.transfer(id, transfer, reply: { result in box.result.withLock { $0 = result } }))
        if case .failure(let refusal) = try #require(box.result.withLock { $0 }, "no reply") { return refusal.httpStatus }
        return nil
    }

    private func talking(_ to: String = "assistant") throws -> (VirtualGateway, FakeTrunk, FakeTrunk, FakeAgent) {
        let gateway = VirtualGateway()
        let (phone, callee) = (gateway.phone(), gateway.callee())
        phone.call(to)
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.media.count ?? 0 > 10 })
        return (gateway, phone, callee, try #require(gateway.agent))
    }

    @Test func theAgentTalksUntilThePhoneAnswers() throws {
        let (gateway, phone, callee, agent) = try talking()
        callee.reactions = [(.milliseconds(10), .progress(180)), (.seconds(2), .answer)]
        #expect(try Self.transfer(gateway, to: "tel:\(BridgeTests.number)") == nil)
        let began = gateway.now
        agent.say(SoundMaterial.tone(hertz: 800, seconds: 1, rate: 8000))
        gateway.run(for: .milliseconds(1500))
        SoundBothWaysTests.expectTone(phone.listener.sound(after: began), rate: 8000, hertz: 800, seconds: 1, snr: 20)
        #expect(agent.isUp && callee.invites.count == 1)
        #expect(gateway.run(for: .seconds(1)) { callee.acknowledged })
        gateway.run(for: .milliseconds(400))
        #expect(agent.events.last == "stop" && !agent.isUp)
        BridgeTests.expectTones(gateway, phone.speaker, callee.listener, limit: 41, snr: 30)
        BridgeTests.expectTones(gateway, callee.speaker, phone.listener, limit: 41, snr: 30)
        AgentFailureTests.expectOneAxis(phone.listener)
        callee.hangUp()
        gateway.run(for: .milliseconds(100))
        #expect(phone.byeAt != nil && gateway.core.figures.ended == [.calleeHangup: 1])
        EndOfCallTests.expectNothingLeft(gateway)
        let record = try #require(gateway.log.records.first)
        #expect(record.steps.map(\.kind) == ["agent", "trunk"] && record.steps.map(\.outcome) == ["answered", "answered"])
        #expect(record.events.map(\.what).contains("Transfer."))
    }

    @Test(arguments: [486, 503]) func aTransferThatFailsLeavesTheCallToItsAgent(_ status: Int) throws {
        let (gateway, phone, callee, agent) = try talking()
        callee.reactions = [(.milliseconds(10), .progress(180)), (.milliseconds(300), .refuse(status))]
        #expect(try Self.transfer(gateway, to: BridgeTests.number) == nil)
        // One at a time.
        #expect(try Self.transfer(gateway, to: BridgeTests.number) == 409)
        gateway.run(for: .seconds(1))
        let failed = gateway.now
        agent.say(SoundMaterial.tone(hertz: 800, seconds: 1, rate: 8000))
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 8000))
        gateway.run(for: .seconds(2))
        SoundBothWaysTests.expectTone(phone.listener.sound(after: failed), rate: 8000, hertz: 800, seconds: 1, snr: 20)
        SoundBothWaysTests.expectGapFree(agent)
        #expect(gateway.core.limits.callsOn["carrier"] == nil && gateway.core.presentFigures().agents.first?.calls == 1)
        // And may be tried again.
        callee.reactions = [(.milliseconds(10), .answer)]
        #expect(try Self.transfer(gateway, to: BridgeTests.number) == nil)
        #expect(gateway.run(for: .seconds(1)) { callee.acknowledged })
        phone.hangUp()
        gateway.run(for: .milliseconds(100))
        #expect(callee.byeAt != nil)
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aTransferMayRingOnlySoLong() throws {
        let (gateway, _, callee, agent) = try talking()
        callee.reactions = [(.milliseconds(10), .progress(180))]
        #expect(try Self.transfer(gateway, to: BridgeTests.number, ringSeconds: 2) == nil)
        gateway.run(for: .milliseconds(2300))
        #expect(callee.cancelledAt != nil && agent.isUp)
        #expect(gateway.core.entries.values.first?.call.isTransferable == true)
    }

    @Test func anAgentMayLeaveWhileTheTransferGoesOn() throws {
        let (gateway, phone, callee, agent) = try talking()
        callee.reactions = [(.milliseconds(10), .progress(180)), (.seconds(5), .answer)]
        #expect(try Self.transfer(gateway, to: BridgeTests.number) == nil)
        gateway.run(for: .milliseconds(300))
        agent.hangUp()
        let left = gateway.now
        gateway.run(for: .seconds(3))
        // Nobody is left in silence: the caller hears the far end ring, though that began before.
        SoundBothWaysTests.expectTone(phone.listener.sound(after: left), rate: 8000, hertz: 425, seconds: 1)
        #expect(gateway.run(for: .seconds(3)) { callee.acknowledged })
        gateway.run(for: .milliseconds(200))
        BridgeTests.expectTones(gateway, phone.speaker, callee.listener, limit: 41, snr: 30)
        phone.hangUp()
        gateway.run(for: .milliseconds(100))
        #expect(callee.byeAt != nil && gateway.core.figures.ended == [.callerHangup: 1])
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test(arguments: [1000, nil] as [UInt16?]) func anAgentThatLeftIsNotThereWhenTheTransferFails(_ code: UInt16?) throws {
        let (gateway, phone, callee, agent) = try talking()
        callee.reactions = [(.milliseconds(10), .progress(180)), (.milliseconds(500), .refuse(486))]
        #expect(try Self.transfer(gateway, to: BridgeTests.number) == nil)
        gateway.run(for: .milliseconds(200))
        agent.hangUp(code: code)
        gateway.run(for: .seconds(1))
        #expect(phone.byeAt != nil && gateway.core.figures.ended == [.busy: 1])
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func oneAgentGivesTheCallToAnother() throws {
        let (gateway, phone, _, first) = try talking()
        gateway.post(.media(try #require(gateway.core.entries.keys.first), .agentTransfers(AgentTransfer(target: "standby"))))
        #expect(gateway.run(for: .seconds(1)) { gateway.agents.count == 2 && gateway.agent?.media.count ?? 0 > 10 })
        let second = try #require(gateway.agent)
        gateway.run(for: .milliseconds(300))
        #expect(!first.isUp && first.events.last == "stop" && second.name == "standby")
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 8000))
        second.say(SoundMaterial.tone(hertz: 800, seconds: 1, rate: 8000))
        let began = gateway.now
        gateway.run(for: .seconds(2))
        SoundBothWaysTests.expectTone(phone.listener.sound(after: began), rate: 8000, hertz: 800, seconds: 1, snr: 20)
        SoundBothWaysTests.expectTone(second.audio, rate: 8000, hertz: 1000, seconds: 1, snr: 20)
        second.hangUp()
        gateway.run(for: .milliseconds(100))
        #expect(phone.byeAt != nil && gateway.core.figures.ended == [.agentHangup: 1])
        EndOfCallTests.expectNothingLeft(gateway)
    }

    /// An agent that refuses, one that never answers, and what was said of each.
    @Test(arguments: [true, false]) func anAgentThatCannotBeReachedLeavesTheCallToTheFirst(_ refuses: Bool) throws {
        let (gateway, phone, _, first) = try talking()
        gateway.prepareAgent = { $0.answer = refuses ? .refuse : .never }
        gateway.post(.media(try #require(gateway.core.entries.keys.first), .agentTransfers(AgentTransfer(target: "standby"))))
        let asked = gateway.now
        first.say(SoundMaterial.tone(hertz: 800, seconds: 4, rate: 8000))
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 4, rate: 8000))
        gateway.run(for: .milliseconds(4500))
        #expect(gateway.agents.count == 2 && first.isUp && !first.events.contains("stop") && phone.byeAt == nil)
        SoundBothWaysTests.expectTone(phone.listener.sound(after: asked), rate: 8000, hertz: 800, seconds: 4, snr: 20)
        SoundBothWaysTests.expectTone(first.audio, rate: 8000, hertz: 1000, seconds: 4, snr: 20)
        SoundBothWaysTests.expectGapFree(first)
        #expect(gateway.core.entries.values.first?.call.isTransferable == true)
        first.hangUp()
        gateway.run(for: .milliseconds(100))
        #expect(gateway.core.figures.ended == [.agentHangup: 1])
        EndOfCallTests.expectNothingLeft(gateway)
        #expect(gateway.log.records.first?.steps.map(\.outcome).last != "answered")
    }

    /// An agent whose webhook is asked first: it does not answer, or the stream that it names does not, or all is well.
    @Test(arguments: [(nil, false), ("refused", false), ("there", true)] as [(String?, Bool)])
    func anAgentWithAWebhookIsReachedBesideTheFirst(_ stream: String?, _ succeeds: Bool) throws {
        let gateway = VirtualGateway()
        gateway.configure { $0.agents[0].webhook = "https://agents.example/voice" }
        gateway.web = { _ in
            guard stream != nil else { return .failure(WebRequest.Failure(reason: "it answered HTTP 500")) }
            return .success(Array("<Response><Connect><Stream url='wss://agents.example/media'/></Connect></Response>".utf8))
        }
        gateway.prepareAgent = { $0.answer = stream == "refused" ? .refuse : .after(.milliseconds(50)) }
        let phone = gateway.phone()
        phone.call("native")
        #expect(gateway.run(for: .seconds(2)) { (gateway.native?.nextPTS ?? 0) > 0 })
        let first = try #require(gateway.native)
        first.post(#"{"event":"transfer","id":7,"to":"assistant"}"#)
        gateway.run(for: .seconds(1))
        #expect(first.events("transfer").map { $0["state"] as? String } == ["trying", succeeds ? "completed" : "failed"])
        #expect(first.events("stop").isEmpty != succeeds && phone.byeAt == nil && gateway.agents.count == (stream == nil ? 0 : 1))
        guard !succeeds else {
            gateway.agent?.hangUp()
            gateway.run(for: .milliseconds(200))
            #expect(phone.byeAt != nil && gateway.core.figures.ended == [.agentHangup: 1])
            return EndOfCallTests.expectNothingLeft(gateway)
        }
        let began = gateway.now
        first.say(SoundMaterial.tone(hertz: 700, seconds: 1, rate: 8000))
        gateway.run(for: .milliseconds(1500))
        SoundBothWaysTests.expectTone(phone.listener.sound(after: began), rate: 8000, hertz: 700, seconds: 1)
        first.post(#"{"event":"hangup","id":8}"#)
        gateway.run(for: .seconds(1))
        #expect(gateway.core.figures.ended == [.agentHangup: 1])
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func anAgentThatLeavesWhileAnotherIsReachedForIsFollowedByIt() throws {
        let (gateway, phone, _, first) = try talking()
        gateway.prepareAgent = { $0.answer = .after(.seconds(1)) }
        gateway.post(.media(try #require(gateway.core.entries.keys.first), .agentTransfers(AgentTransfer(target: "standby"))))
        gateway.run(for: .milliseconds(300))
        first.hangUp()
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.media.count ?? 0 > 10 })
        let began = gateway.now
        gateway.agent?.say(SoundMaterial.tone(hertz: 800, seconds: 1, rate: 8000))
        gateway.run(for: .milliseconds(1500))
        SoundBothWaysTests.expectTone(phone.listener.sound(after: began), rate: 8000, hertz: 800, seconds: 1, snr: 20)
        phone.hangUp()
        gateway.run(for: .milliseconds(100))
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func anAgentThatIsLostAfterItTookACallIsFollowedByTheEnd() throws {
        let (gateway, phone, _, _) = try talking()
        gateway.post(.media(try #require(gateway.core.entries.keys.first), .agentTransfers(AgentTransfer(target: "standby"))))
        #expect(gateway.run(for: .seconds(1)) { gateway.agents.count == 2 && gateway.agent?.media.count ?? 0 > 10 })
        try #require(gateway.agent).hangUp(code: nil)
        gateway.run(for: .milliseconds(200))
        #expect(phone.byeAt != nil && gateway.core.figures.ended == [.agentLost: 1])
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aPhoneIsReplacedByAnAgent() throws {
        let gateway = VirtualGateway()
        let (phone, callee) = (gateway.phone(), gateway.callee())
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(2)) { callee.acknowledged })
        gateway.run(for: .milliseconds(200))
        #expect(try Self.transfer(gateway, to: "assistant") == nil)
        #expect(gateway.run(for: .seconds(1)) { gateway.agent?.media.count ?? 0 > 10 })
        #expect(callee.byeAt != nil)
        // Its trunk carries the call no more.
        #expect(gateway.core.limits.callsOn["carrier"] == nil)
        let began = gateway.now
        gateway.agent?.say(SoundMaterial.tone(hertz: 800, seconds: 1, rate: 8000))
        gateway.run(for: .seconds(2))
        SoundBothWaysTests.expectTone(phone.listener.sound(after: began), rate: 8000, hertz: 800, seconds: 1, snr: 20)
        phone.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func thePhoneOfAnOrderedCallIsGivenToAPerson() throws {
        let gateway = VirtualGateway()
        let (callee, person) = (gateway.callee(), gateway.callee(of: "second"))
        try OutboundTests.place(gateway)
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.isUp == true })
        #expect(try Self.transfer(gateway, to: "second") == nil)
        #expect(gateway.run(for: .seconds(2)) { person.acknowledged })
        gateway.run(for: .milliseconds(500))
        #expect(gateway.agent?.isUp == false)
        BridgeTests.expectTones(gateway, callee.speaker, person.listener, limit: 41, snr: 30)
        BridgeTests.expectTones(gateway, person.speaker, callee.listener, limit: 41, snr: 30)
        callee.direction = "sendonly"
        callee.reinvite()
        gateway.run(for: .milliseconds(300))
        #expect(callee.answeredDirection == "a=recvonly")
        person.hangUp()
        gateway.run(for: .milliseconds(100))
        #expect(callee.byeAt != nil && gateway.core.figures.ended == [.calleeHangup: 1])
        EndOfCallTests.expectNothingLeft(gateway)
        #expect(gateway.log.records.first?.legs.map(\.name) == ["carrier", "second", "assistant"])
    }

    @Test func whatCannotBeGivenAway() throws {
        let gateway = VirtualGateway()
        gateway.prepareAgent = { $0.answer = .never }
        gateway.phone().call("assistant")
        gateway.run(for: .milliseconds(500))
        let id = try #require(gateway.core.entries.keys.first)
        #expect(try Self.transfer(gateway, to: "standby") == 409)
        gateway.run(for: .seconds(4))
        #expect(try Self.transfer(gateway, id, AgentTransfer(target: "standby")) == 404)
        let (other, _, _, agent) = try talking()
        #expect(try Self.transfer(other, to: "+442079460000") == 404)
        #expect(agent.isUp)
    }
}
