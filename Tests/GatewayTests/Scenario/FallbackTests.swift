import NIOCore
import TestKit
import Testing

@testable import Gateway

/// From step to step: agents, trunks and files follow each other in one call.
@Suite struct FallbackTests {
    @Test func anAgentThatDiesIsFollowedByAPerson() throws {
        let gateway = VirtualGateway()
        let (phone, callee) = (gateway.phone(), gateway.callee())
        phone.call("person")
        gateway.run(for: .seconds(1))
        let agent = try #require(gateway.agent)
        agent.hangUp(code: nil)
        #expect(gateway.run(for: .seconds(2)) { callee.acknowledged })
        gateway.run(for: .milliseconds(500))
        BridgeTests.expectTones(gateway, phone.speaker, callee.listener, limit: 41, snr: 30)
        BridgeTests.expectTones(gateway, callee.speaker, phone.listener, limit: 41, snr: 30)
        AgentFailureTests.expectOneAxis(phone.listener)
        #expect(phone.statuses == [100, 180, 200])
        callee.hangUp()
        gateway.run(for: .milliseconds(50))
        #expect(phone.byeAt != nil)
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func anAnsweredCallerHearsTheNextFarEndRing() throws {
        let gateway = VirtualGateway()
        let (phone, callee) = (gateway.phone(), gateway.callee())
        callee.reactions = [(.milliseconds(10), .progress(180)), (.seconds(4), .answer)]
        phone.call("person")
        gateway.run(for: .seconds(1))
        try #require(gateway.agent).hangUp(code: nil)
        let lost = gateway.now
        gateway.run(for: .seconds(3))
        SoundBothWaysTests.expectTone(phone.listener.sound(after: lost), rate: 8000, hertz: 425, seconds: 1)
        #expect(gateway.run(for: .seconds(2)) { callee.acknowledged })
    }

    @Test func aBusyTrunkIsFollowedByAnAgent() throws {
        let gateway = VirtualGateway()
        let (phone, callee) = (gateway.phone(), gateway.callee())
        callee.reactions = [(.milliseconds(10), .progress(180)), (.milliseconds(200), .refuse(486))]
        phone.call("office")
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered })
        gateway.run(for: .seconds(1))
        #expect(gateway.agent?.name == "standby")
        #expect(gateway.agent?.media.count ?? 0 > 40)
        #expect(phone.statuses == [100, 180, 200])
        phone.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aFileIsPlayedAndTheCallEnds() throws {
        let path = try Self.file("goodbye", hertz: 700, rate: 16000)
        let gateway = VirtualGateway(plan: "routes: [{ name: closed, when: { to: closed }, do: [{ play: \(path) }] }]")
        let (phone, browser) = (gateway.phone(), gateway.browser())
        phone.call("closed")
        browser.call("closed")
        gateway.run(for: .seconds(4))
        #expect(phone.statuses == [100, 200])
        #expect(browser.events.first == .connected)
        SoundBothWaysTests.expectTone(phone.listener.sound, rate: 8000, hertz: 700, seconds: 2)
        SoundBothWaysTests.expectTone(browser.listener.sound, rate: 48000, hertz: 700, seconds: 2, snr: 20)
        #expect(phone.byeReason?.contains("cause=200") == true)
        #expect(browser.end?.reason == .calleeHangup)
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aFileMayComeBeforeAPersonAndAfterAFailure() throws {
        let path = try Self.file("welcome", hertz: 700, rate: 8000)
        let plan = """
            routes:
              - { name: welcome, when: { to: welcome }, do: [{ play: \(path) }, { trunk: carrier, to: "+15550001111" }] }
              - { name: sorry, when: { to: sorry }, do: [{ trunk: carrier, to: "+15550001111" }, { play: \(path) }] }
            """
        let gateway = VirtualGateway(plan: plan)
        let (phone, callee) = (gateway.phone(), gateway.callee())
        phone.call("welcome")
        #expect(gateway.run(for: .seconds(5)) { callee.acknowledged })
        gateway.run(for: .milliseconds(300))
        BridgeTests.expectTones(gateway, phone.speaker, callee.listener, limit: 41, snr: 30)
        phone.hangUp()
        gateway.run(for: .seconds(1))

        let other = gateway.phone()
        callee.reactions = [(.milliseconds(10), .refuse(404))]
        other.call("sorry")
        gateway.run(for: .seconds(4))
        #expect(other.statuses == [100, 200])
        #expect(other.byeReason?.contains("cause=404") == true)
        #expect(gateway.core.figures.ended == [.callerHangup: 1, .unreachable: 1])
    }

    @Test func aFileThatIsNotThereFailsOver() {
        let gateway = VirtualGateway(
            plan: "routes: [{ name: closed, when: { to: closed }, do: [{ play: /nowhere/at-all.wav }, { agent: assistant }] }]")
        let phone = gateway.phone()
        phone.call("closed")
        gateway.run(for: .seconds(1))
        #expect(phone.isAnswered)
        #expect(gateway.agent?.name == "assistant")
        #expect(gateway.log.count("a file cannot be played") == 1)
    }

    @Test func aRouteMayLimitItsMinutes() {
        let gateway = VirtualGateway(
            plan: "routes: [{ name: short, when: { to: short }, do: [{ trunk: carrier, to: \"+15550001111\" }], max_minutes: 1 }]")
        gateway.turn = .milliseconds(5)
        let (phone, callee) = (gateway.phone(), gateway.callee())
        phone.call("short")
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered })
        let answered = gateway.now
        #expect(gateway.run(for: .seconds(70)) { phone.byeAt != nil })
        #expect(gateway.now - answered >= .milliseconds(59_990) && gateway.now - answered <= .milliseconds(60_100))
        gateway.run(for: .milliseconds(100))
        #expect(callee.byeAt != nil)
        #expect(gateway.core.figures.ended == [.refused: 1])
        EndOfCallTests.expectNothingLeft(gateway)
    }

    private static func file(_ name: String, hertz: Double, rate: Int) throws -> String {
        let path = temporaryPath("tandem-\(name)-\(rate).wav")
        try WAVFile(rate: rate, samples: SoundMaterial.tone(hertz: hertz, seconds: 2, rate: rate)).write(to: path)
        return path
    }
}
