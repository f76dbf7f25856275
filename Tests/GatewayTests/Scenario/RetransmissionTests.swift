import NIOCore
import RTP
import TestKit
import Testing

@testable import Gateway

/// Lost packets that are asked for and sent again (RFC 4585), with a browser that offers it.
@Suite struct RetransmissionTests {
    /// A call to the assistant over a way of so many milliseconds each direction, and its round trip measured.
    private static func call(_ gateway: VirtualGateway, oneWay: Int64, offers: Bool = true) throws -> (FakeBrowser, FakeAgent) {
        var options = FakeBrowser.Options()
        options.sendsReports = true
        options.retransmission = offers
        let browser = gateway.browser(options)
        browser.uplink.delay = .milliseconds(oneWay)
        browser.downlink.delay = .milliseconds(oneWay)
        browser.call("assistant")
        #expect(gateway.run(for: .seconds(3)) { gateway.agent?.media.isEmpty == false })
        #expect(browser.answer.contains("a=rtcp-fb:111 nack") == offers)
        gateway.run(for: .seconds(12))
        let figures = try #require(gateway.call()?.caller?.figures)
        #expect(figures.rtp.roundTripMilliseconds != nil)
        return (browser, try #require(gateway.agent))
    }

    @Test func whatABrowserLosesOfItsSoundComesAgain() throws {
        let gateway = VirtualGateway()
        let (browser, agent) = try Self.call(gateway, oneWay: 12)
        browser.uplink.loss = .independent(0.05)
        let before = agent.audio.count
        browser.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 8, rate: 48000))
        gateway.run(for: .seconds(9))
        let figures = try #require(gateway.call()?.caller?.figures)
        // One in twenty requests and answers is lost too.
        #expect(figures.rtp.retransmitted >= 12)
        #expect(figures.inbound.recovered <= 4)
        SoundBothWaysTests.expectGapFree(agent)
        let report = ToneMeter.analyse(Array(agent.audio[before...]), rate: 8000, expectedHz: 1000)
        #expect(abs(report.frequency - 1000) < 0.5)
        #expect(report.gaps.isEmpty)
    }

    @Test func whatABrowserMissesIsSentAgain() throws {
        let gateway = VirtualGateway()
        let (browser, agent) = try Self.call(gateway, oneWay: 12)
        browser.asksAgain = true
        browser.downlink.loss = .independent(0.05)
        browser.listener.forget()
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 8, rate: 8000))
        gateway.run(for: .seconds(9))
        let sequences = browser.listener.audioPackets.map(\.sequence)
        let figures = try #require(gateway.call()?.caller?.figures)
        #expect(figures.rtp.resent >= 12)
        let first = try #require(sequences.first)
        let places = Set(sequences.map { Int($0 &- first) })
        #expect(places.count >= (places.max() ?? 0) + 1 - 6)
        #expect(browser.undecryptable == 0)
    }

    @Test(arguments: [(40, true), (12, false)]) func elsewhereLossIsConcealedAsEver(_ oneWay: Int64, _ offers: Bool) throws {
        let gateway = VirtualGateway()
        let (browser, agent) = try Self.call(gateway, oneWay: oneWay, offers: offers)
        browser.uplink.loss = .independent(0.05)
        gateway.run(for: .seconds(5))
        let figures = try #require(gateway.call()?.caller?.figures)
        #expect(figures.rtp.retransmitted == 0)
        #expect(figures.rtp.reorderingWait == .zero)
        SoundBothWaysTests.expectGapFree(agent)
    }
}
