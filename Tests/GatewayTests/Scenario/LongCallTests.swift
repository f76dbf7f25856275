import NIOCore
import RTP
import TestKit
import Testing

@testable import Gateway

/// A call beyond 65,536 packets each way: sequence numbers wrap, SRTP counts the wraps, and nobody notices.
@Suite struct LongCallTests {
    @Test(arguments: SRTPProfile.allCases) func sequenceNumbersWrapBothWays(_ profile: SRTPProfile) throws {
        let gateway = VirtualGateway()
        let browser = gateway.browser(.init(profiles: [profile]))
        browser.call("assistant")
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.media.isEmpty == false })
        #expect(browser.srtpProfile == profile)
        let agent = try #require(gateway.agent)
        agent.isBrief = true
        browser.listener.decodes = false
        gateway.turn = .milliseconds(20)
        gateway.run(for: .seconds(1320))

        #expect(browser.undecryptable == 0)
        #expect(browser.listener.audioPackets.count > 65_600)
        AgentFailureTests.expectOneAxis(browser.listener)
        let figures = try #require(gateway.call()?.caller?.figures)
        #expect(figures.forged == 0)
        #expect(figures.rtp.lost == 0)
        #expect(figures.rtp.packetsReceived > 65_600)
        #expect(agent.mediaCount > 65_600)

        // And it still sounds.
        gateway.turn = .milliseconds(1)
        agent.isBrief = false
        browser.listener.decodes = true
        browser.listener.forget()
        let before = agent.audio.count
        browser.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 48000))
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 1, rate: 8000))
        gateway.run(for: .seconds(2))
        SoundBothWaysTests.expectTone(Array(agent.audio[before...]), rate: 8000, hertz: 1000, seconds: 1, snr: 20)
        SoundBothWaysTests.expectTone(browser.listener.sound, rate: 48000, hertz: 700, seconds: 1, snr: 20)
    }
}
