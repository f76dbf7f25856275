import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Agents of `tandem.media.v1`: what was heard is known to the sample, and a call survives its socket.
@Suite struct NativeAgentTests {
    /// A phone connected to the native agent.
    private func phone(_ gateway: VirtualGateway) throws -> (phone: FakeTrunk, agent: FakeTandemAgent) {
        let phone = gateway.phone()
        phone.call("native")
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered && (gateway.native?.nextPTS ?? 0) > 0 })
        return (phone, try #require(gateway.native))
    }

    /// A tone that sounds all the time.
    static func expectSteady(_ sound: [Int16], hertz: Double, sourceLocation: SourceLocation = #_sourceLocation) {
        let report = ToneMeter.analyse(sound, rate: 8000, expectedHz: hertz)
        #expect(abs(report.frequency - hertz) < 1 && report.gaps.isEmpty && report.snr > 25, sourceLocation: sourceLocation)
    }

    @Test func theStartTellsOfTheCall() throws {
        let gateway = VirtualGateway()
        let (_, agent) = try phone(gateway)
        let start = try #require(agent.events.first)
        #expect(start["event"] as? String == "start" && start["seq"] as? Int == 1 && start["version"] as? String == "1.0")
        let call = try #require(start["call"] as? [String: Any])
        #expect(call["leg"] as? String == "sip" && call["direction"] as? String == "inbound" && call["to"] as? String == "native")
        #expect(call["codec"] as? String == "PCMU")
        let offer = try #require(start["offer"] as? [[String: Any]])
        #expect(offer.first?["rate"] as? Int == 8000 && offer.first?["codec"] as? String == "pcm_s16le")
        #expect(start["parameters"] as? [String: String] == ["queue": "support"])
        #expect((start["limits"] as? [String: Int])?["resume_window_ms"] == 15_000)
        #expect((start["session"] as? [String: String])?["resume_token"]?.isEmpty == false)
        gateway.run(for: .milliseconds(100))
        #expect(agent.names.contains("call"))
    }

    @Test func soundGoesBothWaysAtTheRateOfTheCaller() throws {
        let gateway = VirtualGateway()
        gateway.prepareNative = { $0.accept = #"{"event":"accept","format":{"codec":"pcm_s16le","rate":24000}}"# }
        let browser = gateway.browser()
        browser.call("native")
        #expect(gateway.run(for: .seconds(2)) { (gateway.native?.nextPTS ?? 0) > 0 })
        let agent = try #require(gateway.native)
        let offer = try #require(agent.events.first?["offer"] as? [[String: Any]])
        #expect(offer.first { $0["codec"] as? String == "pcm_s16le" }?["rate"] as? Int == 24_000)
        browser.speaker.say(SoundMaterial.tone(hertz: 5000, seconds: 2, rate: browser.speaker.rate))
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 2, rate: 24_000))
        gateway.run(for: .seconds(3))
        let report = ToneMeter.analyse(agent.heard, rate: 24_000, expectedHz: 5000)
        #expect(abs(report.frequency - 5000) < 1 && report.gaps.isEmpty)
        SoundBothWaysTests.expectTone(browser.listener.sound, rate: browser.listener.rate, hertz: 700, seconds: 2)
        #expect(agent.binary.map(\.seq) == (0..<UInt32(agent.binary.count)).map { $0 })
        #expect(agent.binary.allSatisfy { $0.samples == 480 && $0.flags == 0 })
    }

    @Test func theTwoDirectionsMayHaveFormatsOfTheirOwn() throws {
        let gateway = VirtualGateway()
        gateway.prepareNative = {
            $0.accept = #"{"event":"accept","in":{"codec":"pcm_s16le","rate":8000},"out":{"codec":"pcm_s16le","rate":24000}}"#
        }
        let (phone, agent) = try phone(gateway)
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 2, rate: 24_000))
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 2, rate: 8000))
        gateway.run(for: .seconds(3))
        SoundBothWaysTests.expectTone(phone.listener.sound, rate: 8000, hertz: 700, seconds: 2)
        #expect(abs(ToneMeter.analyse(agent.heard, rate: 8000, expectedHz: 1000).frequency - 1000) < 1)
    }

    @Test func aClearNamesTheSampleThatWasHeardLast() throws {
        let gateway = VirtualGateway()
        let (_, agent) = try phone(gateway)
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 10, rate: 8000))
        agent.post(#"{"event":"mark","id":2,"name":"end","gen":1}"#)
        agent.say(SoundMaterial.tone(hertz: 900, seconds: 1, rate: 8000), generation: 2)
        gateway.run(for: .seconds(3))
        agent.post(#"{"event":"clear","id":3,"gen":1}"#)
        let cleared = try #require(agent.events("cleared").last)
        let heard = try #require(cleared["heard_pts"] as? Int)
        #expect(abs(heard - 24_000) < 400 && cleared["gen"] as? Int == 1 && cleared["cause"] as? String == "agent")
        #expect(cleared["dropped"] as? Int == 80_000 - heard)
        #expect(agent.events("mark").last?["status"] as? String == "cleared")
        #expect(agent.events("mark").last?["heard_pts"] as? Int == heard)
        // The next generation stays, and what is late of the old one is dropped.
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 1, rate: 8000), generation: 1)
        agent.post(#"{"event":"mark","id":4,"name":"late","gen":1}"#)
        #expect(agent.events("mark").last?["status"] as? String == "cleared")
        agent.post(#"{"event":"mark","id":5,"name":"two","gen":2}"#)
        gateway.run(for: .seconds(2))
        let mark = try #require(agent.events("mark").last)
        #expect(mark["name"] as? String == "two" && mark["status"] as? String == "played" && mark["heard_pts"] as? Int == 88_000)
    }

    @Test func aCutInTheMiddleOfASentenceLosesNothing() throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway)
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 4, rate: 8000))
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 4, rate: 8000))
        agent.post(#"{"event":"mark","id":2,"name":"end"}"#)
        gateway.run(for: .seconds(1))
        agent.cut()
        gateway.run(for: .milliseconds(600))
        #expect(agent.sockets.count == 2 && agent.socket?.isUp == true)
        let resume = try #require(agent.events("resume").last)
        #expect(resume["agent_pts"] as? Int == 32_000 && resume["marks"] as? [String] == ["end"] && resume["last_id"] as? Int == 2)
        gateway.run(for: .seconds(4))
        let report = ToneMeter.analyse(agent.heard, rate: 8000, expectedHz: 1000)
        #expect(abs(report.frequency - 1000) < 0.2 && report.gaps.isEmpty)
        SoundBothWaysTests.expectTone(phone.listener.sound, rate: 8000, hertz: 700, seconds: 4)
        // What happened while it was away it hears once.
        agent.cut(code: 1001)
        phone.press(5)
        gateway.run(for: .seconds(1))
        #expect(agent.sockets.count == 3 && agent.events("dtmf").map { $0["digit"] as? String } == ["5"])
        #expect(agent.events("mark").last?["status"] as? String == "played")
        let numbers = agent.events.filter { $0["event"] as? String != "resume" }.compactMap { $0["seq"] as? Int }
        #expect(Set(numbers).count == numbers.count)
        phone.hangUp()
        gateway.run(for: .seconds(1))
        #expect(agent.names.last == "stop")
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func anAgentThatForgotTheCallBeginsAnew() throws {
        let gateway = VirtualGateway()
        gateway.prepareNative = { $0.comeBack = #"{"event":"accept","id":1,"resumed":false}"# }
        let (phone, agent) = try phone(gateway)
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 20, rate: 8000))
        gateway.run(for: .seconds(1))
        agent.cut(code: 1012)
        gateway.run(for: .seconds(1))
        let silent = gateway.now
        agent.say(SoundMaterial.tone(hertz: 900, seconds: 1, rate: 8000), pts: 0)
        gateway.run(for: .seconds(2))
        SoundBothWaysTests.expectTone(phone.listener.sound(after: silent), rate: 8000, hertz: 900, seconds: 1)
    }

    @Test func anAgentThatStaysAwayIsFollowedByTheNextStep() throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway)
        agent.isReachable = false
        agent.cut()
        let away = gateway.now
        gateway.run(for: .seconds(14))
        // The line is not dead meanwhile.
        let first = try #require(phone.listener.firstSound(after: away))
        #expect(first - away <= .milliseconds(300))
        #expect(phone.listener.firstSound(after: away + .seconds(12)) != nil)
        #expect(gateway.agents.isEmpty && agent.sockets.count > 5)
        gateway.run(for: .seconds(2))
        #expect(gateway.agent?.name == "standby" && phone.byeAt == nil)
    }

    @Test func aRejectedCallGoesToTheNextStep() throws {
        let gateway = VirtualGateway()
        gateway.prepareNative = { $0.accept = #"{"event":"reject","id":1,"sip_code":486,"reason":"busy"}"# }
        let phone = gateway.phone()
        phone.call("native")
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered })
        #expect(gateway.agent?.name == "standby")
    }

    @Test func whoNeverAcceptsIsLeft() throws {
        let gateway = VirtualGateway()
        gateway.prepareNative = { $0.accept = nil }
        let phone = gateway.phone()
        phone.call("native")
        gateway.run(for: .milliseconds(3500))
        #expect(gateway.native?.socket?.closeCode == 4408 && gateway.agent?.name == "standby" && phone.isAnswered)
    }

    @Test func aFullQueueIsSaidAndThenRefused() throws {
        let gateway = VirtualGateway()
        let (_, agent) = try phone(gateway)
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 59, rate: 8000))
        #expect(agent.events("flow").map { $0["state"] as? String } == ["pause"])
        #expect(agent.events("error").isEmpty)
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 2, rate: 8000))
        #expect(agent.events("error").last?["code"] as? String == "buffer_overflow")
        gateway.run(for: .seconds(59))
        #expect(agent.events("flow").map { $0["state"] as? String } == ["pause", "resume"])
    }

    @Test func theCallIsGivenToAPhoneWhileTheAgentTalksOn() throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway)
        let callee = gateway.callee()
        callee.reactions = [(.milliseconds(10), .progress(180)), (.seconds(2), .answer)]
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 10, rate: 8000))
        agent.post(#"{"event":"transfer","id":7,"to":"tel:+15550001111","mode":"bridge"}"#)
        let started = gateway.now
        gateway.run(for: .milliseconds(1500))
        Self.expectSteady(phone.listener.sound(after: started), hertz: 700)
        #expect(gateway.run(for: .seconds(2)) { callee.acknowledged })
        gateway.run(for: .milliseconds(700))
        #expect(agent.events("transfer").map { $0["state"] as? String } == ["trying", "ringing", "completed"])
        #expect(agent.events("transfer").allSatisfy { $0["re"] as? Int == 7 })
        #expect(agent.events("stop").last?["cause"] as? String == "transferred")
        BridgeTests.expectTones(gateway, phone.speaker, callee.listener, limit: 41, snr: 30)
        callee.hangUp()
        gateway.run(for: .milliseconds(600))
        #expect(phone.byeAt != nil)
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aTransferThatFailsLeavesTheCallWithTheAgent() throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway)
        let callee = gateway.callee()
        callee.reactions = [(.milliseconds(10), .progress(180)), (.milliseconds(500), .refuse(486))]
        agent.post(#"{"event":"transfer","id":7,"to":"+15550001111"}"#)
        gateway.run(for: .seconds(1))
        let failed = try #require(agent.events("transfer").last)
        #expect(failed["state"] as? String == "failed" && failed["sip_code"] as? Int == 486)
        let spoke = gateway.now
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 1, rate: 8000))
        gateway.run(for: .seconds(2))
        SoundBothWaysTests.expectTone(phone.listener.sound(after: spoke), rate: 8000, hertz: 700, seconds: 1)
        agent.post(#"{"event":"transfer","id":8,"to":"nowhere"}"#)
        gateway.run(for: .milliseconds(100))
        #expect(agent.events("transfer").last?["sip_code"] as? Int == 404)
    }

    @Test func anAgentHangsUpAfterItsLastWord() throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway)
        let spoke = gateway.now
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 2, rate: 8000))
        agent.post(#"{"event":"hangup","id":2,"cause":"normal","drain":true}"#)
        gateway.run(for: .milliseconds(1900))
        #expect(phone.byeAt == nil)
        gateway.run(for: .milliseconds(800))
        #expect(phone.byeAt != nil)
        SoundBothWaysTests.expectTone(phone.listener.sound(after: spoke), rate: 8000, hertz: 700, seconds: 2)
        #expect(agent.events("stop").last?["cause"] as? String == "agent_hangup")
        gateway.run(for: .seconds(1))
        EndOfCallTests.expectNothingLeft(gateway)
    }

    /// It need not stay to hear how the call ends.
    @Test func anAgentThatLeavesAfterItsLastWordIsHeardOut() throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway)
        let spoke = gateway.now
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 2, rate: 8000))
        agent.post(#"{"event":"hangup","id":2,"cause":"normal","drain":true}"#)
        agent.cut(code: 1000)
        gateway.run(for: .milliseconds(1900))
        #expect(phone.byeAt == nil)
        gateway.run(for: .milliseconds(800))
        #expect(phone.byeAt != nil && agent.sockets.count == 1 && gateway.core.figures.ended == [.agentHangup: 1])
        SoundBothWaysTests.expectTone(phone.listener.sound(after: spoke), rate: 8000, hertz: 700, seconds: 2)
        gateway.run(for: .seconds(1))
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test(arguments: [true, false]) func anAgentMayLeaveAsSoonAsItGaveTheCallAway(_ drains: Bool) throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway)
        let callee = gateway.callee()
        callee.reactions = [(.milliseconds(10), .progress(180)), (.seconds(2), .answer)]
        let spoke = gateway.now
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 1, rate: 8000))
        agent.post(#"{"event":"transfer","id":2,"to":"+15550001111","drain":\#(drains)}"#)
        agent.cut(code: 1000)
        #expect(gateway.run(for: .seconds(5)) { callee.acknowledged })
        // Before the signs of life that follow it.
        let said = Array(phone.listener.sound(after: spoke).prefix(9600))
        if drains { SoundBothWaysTests.expectTone(said, rate: 8000, hertz: 700, seconds: 1) }
        BridgeTests.expectTones(gateway, phone.speaker, callee.listener, limit: 41, snr: 30)
        callee.hangUp()
        gateway.run(for: .milliseconds(600))
        #expect(phone.byeAt != nil)
        EndOfCallTests.expectNothingLeft(gateway)
    }

    /// What an agent says that was told to stop is said of a call it has no more.
    @Test(arguments: [#"{"event":"hangup","id":9}"#, #"{"event":"transfer","id":9,"to":"+15550001111"}"#])
    func anAgentThatIsReplacedHasNothingToSay(_ word: String) throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway)
        let callee = gateway.callee()
        agent.post(#"{"event":"transfer","id":2,"to":"standby"}"#)
        #expect(gateway.run(for: .seconds(2)) { !agent.events("stop").isEmpty })
        agent.post(word)
        gateway.run(for: .seconds(3))
        #expect(phone.byeAt == nil && callee.invites.isEmpty && gateway.agent?.name == "standby" && gateway.agent?.isUp == true)
    }

    /// Another conversation counts its commands anew.
    @Test func theCommandsOfANewConversationAreNoRepetitions() throws {
        let gateway = VirtualGateway()
        let (_, agent) = try phone(gateway)
        agent.post(#"{"event":"mark","id":50,"name":"old"}"#)
        agent.comeBack = #"{"event":"accept","id":1,"resumed":false}"#
        agent.cut()
        gateway.run(for: .seconds(1))
        agent.comeBack = #"{"event":"accept","id":2,"resumed":true,"caller_pts":{pts},"last_seq":{seq}}"#
        agent.cut()
        gateway.run(for: .seconds(1))
        #expect(agent.events("resume").last?["last_id"] as? Int == 1)
        agent.post(#"{"event":"mark","id":3,"name":"new"}"#)
        #expect(agent.events("mark").last?["name"] as? String == "new")
    }

    @Test func keysGoOutAndPlayoutCanBeFrozen() throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway)
        agent.post(#"{"event":"dtmf","id":2,"digits":"12,3"}"#)
        gateway.run(for: .seconds(2))
        #expect(BridgedDigitTests.keys(phone.listener, type: 101, step: 160) == [1, 2, 3])
        AgentFailureTests.expectOneAxis(phone.listener)
        let spoke = gateway.now
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 2, rate: 8000))
        gateway.run(for: .seconds(1))
        agent.post(#"{"event":"pause","id":3}"#)
        gateway.run(for: .milliseconds(100))
        let paused = gateway.now
        gateway.run(for: .seconds(1))
        #expect(phone.listener.firstSound(after: paused) == nil)
        agent.post(#"{"event":"continue","id":4}"#)
        agent.post(#"{"event":"mark","id":5,"name":"end"}"#)
        gateway.run(for: .seconds(2))
        #expect(phone.listener.firstSound(after: paused) != nil)
        #expect(agent.events("mark").last?["heard_pts"] as? Int == 16_000)
        #expect(spoke < paused)
    }

    @Test func textsGoBothWays() throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway)
        phone.inform("text/plain;charset=utf-8", "hello")
        phone.inform("application/dtmf-relay", "Signal=7\r\nDuration=100")
        gateway.run(for: .milliseconds(100))
        let text = try #require(agent.events("message").last)
        #expect(text["body"] as? String == "hello" && text["content_type"] as? String == "text/plain;charset=utf-8")
        #expect(agent.events("dtmf").last?["source"] as? String == "info" && agent.events("message").count == 1)

        let browser = gateway.browser()
        browser.call("native")
        #expect(gateway.run(for: .seconds(2)) { (gateway.native?.nextPTS ?? 0) > 0 })
        try #require(gateway.native).post(#"{"event":"message","id":2,"content_type":"application/json","body":"{}"}"#)
        gateway.run(for: .milliseconds(100))
        #expect(browser.events.contains(.message(CallMessage(contentType: "application/json", body: "{}"))))
    }

    @Test(arguments: [
        ("application/dtmf-relay", "Signal= 10\r\nDuration= 160\r\n", "*"), ("application/dtmf-relay", "Signal=#", "#"),
        ("application/dtmf", "11", "#"), ("application/dtmf", "12\r\n", "A"), ("application/dtmf", "0", "0"),
        ("application/dtmf-relay", "Signal=16", nil),
    ] as [(String, String, String?)]) func keysByInfoComeAsTheyAreOrAsCodes(_ contentType: String, _ body: String, _ key: String?) throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway)
        phone.inform(contentType, body)
        gateway.run(for: .milliseconds(100))
        #expect(agent.events("dtmf").last?["digit"] as? String == key)
    }

    @Test(arguments: [
        ("{", 4400), (#"["event"]"#, 4400),
    ]) func whatIsNoMessageEndsTheConversation(_ text: String, _ code: UInt16) throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway)
        agent.post(text)
        #expect(agent.socket?.closeCode == code)
        gateway.run(for: .seconds(1))
        #expect(gateway.agent?.name == "standby" && phone.byeAt == nil)
    }

    @Test func aJumpOfTheClockMustBeAnnounced() throws {
        let gateway = VirtualGateway()
        let (_, agent) = try phone(gateway)
        agent.say([1, 2], pts: 0)
        agent.say([1, 2], flags: 1, pts: 5000)
        #expect(agent.socket?.closeCode == nil)
        agent.say([1, 2], pts: 9000)
        #expect(agent.socket?.closeCode == 4400)
    }

    @Test(arguments: [
        (#"{"event":"sing","id":9}"#, "unknown_event"), (#"{"event":"mark","id":9}"#, "bad_field"),
        (#"{"event":"mark","id":9,"name":5}"#, "bad_field"), (#"{"event":"clear","id":9}"#, "bad_field"),
        (#"{"event":"dtmf","id":9,"digits":"1x"}"#, "bad_field"), (#"{"event":"dtmf","id":9,"digits":"1","gap_ms":9223372036854775807}"#, "bad_field"),
        (#"{"event":"accept","id":9}"#, "not_allowed"),
        (#"{"event":"transfer","id":9,"to":"5","mode":"warm"}"#, "bad_field"), (#"{"event":"transfer","id":9,"mode":"refer"}"#, "bad_field"),
    ]) func whatCannotBeDoneIsSaid(_ text: String, _ code: String) throws {
        let gateway = VirtualGateway()
        let (_, agent) = try phone(gateway)
        agent.post(text)
        let error = try #require(agent.events("error").last)
        #expect(error["code"] as? String == code && error["re"] as? Int == 9 && error["fatal"] as? Bool == false)
        #expect(agent.socket?.closeCode == nil)
    }
}
