import NIOCore
import RTP
import TestKit
import Testing
import Transcode

@testable import Gateway

/// What happens on one leg stays there: no signalling, no break of source, sequence or time on the other.
@Suite struct LegIsolationTests {
    @Test(arguments: ["sendonly", "inactive"]) func holdAndResume(_ direction: String) throws {
        let gateway = VirtualGateway()
        let (phone, callee) = (gateway.phone(), gateway.callee())
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(2)) { callee.acknowledged })
        gateway.run(for: .seconds(1))
        for (holder, other) in [(callee, phone), (phone, callee)] {
            let (messages, packets) = (other.messageCount, other.listener.audioPackets.count)
            holder.direction = direction
            holder.reinvite()
            gateway.run(for: .seconds(5))
            #expect(other.messageCount == messages)
            // The other one hears silence, packet by packet; the break before it begins is short.
            #expect((230...251).contains(other.listener.audioPackets.count - packets))
            holder.direction = "sendrecv"
            holder.reinvite()
            gateway.run(for: .milliseconds(500))
            #expect(other.messageCount == messages)
            BridgeTests.expectTones(gateway, holder.speaker, other.listener, limit: 41, snr: 30)
            BridgeTests.expectTones(gateway, other.speaker, holder.listener, limit: 41, snr: 30)
        }
        AgentFailureTests.expectOneAxis(phone.listener)
        AgentFailureTests.expectOneAxis(callee.listener)
        #expect(phone.byeAt == nil && callee.byeAt == nil)
    }

    @Test func aHeldBrowserHearsNothingBreak() throws {
        let gateway = VirtualGateway()
        let (browser, callee) = (gateway.browser(), gateway.callee())
        browser.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(2)) { callee.acknowledged && browser.isConnected })
        gateway.run(for: .seconds(1))
        callee.direction = "inactive"
        callee.reinvite()
        gateway.run(for: .seconds(70))
        #expect(browser.end == nil)
        callee.direction = "sendrecv"
        callee.reinvite()
        gateway.run(for: .milliseconds(500))
        BridgeTests.expectTones(gateway, callee.speaker, browser.listener, limit: 41, snr: 20)
        BridgeTests.expectTones(gateway, browser.speaker, callee.listener, limit: 41, snr: 20)
        AgentFailureTests.expectOneAxis(browser.listener)
        AgentFailureTests.expectOneAxis(callee.listener)
    }

    /// The carrier never sees a dead stream, whatever the other side sends or does not.
    @Test func silenceIsFilled() throws {
        let gateway = VirtualGateway()
        let (browser, callee) = (gateway.browser(), gateway.callee())
        browser.sendsMedia = false
        browser.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(2)) { callee.acknowledged && browser.isConnected })
        gateway.run(for: .milliseconds(500))
        let before = callee.listener.audioPackets.count
        #expect(before > 10)
        gateway.run(for: .seconds(10))
        #expect((498...501).contains(callee.listener.audioPackets.count - before))
        #expect(callee.listener.firstSound() == nil)
        browser.sendsMedia = true
        browser.speaker.usesDTX = true
        gateway.run(for: .seconds(1))
        BridgeTests.expectTones(gateway, browser.speaker, callee.listener, limit: 41, snr: 20)
        AgentFailureTests.expectOneAxis(callee.listener)
    }

    /// A byte that G.711 decodes and encodes to another one proves that nothing was transcoded.
    @Test func theSameCodecIsRelayedBitByBit() throws {
        let gateway = VirtualGateway()
        let (phone, callee) = (gateway.phone(), gateway.callee())
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(2)) { callee.acknowledged })
        let there = (0..<160).map { UInt8(truncatingIfNeeded: 0x7F &+ $0 &* 7) }
        let back = (0..<160).map { UInt8(truncatingIfNeeded: 0x7F &+ $0 &* 11) }
        phone.speaker.canned = there
        callee.speaker.canned = back
        gateway.run(for: .milliseconds(200))
        let start = gateway.now
        gateway.run(for: .seconds(2))
        for (listener, payload) in [(callee.listener, there), (phone.listener, back)] {
            let packets = listener.audioPackets.filter { $0.at > start }
            #expect(packets.count >= 99)
            #expect(packets.allSatisfy { $0.payload == payload })
        }
    }

    @Test func lossOnOneLegIsConcealedTowardTheOther() throws {
        let gateway = VirtualGateway()
        let (phone, callee) = (gateway.phone(), gateway.callee())
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(2)) { callee.acknowledged })
        gateway.run(for: .seconds(1))
        phone.uplink.loss = .independent(0.05)
        callee.uplink.loss = .independent(0.05)
        for (speaker, listener) in [(phone.speaker, callee.listener), (callee.speaker, phone.listener)] {
            let said = gateway.now
            speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 4, rate: 8000))
            gateway.run(for: .milliseconds(4500))
            let report = ToneMeter.analyse(listener.sound(after: said), rate: 8000, expectedHz: 1000)
            #expect(abs(report.frequency - 1000) < 2)
            #expect(report.longestGap <= 40)
        }
        AgentFailureTests.expectOneAxis(phone.listener)
        AgentFailureTests.expectOneAxis(callee.listener)
    }

    /// Past 65,536 packets each way: sequence numbers wrap on both legs, SRTP counts the wraps of one.
    @Test(arguments: SRTPProfile.allCases) func longCalls(_ profile: SRTPProfile) throws {
        let gateway = VirtualGateway()
        let browser = gateway.browser(.init(profiles: [profile], codec: "pcmu"))
        let callee = gateway.callee()
        browser.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(2)) { callee.acknowledged && browser.isConnected })
        let silence = [UInt8](repeating: 0xFF, count: 160)
        for listener in [browser.listener, callee.listener] { listener.decodes = false }
        browser.speaker.canned = silence
        callee.speaker.canned = silence
        gateway.turn = .milliseconds(160)
        gateway.run(for: .seconds(1315))
        #expect(browser.undecryptable == 0)
        for listener in [browser.listener, callee.listener] {
            #expect(listener.audioPackets.count > 65_700)
            AgentFailureTests.expectOneAxis(listener)
        }
        let figures = try #require(gateway.call()?.currentFigures)
        #expect(figures.caller.forged == 0)
        #expect(figures.caller.rtp.lost == 0)
        #expect(figures.callee?.rtp.packetsReceived ?? 0 > 65_700)

        gateway.turn = .milliseconds(1)
        for listener in [browser.listener, callee.listener] {
            listener.decodes = true
            listener.forget()
        }
        browser.speaker.canned = nil
        callee.speaker.canned = nil
        BridgeTests.expectTones(gateway, browser.speaker, callee.listener, limit: 41, snr: 30)
        BridgeTests.expectTones(gateway, callee.speaker, browser.listener, limit: 41, snr: 30)
    }
}
