import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Packets that come in order but late, in bunches: an agent does not play sound out, so it hears all of them.
@Suite struct InOrderJitterTests {
    /// A call with an agent, over whose network packets are up to `jitter` late.
    private struct Call {
        let gateway = VirtualGateway()
        let peer: VirtualPeer
        let speaker: Speaker
        let agent: FakeAgent

        init(_ kind: MarksAndClearTests.Kind, jitter: Int64) throws {
            switch kind {
            case .phone:
                let phone = gateway.phone()
                phone.call("assistant")
                (peer, speaker) = (phone, phone.speaker)
                phone.listener.decodes = false
            case .browser:
                let browser = gateway.browser()
                browser.call("assistant")
                (peer, speaker) = (browser, browser.speaker)
                browser.listener.decodes = false
            }
            let gateway = gateway
            let isHeard = gateway.run(for: .seconds(3)) { gateway.agent?.media.isEmpty == false }
            #expect(isHeard)
            agent = try #require(gateway.agent)
            peer.uplink.jitter = .milliseconds(jitter)
        }

        var inbound: InboundStream.Counters { get throws { try #require(gateway.call()?.caller?.figures.inbound) } }
    }

    @Test(arguments: [100, 150], MarksAndClearTests.Kind.allCases)
    func anAgentHearsWhatIsLate(_ jitter: Int64, _ kind: MarksAndClearTests.Kind) throws {
        let call = try Call(kind, jitter: jitter)
        call.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 14, rate: call.speaker.rate))
        // The first seconds teach the wait.
        call.gateway.run(for: .seconds(4))
        let (heard, earlier) = (call.agent.audio.count, try call.inbound)
        call.gateway.run(for: .seconds(9))
        let counters = try call.inbound
        let madeUp = counters.concealedMilliseconds + counters.filledMilliseconds
            - earlier.concealedMilliseconds - earlier.filledMilliseconds
        #expect(madeUp < 90 && (counters.tooLate - earlier.tooLate) * 20 < 90, "\(madeUp) ms made up, \(counters)")
        SoundBothWaysTests.expectGapFree(call.agent)
        let sound = Array(call.agent.audio[heard...])
        #expect(abs(sound.count / 8 - 9000) <= Int(jitter) + 20)
        let report = ToneMeter.analyse(sound, rate: 8000, expectedHz: 1000)
        #expect(abs(report.frequency - 1000) < 1 && report.longestGap < 21)
    }

    /// Packets that are here go on at once, whatever was learnt.
    @Test func whatWasLearntDelaysNothing() throws {
        let call = try Call(.phone, jitter: 100)
        call.gateway.run(for: .seconds(5))
        call.peer.uplink.jitter = .milliseconds(0)
        call.gateway.run(for: .milliseconds(500))
        call.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 0.2, rate: 8000))
        let (said, first) = (call.gateway.now, call.agent.audio.count)
        call.gateway.run(for: .seconds(1))
        let place = try #require(call.agent.audio[first...].firstIndex { abs(Int($0)) > 1000 })
        #expect(call.agent.media[place / 160].at - said <= .milliseconds(41))
    }

    /// Where packets are lost in runs and others come late, those that come are not left out for what was made up before them, and
    /// waiting for lost ones puts nothing in: what was lost is made up, and nothing else.
    @Test(arguments: [1, 2, 3]) func lostRunsTakeNothingElseAlong(_ seed: Int64) throws {
        let call = try Call(.phone, jitter: 40)
        call.gateway.run(for: .seconds(4 + seed))
        call.peer.uplink.jitterReorders = true
        call.peer.uplink.loss = .bursts(toBad: 0.037, toGood: 0.333, lossInGood: 0, lossInBad: 1)
        call.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 62, rate: call.speaker.rate))
        let (lost, earlier) = (call.peer.uplink.lost, try call.inbound)
        call.gateway.run(for: .seconds(60))
        let counters = try call.inbound
        let lostMilliseconds = (call.peer.uplink.lost - lost) * 20
        let madeUp = counters.concealedMilliseconds + counters.filledMilliseconds
            - earlier.concealedMilliseconds - earlier.filledMilliseconds
        let leftOut = (counters.tooLate - earlier.tooLate) * 20
        #expect(lostMilliseconds > 3000)
        #expect(leftOut == 0 && madeUp <= lostMilliseconds + 20, "\(lostMilliseconds) ms lost, \(madeUp) made up, \(leftOut) left out")
        SoundBothWaysTests.expectGapFree(call.agent)
    }
}
