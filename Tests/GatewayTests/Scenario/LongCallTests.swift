import NIOCore
import RTP
import TestKit
import Testing

@testable import Gateway

/// A call beyond 65,536 packets each way: sequence numbers wrap, SRTP counts the wraps, and nobody notices.
@Suite struct LongCallTests {
    @Test(arguments: SRTPProfile.allCases) func sequenceNumbersWrapBothWays(_ profile: SRTPProfile) throws {
        let gateway = VirtualGateway()
        let browser = gateway.browser(.init(profiles: [profile], codec: "pcmu"))
        browser.call("echo")
        #expect(gateway.run(for: .seconds(2)) { !browser.listener.packets.isEmpty })
        #expect(browser.srtpProfile == profile)
        // G.711, whose payloads the echo returns as they came, eight frames at a time: no time goes into codecs.
        browser.listener.decodes = false
        browser.speaker.canned = [UInt8](repeating: 0xFF, count: 160)
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
        browser.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 8000))
        gateway.run(for: .seconds(2))
        SoundBothWaysTests.expectTone(browser.listener.sound, rate: 8000, hertz: 1000, seconds: 1)
    }
}
