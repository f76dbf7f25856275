import NIOCore
import TestKit
import Testing

@testable import Gateway

/// What callers hear before an answer: the far end itself, or a ringing tone of ours.
@Suite struct EarlyMediaTests {
    private static let announcement = SoundMaterial.tone(hertz: 600, seconds: 1, rate: 8000)

    @Test(arguments: [183, 180]) func aPhoneHearsTheCalleeBeforeItsAnswer(_ status: Int) throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        let callee = gateway.callee()
        callee.reactions = [(.milliseconds(10), .progress(status, early: true)), (.seconds(3), .answer)]
        phone.call(BridgeTests.number)
        gateway.run(for: .milliseconds(300))
        #expect(phone.statuses == [100, 183] + (status == 180 ? [180] : []))
        // Both ways: an announcement may ask for keys.
        BridgeTests.expectTones(gateway, callee.speaker, phone.listener, limit: 41, snr: 30)
        #expect(!phone.isAnswered)
        #expect(callee.listener.audioPackets.count > 50)
        #expect(gateway.run(for: .seconds(3)) { phone.isAnswered })
        gateway.run(for: .milliseconds(300))
        BridgeTests.expectTones(gateway, phone.speaker, callee.listener, limit: 41, snr: 30)
        AgentFailureTests.expectOneAxis(phone.listener)
        AgentFailureTests.expectOneAxis(callee.listener)
    }

    @Test func aBrowserHearsTheCalleeBeforeItsAnswer() throws {
        let gateway = VirtualGateway()
        let browser = gateway.browser()
        let callee = gateway.callee()
        callee.reactions = [(.milliseconds(10), .progress(183, early: true)), (.seconds(4), .answer)]
        browser.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(1)) { browser.isConnected })
        BridgeTests.expectTones(gateway, callee.speaker, browser.listener, limit: 41, snr: 20)
        #expect(browser.events.isEmpty)
        #expect(gateway.run(for: .seconds(3)) { browser.events == [.connected] })
        AgentFailureTests.expectOneAxis(browser.listener)
    }

    @Test func aBrowserHearsRingingUntilTheAnswer() throws {
        let gateway = VirtualGateway()
        let browser = gateway.browser()
        let callee = gateway.callee()
        callee.reactions = [(.milliseconds(10), .progress(180)), (.seconds(6), .answer)]
        browser.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(1)) { browser.isConnected })
        let ringing = gateway.now
        gateway.run(for: .milliseconds(4500))
        #expect(browser.events == [.ringing])
        // One second of 425 Hz, then four of silence.
        SoundBothWaysTests.expectTone(browser.listener.sound(after: ringing), rate: 48000, hertz: 425, seconds: 1, snr: 20)
        #expect(gateway.run(for: .seconds(3)) { browser.events == [.ringing, .connected] })
        gateway.run(for: .milliseconds(200))
        let answered = gateway.now
        gateway.run(for: .seconds(6))
        #expect(browser.listener.firstSound(after: answered) == nil)
        BridgeTests.expectTones(gateway, callee.speaker, browser.listener, limit: 41, snr: 20)
        AgentFailureTests.expectOneAxis(browser.listener)
    }

    @Test func earlyMediaSilencesTheRinging() throws {
        let gateway = VirtualGateway()
        let browser = gateway.browser()
        let callee = gateway.callee()
        callee.reactions = [(.milliseconds(10), .progress(180)), (.seconds(1), .progress(183, early: true)), (.seconds(9), .answer)]
        browser.call(BridgeTests.number)
        gateway.run(for: .milliseconds(1200))
        let early = gateway.now
        gateway.run(for: .seconds(5))
        #expect(browser.listener.firstSound(after: early) == nil)
        BridgeTests.expectTones(gateway, callee.speaker, browser.listener, limit: 41, snr: 20)
    }

    @Test func aPhoneThatOfferedNothingHearsNothingEarlyAndStillTalks() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        let callee = gateway.callee()
        callee.reactions = [(.milliseconds(10), .progress(183, early: true)), (.milliseconds(500), .answer)]
        phone.offersLate = true
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered })
        #expect(phone.statuses == [100, 200])
        gateway.run(for: .milliseconds(500))
        BridgeTests.expectTones(gateway, callee.speaker, phone.listener, limit: 41, snr: 30)
    }
}
