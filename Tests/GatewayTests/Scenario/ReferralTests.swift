import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Calls that an agent gives away by the caller's own phone (REFER).
@Suite struct ReferralTests {
    private func referring(_ status: Int = 202, to target: String = BridgeTests.number) throws -> (VirtualGateway, FakeTrunk, FakeTandemAgent) {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.referStatus = status
        phone.call("native")
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered && (gateway.native?.nextPTS ?? 0) > 0 })
        let agent = try #require(gateway.native)
        agent.post(#"{"event":"transfer","id":7,"to":"\#(target)","mode":"refer"}"#)
        gateway.run(for: .milliseconds(200))
        return (gateway, phone, agent)
    }

    private func states(_ agent: FakeTandemAgent) -> [String] { agent.events("transfer").compactMap { $0["state"] as? String } }

    @Test func thePhoneCallsByItselfAndThisCallEnds() throws {
        let (gateway, phone, agent) = try referring()
        #expect(phone.refers == ["<sip:\(BridgeTests.number.replacing("tel:", with: ""))@192.0.2.200>"])
        #expect(states(agent) == ["trying"])
        phone.notify(100)
        phone.notify(180)
        let spoke = gateway.now
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 1, rate: 8000))
        gateway.run(for: .milliseconds(1500))
        SoundBothWaysTests.expectTone(phone.listener.sound(after: spoke), rate: 8000, hertz: 700, seconds: 1)
        phone.notify(200, state: "terminated;reason=noresource")
        gateway.run(for: .milliseconds(700))
        #expect(states(agent) == ["trying", "ringing", "completed"] && agent.events("transfer").last?["sip_code"] as? Int == 200)
        #expect(agent.events("stop").last?["cause"] as? String == "transferred")
        #expect(phone.byeAt != nil && phone.byeReason?.contains("transferred") == true && gateway.core.figures.ended == [.transferred: 1])
        #expect(phone.otherStatuses.filter { $0.method == "NOTIFY" }.map(\.status) == [200, 200, 200])
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aPhoneThatHangsUpWhenItIsAnsweredWasTransferred() throws {
        let (gateway, phone, agent) = try referring()
        phone.hangUp()
        gateway.run(for: .seconds(1))
        #expect(states(agent) == ["trying", "completed"] && gateway.core.figures.ended == [.transferred: 1])
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aPhoneThatHangsUpBeforeItAgreesHungUp() throws {
        let (gateway, phone, agent) = try referring(100)
        phone.hangUp()
        gateway.run(for: .seconds(1))
        #expect(states(agent) == ["trying"] && gateway.core.figures.ended == [.callerHangup: 1])
    }

    @Test(arguments: [405, 503, 603]) func aPhoneThatRefusesGoesOnWithTheAgent(_ status: Int) throws {
        let (gateway, phone, agent) = try referring(status)
        #expect(states(agent) == ["trying", "failed"] && agent.events("transfer").last?["sip_code"] as? Int == status)
        try expectAgentHasCaller(gateway, phone, agent)
        phone.hangUp()
        gateway.run(for: .seconds(1))
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aPhoneWhoseCallFailsGoesOnWithTheAgent() throws {
        let (gateway, phone, agent) = try referring()
        phone.notify(180)
        phone.notify(486, state: "terminated;reason=noresource")
        gateway.run(for: .milliseconds(100))
        #expect(states(agent) == ["trying", "ringing", "failed"] && agent.events("transfer").last?["sip_code"] as? Int == 486)
        try expectAgentHasCaller(gateway, phone, agent)
        // It can be tried by the gateway's own call then.
        let callee = gateway.callee()
        agent.post(#"{"event":"transfer","id":8,"to":"\#(BridgeTests.number)"}"#)
        #expect(gateway.run(for: .seconds(2)) { callee.acknowledged })
    }

    @Test func aPhoneThatTellsNothingGoesOnWithTheAgentAfterAMinute() throws {
        let (gateway, phone, agent) = try referring()
        gateway.turn = .milliseconds(5)
        gateway.run(for: .seconds(61))
        #expect(states(agent) == ["trying", "failed"] && agent.events("transfer").last?["sip_code"] as? Int == 408 && phone.byeAt == nil)
    }

    @Test func anAgentNeedNotWait() throws {
        let (gateway, phone, agent) = try referring()
        agent.post(#"{"event":"hangup","id":8}"#)
        let left = gateway.now
        gateway.run(for: .seconds(2))
        #expect(phone.byeAt == nil)
        SoundBothWaysTests.expectTone(phone.listener.sound(after: left), rate: 8000, hertz: 425, seconds: 1)
        // Nothing comes of it: the route's next step takes the caller.
        phone.notify(486, state: "terminated")
        #expect(gateway.run(for: .seconds(1)) { gateway.agent?.name == "standby" && gateway.agent?.media.count ?? 0 > 10 })
        phone.hangUp()
        gateway.run(for: .seconds(1))
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func thePhoneOfAnOrderedCallIsAskedToo() throws {
        let gateway = VirtualGateway()
        let phone = gateway.callee()
        var order = OutboundTests.order
        order.agent = "native"
        _ = try OutboundTests.place(gateway, order)
        #expect(gateway.run(for: .seconds(2)) { (gateway.native?.nextPTS ?? 0) > 0 })
        let agent = try #require(gateway.native)
        agent.post(#"{"event":"transfer","id":7,"to":"second","mode":"refer"}"#)
        gateway.run(for: .milliseconds(100))
        #expect(phone.refers == ["<sip:+15550002222@192.0.2.201>"])
        phone.notify(200, state: "terminated")
        gateway.run(for: .seconds(1))
        #expect(phone.byeAt != nil && states(agent) == ["trying", "completed"] && gateway.core.figures.ended == [.transferred: 1])
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func whereItCannotGo() throws {
        // Neither an agent nor a number without a route is a phone to be called.
        for target in ["standby", "+442079460000"] {
            let (_, phone, agent) = try referring(to: target)
            #expect(phone.refers.isEmpty && states(agent) == ["failed"] && agent.events("transfer").last?["sip_code"] as? Int == 404)
        }
        let gateway = VirtualGateway()
        let browser = gateway.browser()
        browser.call("native")
        #expect(gateway.run(for: .seconds(2)) { (gateway.native?.nextPTS ?? 0) > 0 })
        let agent = try #require(gateway.native)
        agent.post(#"{"event":"transfer","id":7,"to":"\#(BridgeTests.number)","mode":"refer"}"#)
        gateway.run(for: .milliseconds(100))
        #expect(agent.events("error").last?["code"] as? String == "not_allowed" && agent.events("error").last?["re"] as? Int == 7)
    }

    private func expectAgentHasCaller(_ gateway: VirtualGateway, _ phone: FakeTrunk, _ agent: FakeTandemAgent) throws {
        let spoke = gateway.now
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 1, rate: 8000))
        gateway.run(for: .milliseconds(1500))
        SoundBothWaysTests.expectTone(phone.listener.sound(after: spoke), rate: 8000, hertz: 700, seconds: 1)
        #expect(phone.byeAt == nil)
    }
}
