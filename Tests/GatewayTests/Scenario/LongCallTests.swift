import NIOCore
import RTP
import TestKit
import Testing

@testable import Gateway

/// A call beyond 65,536 packets each way: sequence numbers wrap, SRTP counts the wraps, and nobody notices.
@Suite struct LongCallTests {
    @Test(arguments: SRTPProfile.allCases) func sequenceNumbersWrapBothWays(_ profile: SRTPProfile) throws {
        let gateway = VirtualGateway(complexity: 0)
        let browser = gateway.browser(.init(profiles: [profile]))
        browser.call("echo")
        #expect(gateway.run(for: .seconds(2)) { !browser.listener.packets.isEmpty })
        #expect(browser.srtpProfile == profile)
        // Silence that needs no encoder on the browser's side, eight frames at a time: nothing here depends on the pace.
        browser.listener.decodes = false
        browser.speaker.canned = [0xF8, 0xFF, 0xFE]
        gateway.turn = .milliseconds(160)
        gateway.run(for: .seconds(1315))

        #expect(browser.undecryptable == 0)
        #expect(browser.listener.audioPackets.count > 65_700)
        AgentFailureTests.expectOneAxis(browser.listener)
        let figures = try #require(gateway.call()?.caller?.figures)
        #expect(figures.forged == 0)
        #expect(figures.rtp.lost == 0)
        #expect(figures.rtp.packetsReceived > 65_700)

        // And it still sounds.
        gateway.turn = .milliseconds(1)
        browser.listener.decodes = true
        browser.listener.forget()
        browser.speaker.canned = nil
        browser.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 48000))
        gateway.run(for: .seconds(2))
        SoundBothWaysTests.expectTone(browser.listener.sound, rate: 48000, hertz: 1000, seconds: 1, snr: 20)
    }
}
