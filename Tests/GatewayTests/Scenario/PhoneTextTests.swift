import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Texts from and to phones, and what phones do with the line.
@Suite struct PhoneTextTests {
    private func talking(allow: String? = nil) throws -> (VirtualGateway, FakeTrunk, FakeTandemAgent) {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.allow = allow
        phone.call("native")
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered && (gateway.native?.nextPTS ?? 0) > 0 })
        return (gateway, phone, try #require(gateway.native))
    }

    private func bodies(_ agent: FakeTandemAgent) -> [String?] { agent.events("message").map { $0["body"] as? String } }
    private func statuses(_ phone: FakeTrunk) -> [Int] { phone.otherStatuses.filter { $0.method == "MESSAGE" }.map(\.status) }

    @Test func aPhonesTextReachesTheAgent() throws {
        let (gateway, phone, agent) = try talking()
        phone.text("text/plain;charset=utf-8", "grüezi")
        phone.text("application/json", #"{"page":3}"#)
        // As most phones send them: outside of the call.
        phone.text("text/plain", "outside", inDialog: false)
        gateway.run(for: .milliseconds(100))
        #expect(bodies(agent) == ["grüezi", #"{"page":3}"#, "outside"] && statuses(phone) == [200, 200, 200])
        #expect(agent.events("message").first?["content_type"] as? String == "text/plain;charset=utf-8")
        phone.text("image/png", "no text")
        phone.text("text/plain", String(repeating: "x", count: 17_000))
        gateway.run(for: .milliseconds(100))
        #expect(statuses(phone).suffix(2) == [415, 413] && agent.events("message").count == 3)
        phone.hangUp()
        gateway.run(for: .milliseconds(100))
        // Whose text that might be nobody knows any more.
        phone.text("text/plain", "late", inDialog: false)
        gateway.run(for: .milliseconds(100))
        #expect(statuses(phone).last == 404)
        EndOfCallTests.expectNothingLeft(gateway)
    }

    /// What the phone says that it takes, and how a text gets to it then.
    @Test(arguments: [
        (nil, "MESSAGE"), ("INVITE, ACK, BYE, MESSAGE, INFO", "MESSAGE"), ("INVITE, ACK, BYE, INFO", "INFO"), ("INVITE, ACK, BYE", nil),
    ] as [(String?, String?)]) func anAgentsTextReachesThePhone(_ allow: String?, _ method: String?) throws {
        let (gateway, phone, agent) = try talking(allow: allow)
        agent.post(#"{"event":"message","id":2,"content_type":"text/plain","body":"your code is 4711"}"#)
        agent.post(#"{"event":"message","id":3,"content_type":"text/plain\r\nX: y","body":"no"}"#)
        gateway.run(for: .milliseconds(200))
        #expect(phone.messages.count == (method == "MESSAGE" ? 1 : 0) && phone.informed.count == (method == "INFO" ? 1 : 0))
        #expect((phone.messages.first ?? phone.informed.first)?.hasSuffix("your code is 4711") == (method == nil ? nil : true))
        let refused = agent.events("error").filter { $0["code"] as? String == "not_allowed" }.compactMap { $0["re"] as? Int }
        #expect(refused == (method == nil ? [2, 3] : [3]))
        phone.hangUp()
        gateway.run(for: .seconds(1))
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aPhoneThatRefusesATextIsToldOf() throws {
        let (gateway, phone, agent) = try talking()
        phone.messageStatus = 405
        for id in 2...3 { agent.post(#"{"event":"message","id":\#(id),"body":"hello"}"#) }
        gateway.run(for: .milliseconds(200))
        #expect(agent.events("error").compactMap { $0["re"] as? Int } == [2, 3] && phone.messages.count == 2)
        #expect((agent.events("error").last?["message"] as? String)?.contains("405") == true)
    }

    @Test func twoPhonesWriteToEachOther() {
        let gateway = VirtualGateway()
        let (phone, callee) = (gateway.phone(), gateway.callee())
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(2)) { callee.acknowledged })
        phone.text("text/plain", "to you")
        callee.text("text/plain", "and to you")
        gateway.run(for: .milliseconds(200))
        #expect(callee.messages.first?.hasSuffix("to you") == true && phone.messages.first?.hasSuffix("and to you") == true)
    }

    @Test func aPageAndAPhoneWriteToEachOther() throws {
        let gateway = VirtualGateway()
        let (browser, callee) = (gateway.browser(), gateway.callee())
        browser.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { callee.acknowledged })
        gateway.core.browserSays(CallMessage(contentType: "text/plain", body: "to you"), try #require(gateway.core.entries.keys.first))
        callee.text("text/plain", "and to you")
        gateway.pump()
        gateway.run(for: .milliseconds(200))
        #expect(callee.messages.first?.hasSuffix("to you") == true)
        #expect(browser.events.contains(.message(CallMessage(contentType: "text/plain", body: "and to you"))))
    }

    @Test func anAgentHearsThatThePhoneHolds() throws {
        let (gateway, phone, agent) = try talking()
        for direction in ["sendonly", "inactive", "sendrecv", "recvonly"] {
            phone.direction = direction
            phone.reinvite()
            gateway.run(for: .milliseconds(100))
        }
        #expect(agent.events("call").map { $0["state"] as? String } == ["answered", "held", "resumed"])
    }

    /// `mute` takes the caller from the agent; `hold` the agent from the caller too, and loses nothing of what it said.
    @Test func theAgentMutesAndHoldsThePhone() throws {
        let (gateway, phone, agent) = try talking()
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 20, rate: 8000))
        gateway.run(for: .milliseconds(500))
        agent.post(#"{"event":"mute","id":2,"on":true}"#)
        gateway.run(for: .milliseconds(100))
        let muted = agent.nextPTS
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 2, rate: 8000))
        let spoke = gateway.now
        gateway.run(for: .milliseconds(500))
        #expect(agent.heard[muted...].allSatisfy { $0 == 0 } && agent.nextPTS - muted >= 3000)
        #expect(phone.listener.firstSound(after: spoke) != nil)
        agent.post(#"{"event":"hold","id":3,"on":true}"#)
        gateway.run(for: .milliseconds(200))
        let held = gateway.now
        gateway.run(for: .seconds(1))
        #expect(phone.listener.firstSound(after: held) == nil && agent.heard[muted...].allSatisfy { $0 == 0 })
        agent.post(#"{"event":"hold","id":4,"on":false}"#)
        agent.post(#"{"event":"mark","id":5,"name":"end"}"#)
        let resumed = agent.nextPTS
        gateway.run(for: .seconds(2))
        #expect(agent.events("mark").last?["heard_pts"] as? Int == 16_000)
        #expect(abs(ToneMeter.analyse(Array(agent.heard[(resumed + 800)...]), rate: 8000, expectedHz: 1000).frequency - 1000) < 1)
        #expect(phone.answeredDirection == "a=sendrecv")
    }
}
