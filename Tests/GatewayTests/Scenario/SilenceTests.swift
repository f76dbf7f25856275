import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Whatever a caller leaves out, on purpose or not, an agent gets 50 frames a second.
@Suite struct SilenceTests {
    /// Frames as wall time has it, give or take 60 ms, and numbered without a hole.
    private func expectWallTime(
        _ agent: FakeAgent, since: NIODeadline, from count: Int, now: NIODeadline, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let due = Double((now - since).nanoseconds) / 20e6
        #expect(abs(Double(agent.media.count - count) - due) <= 4, sourceLocation: sourceLocation)
        SoundBothWaysTests.expectGapFree(agent, sourceLocation: sourceLocation)
    }

    private func phoneCall(_ gateway: VirtualGateway) throws -> (FakeTrunk, FakeAgent) {
        let phone = gateway.phone()
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.media.isEmpty == false })
        return (phone, try #require(gateway.agent))
    }

    private func browserCall(_ gateway: VirtualGateway) throws -> (FakeBrowser, FakeAgent) {
        let browser = gateway.browser()
        browser.call("assistant")
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.media.isEmpty == false })
        return (browser, try #require(gateway.agent))
    }

    @Test(arguments: [("sendonly", "a=recvonly"), ("inactive", "a=inactive")])
    func holdAndResume(_ direction: String, _ answered: String) throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phoneCall(gateway)
        let (start, count) = (gateway.now, agent.media.count)
        gateway.run(for: .seconds(1))
        phone.direction = direction
        phone.reinvite()
        gateway.run(for: .milliseconds(100))
        #expect(phone.answeredDirection == answered)
        let heldPackets = phone.listener.audioPackets.count
        agent.say(SoundMaterial.tone(hertz: 800, seconds: 1, rate: 8000))
        gateway.run(for: .seconds(4))
        #expect(phone.listener.audioPackets.count == heldPackets)
        expectWallTime(agent, since: start, from: count, now: gateway.now)

        phone.direction = "sendrecv"
        phone.reinvite()
        gateway.run(for: .milliseconds(100))
        #expect(phone.answeredDirection == "a=sendrecv")
        let resumed = gateway.now
        let before = agent.audio.count
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 2, rate: 8000))
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 2, rate: 8000))
        gateway.run(for: .seconds(3))
        SoundBothWaysTests.expectTone(Array(agent.audio[before...]), rate: 8000, hertz: 1000, seconds: 2)
        SoundBothWaysTests.expectTone(phone.listener.sound(after: resumed), rate: 8000, hertz: 700, seconds: 2)
        expectWallTime(agent, since: start, from: count, now: gateway.now)
        AgentFailureTests.expectOneAxis(phone.listener)
    }

    @Test func discontinuousTransmissionIsFilled() throws {
        let gateway = VirtualGateway()
        let (browser, agent) = try browserCall(gateway)
        let (start, count) = (gateway.now, agent.media.count)
        browser.speaker.usesDTX = true
        for _ in 0..<3 {
            gateway.run(for: .seconds(2))
            browser.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 48000))
            gateway.run(for: .seconds(1))
        }
        gateway.run(for: .seconds(1))
        expectWallTime(agent, since: start, from: count, now: gateway.now)
        let report = ToneMeter.analyse(agent.audio, rate: 8000, expectedHz: 1000)
        #expect(report.gaps.count == 2)
        #expect(report.gaps.allSatisfy { abs($0.length - 2000) < 60 }, "\(report.gaps)")
        let counters = try #require(gateway.call()?.caller?.figures)
        #expect(counters.rtp.lost == 0)
        #expect(counters.inbound.concealedMilliseconds == 0)
    }

    @Test(arguments: [false, true]) func aMutedMicrophoneIsFilled(_ clockStandsStill: Bool) throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phoneCall(gateway)
        let (start, count) = (gateway.now, agent.media.count)
        for _ in 0..<2 {
            if clockStandsStill { phone.speaker.isPaused = true } else { phone.sendsMedia = false }
            gateway.run(for: .seconds(3))
            phone.speaker.isPaused = false
            phone.sendsMedia = true
            gateway.run(for: .milliseconds(500))
            let before = agent.audio.count
            phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 8000))
            gateway.run(for: .seconds(2))
            SoundBothWaysTests.expectTone(Array(agent.audio[before...]), rate: 8000, hertz: 1000, seconds: 1)
        }
        expectWallTime(agent, since: start, from: count, now: gateway.now)
    }

    @Test(arguments: MarksAndClearTests.Kind.allCases) func whatAStallHeldBackIsNotReplayed(_ kind: MarksAndClearTests.Kind) throws {
        let gateway = VirtualGateway()
        let peer: VirtualPeer
        let agent: FakeAgent
        let speaker: Speaker
        switch kind {
        case .phone:
            let (phone, its) = try phoneCall(gateway)
            (peer, agent, speaker) = (phone, its, phone.speaker)
        case .browser:
            let (browser, its) = try browserCall(gateway)
            (peer, agent, speaker) = (browser, its, browser.speaker)
        }
        let (start, count) = (gateway.now, agent.media.count)
        gateway.run(for: .seconds(1))
        peer.isStalled = true
        gateway.run(for: .seconds(2))
        peer.isStalled = false
        gateway.run(for: .milliseconds(500))
        expectWallTime(agent, since: start, from: count, now: gateway.now)
        let counters = try #require(gateway.call()?.caller?.figures.inbound)
        #expect(counters.tooLate > 60)
        // No delay is left behind.
        let said = gateway.now
        let before = agent.audio.count
        speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: speaker.rate))
        gateway.run(for: .seconds(2))
        SoundBothWaysTests.expectTone(Array(agent.audio[before...]), rate: 8000, hertz: 1000, seconds: 1, snr: 20)
        let place = try #require(agent.audio[before...].firstIndex { abs(Int($0)) > 200 })
        #expect(agent.media[place / 160].at - said <= .milliseconds(100))
    }

    @Test(arguments: [200.0, -200]) func aWrongClockIsHeldToWallTime(_ partsPerMillion: Double) throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phoneCall(gateway)
        phone.speaker.clockError = partsPerMillion
        agent.isBrief = true
        phone.listener.decodes = false
        gateway.turn = .milliseconds(10)
        let (start, count) = (gateway.now, agent.mediaCount)
        var worst = 0.0
        for _ in 0..<600 {
            gateway.run(for: .seconds(1))
            let due = Double((gateway.now - start).nanoseconds) / 20e6
            worst = max(worst, abs(Double(agent.mediaCount - count) - due))
        }
        // Three frames are 60 ms; one more may be on its way.
        #expect(worst <= 4)
    }
}
