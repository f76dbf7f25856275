import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Users as those whom the API calls, and to whom calls are given.
@Suite struct UserTransferTests {
    @Test func anAgentGivesTheCallToAUserAndTalksUntilThen() throws {
        let gateway = VirtualGateway(plan: UserCallTests.plan)
        let (phone, user) = (gateway.phone(), gateway.browser())
        user.signIn(as: "alice")
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.media.count ?? 0 > 10 })
        let agent = try #require(gateway.agent)
        #expect(try TransferTests.transfer(gateway, to: "alice") == nil)
        let began = gateway.now
        agent.say(SoundMaterial.tone(hertz: 800, seconds: 1, rate: 8000))
        gateway.run(for: .milliseconds(1500))
        SoundBothWaysTests.expectTone(phone.listener.sound(after: began), rate: 8000, hertz: 800, seconds: 1, snr: 20)
        #expect(agent.isUp && user.incoming?.to == "alice")
        user.accept()
        #expect(gateway.run(for: .seconds(1)) { user.events == [.connected] })
        gateway.run(for: .milliseconds(500))
        #expect(!agent.isUp)
        BridgeTests.expectTones(gateway, phone.speaker, user.listener, limit: 41, snr: 20)
        BridgeTests.expectTones(gateway, user.speaker, phone.listener, limit: 41, snr: 20)
        user.hangUp()
        gateway.run(for: .milliseconds(100))
        #expect(phone.byeAt != nil && gateway.core.figures.ended == [.calleeHangup: 1])
        EndOfCallTests.expectNothingLeft(gateway)
        #expect(gateway.log.records.first?.steps.map(\.kind) == ["agent", "browser"])
    }

    @Test func aTransferThatNobodyAcceptsLeavesTheCallToItsAgent() throws {
        let gateway = VirtualGateway(plan: UserCallTests.plan)
        let (phone, user) = (gateway.phone(), gateway.browser())
        user.signIn(as: "alice")
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.media.count ?? 0 > 10 })
        let agent = try #require(gateway.agent)
        #expect(try TransferTests.transfer(gateway, to: "alice", ringSeconds: 2) == nil)
        gateway.run(for: .milliseconds(2500))
        #expect(user.userEvents.count == 2 && agent.isUp)
        // And on to the user after all, from the user's side declined.
        #expect(try TransferTests.transfer(gateway, to: "alice") == nil)
        user.decline()
        gateway.run(for: .milliseconds(200))
        agent.say(SoundMaterial.tone(hertz: 800, seconds: 1, rate: 8000))
        let began = gateway.now
        gateway.run(for: .milliseconds(1500))
        SoundBothWaysTests.expectTone(phone.listener.sound(after: began), rate: 8000, hertz: 800, seconds: 1, snr: 20)
        phone.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aUserGivesTheCallToAnother() throws {
        let plan = UserCallTests.plan + "\n  - { name: bob, when: { via: api, to: bob }, do: [{ browser: bob }] }"
        let gateway = VirtualGateway(plan: plan)
        let (phone, alice, bob) = (gateway.phone(), gateway.browser(), gateway.browser())
        alice.signIn(as: "alice")
        bob.signIn(as: "bob")
        phone.call("alice")
        gateway.run(for: .milliseconds(100))
        alice.accept()
        #expect(gateway.run(for: .seconds(1)) { phone.isAnswered })
        #expect(try TransferTests.transfer(gateway, to: "bob") == nil)
        gateway.run(for: .milliseconds(1500))
        #expect(alice.end?.reason == .transferred)
        // Answered already, the phone hears the next one ring.
        SoundBothWaysTests.expectTone(phone.listener.sound, rate: 8000, hertz: 425, seconds: 1, snr: 20)
        bob.accept()
        #expect(gateway.run(for: .seconds(1)) { bob.events == [.connected] })
        gateway.run(for: .milliseconds(500))
        BridgeTests.expectTones(gateway, phone.speaker, bob.listener, limit: 41, snr: 20)
        phone.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aDocumentDialsAClient() throws {
        let gateway = VirtualGateway(plan: UserCallTests.plan)
        gateway.configure { $0.agents[0].webhook = "https://agents.example/voice" }
        gateway.web = { _ in .success(Array("<Response><Dial><Client>alice</Client></Dial></Response>".utf8)) }
        let (phone, user) = (gateway.phone(), gateway.browser())
        user.signIn(as: "alice")
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(1)) { user.incoming != nil })
        user.accept()
        #expect(gateway.run(for: .seconds(1)) { phone.isAnswered })
        gateway.run(for: .milliseconds(500))
        BridgeTests.expectTones(gateway, phone.speaker, user.listener, limit: 41, snr: 20)
        user.hangUp()
        gateway.run(for: .milliseconds(100))
        #expect(phone.byeAt != nil)
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test(arguments: [nil, "browser"] as [String?]) func theAPICallsAUserAndJoinsAnAgent(_ via: String?) throws {
        let gateway = VirtualGateway(plan: UserCallTests.plan)
        let user = gateway.browser()
        user.signIn(as: "alice")
        var order = OutboundOrder(to: "alice", agent: "assistant")
        (order.via, order.parameters, order.from, order.detectsMachine) = (via, ["ticket": "7"], "+15558887777", true)
        let call = try OutboundTests.place(gateway, order).get()
        #expect(call.state == "ringing" && call.record.via == "api" && call.record.route == (via == nil ? "alice" : nil))
        #expect(user.incoming?.from == "+15558887777" && user.incoming?.parameters == ["ticket": "7"])
        gateway.run(for: .milliseconds(300))
        #expect(gateway.agents.isEmpty)
        user.accept()
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.media.count ?? 0 > 10 })
        let agent = try #require(gateway.agent)
        #expect(agent.parameters["ticket"] == "7" && user.events == [.connected])
        agent.say(SoundMaterial.tone(hertz: 800, seconds: 1, rate: 8000))
        user.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 48000))
        user.press(5)
        gateway.run(for: .seconds(2))
        SoundBothWaysTests.expectTone(user.listener.sound, rate: 48000, hertz: 800, seconds: 1, snr: 20)
        let report = ToneMeter.analyse(agent.audio, rate: 8000, expectedHz: 1000)
        #expect(abs(report.frequency - 1000) < 1 && report.gaps.isEmpty)
        #expect(agent.digits.map(\.digit) == ["5"])
        user.hangUp()
        gateway.run(for: .milliseconds(500))
        #expect(agent.events.last == "stop" && user.end?.reason == .calleeHangup)
        EndOfCallTests.expectNothingLeft(gateway)
        let record = try #require(gateway.log.records.first)
        #expect(record.cause == .calleeHangup && record.legs.map(\.kind) == [.browser, .agent] && record.legs.map(\.name) == ["alice", "assistant"])
        #expect(gateway.core.invitations.isEmpty)
    }

    @Test func theAgentHangsUpOnAUser() throws {
        let gateway = VirtualGateway(plan: UserCallTests.plan)
        let user = gateway.browser()
        user.signIn(as: "alice")
        try OutboundTests.place(gateway, OutboundOrder(to: "alice", agent: "assistant"))
        user.accept()
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.isUp == true })
        gateway.agent?.hangUp()
        gateway.run(for: .milliseconds(200))
        #expect(user.end?.reason == .agentHangup)
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func whatCannotBePlaced() throws {
        let gateway = VirtualGateway(plan: UserCallTests.plan)
        var order = OutboundOrder(to: "alice", agent: "assistant")
        #expect(try OutboundTests.refusal(gateway, order)?.end?.reason == .unreachable)
        order.via = "browser"
        #expect(try OutboundTests.refusal(gateway, order)?.httpStatus == 503)
        order.to = String(repeating: "x", count: 65)
        #expect(try OutboundTests.refusal(gateway, order)?.httpStatus == 400)
        // A user who declines ends it.
        let user = gateway.browser()
        user.signIn(as: "alice")
        order.to = "alice"
        try OutboundTests.place(gateway, order)
        user.decline()
        EndOfCallTests.expectNothingLeft(gateway)
        #expect(gateway.core.figures.ended == [.unreachable: 2, .rejected: 1])
    }
}
