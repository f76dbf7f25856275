import NIOCore
import SDP
import TestKit
import Testing

@testable import Gateway

/// A re-INVITE that changes the codec or what is asked of it: the call goes on, at the rate that suits both sides then.
@Suite struct CodecChangeTests {
    /// Narrow to wide and back, toward a far end that speaks wideband: a phone, or a browser.
    @Test(arguments: [true, false]) func theBridgeFollowsAPhoneToAnotherBand(_ towardBrowser: Bool) throws {
        let gateway = VirtualGateway()
        let callee = gateway.callee()
        let (speaker, listener): (Speaker, Listener)
        if towardBrowser {
            let browser = gateway.browser()
            browser.call(BridgeTests.number)
            #expect(gateway.run(for: .seconds(3)) { callee.acknowledged && browser.events.last == .connected })
            (speaker, listener) = (browser.speaker, browser.listener)
        } else {
            let phone = gateway.phone(.init(codec: .opus))
            phone.call(BridgeTests.number)
            #expect(gateway.run(for: .seconds(3)) { phone.isAnswered && callee.acknowledged })
            (speaker, listener) = (phone.speaker, phone.listener)
        }
        gateway.run(for: .milliseconds(500))
        for codec in [AudioCodec.g722, .pcmu] {
            // The change falls into three seconds of a tone, from the side that does not change.
            let said = gateway.now
            let earlier = callee.listener
            speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 3, rate: speaker.rate))
            gateway.run(for: .seconds(1))
            callee.reinvite(codec: codec)
            gateway.run(for: .seconds(3))
            let last = try #require(earlier.packets.last)
            let next = try #require(callee.listener.audioPackets.first)
            #expect(next.sequence == last.sequence &+ 1)
            #expect((160...320).contains(next.timestamp &- last.timestamp))
            #expect(next.at - last.at <= .milliseconds(41))
            Self.expectTone(earlier.sound(after: said), earlier.rate)
            // The level of an Opus decoder that begins in the middle of a tone finds its way in less than half a second.
            let rate = callee.listener.rate
            let sound = callee.listener.sound.prefix(rate * 3 / 2)
            Self.expectTone(Array(sound.dropFirst(rate / 2)), rate)
            let loudest = sound.dropFirst(rate / 2).map { abs(Int($0)) }.max() ?? 0
            #expect(sound.prefix(rate / 2).allSatisfy { abs(Int($0)) < loudest * 2 })
            #expect(ToneMeter.analyse(Array(sound), rate: rate, expectedHz: 1000).longestGap < 20)

            let isWide = codec == .g722
            for (from, to) in [(callee.speaker, listener), (speaker, callee.listener)] {
                let asked = gateway.now
                from.say(SoundMaterial.tone(hertz: isWide ? 5500 : 2500, seconds: 1, rate: from.rate))
                gateway.run(for: .milliseconds(1500))
                let report = ToneMeter.analyse(to.sound(after: asked), rate: to.rate, expectedHz: isWide ? 5500 : 2500)
                #expect(abs(report.frequency - (isWide ? 5500 : 2500)) < 1)
                #expect(report.snr > 15)
                #expect(report.gaps.isEmpty)
            }
        }
        AgentFailureTests.expectOneAxis(listener)
    }

    private static func expectTone(_ sound: [Int16], _ rate: Int) {
        let report = ToneMeter.analyse(sound, rate: rate, expectedHz: 1000)
        #expect(abs(report.frequency - 1000) < 0.5)
        #expect(report.gaps.isEmpty)
        #expect(report.clicks == 0, "\(sound.count) samples of \(rate) Hz")
    }

    /// The phone that changes its codec speaks on, and is heard with a break of one packet at most.
    @Test func theChangeIsHardlyHeardOnTheOtherSide() throws {
        let gateway = VirtualGateway()
        let (phone, callee) = (gateway.phone(), gateway.callee(.init(codec: .g722)))
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { phone.isAnswered && callee.acknowledged })
        gateway.run(for: .milliseconds(500))
        let said = gateway.now
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 8000))
        gateway.run(for: .milliseconds(1000))
        phone.reinvite(codec: .g722)
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 16000))
        gateway.run(for: .milliseconds(1500))
        let report = ToneMeter.analyse(callee.listener.sound(after: said), rate: 16000, expectedHz: 1000)
        #expect(abs(report.frequency - 1000) < 1)
        #expect(report.longestGap <= 25, "\(report.gaps)")
        AgentFailureTests.expectOneAxis(callee.listener)
    }

    /// What a phone sent before our answer reached it is in the codec of before, and is heard (RFC 3264 section 8.3.2: a payload
    /// type's meaning holds for the whole session).
    @Test func whatIsUnderWayInTheFormerCodecIsHeard() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(3)) { gateway.agent?.media.isEmpty == false })
        let agent = try #require(gateway.agent)
        phone.listener.decodes = false
        gateway.run(for: .milliseconds(500))
        let first = agent.audio.count
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 2, rate: 8000))
        gateway.run(for: .milliseconds(1000))
        phone.offer(codec: .g722)
        gateway.run(for: .milliseconds(1500))
        #expect(gateway.call()?.caller?.port.audio.codec == .g722)
        SoundBothWaysTests.expectTone(Array(agent.audio[first...]), rate: 8000, hertz: 1000, seconds: 2, snr: 20)
    }

    /// Other parameters of the same Opus count from the next packet on, and nothing breaks for them.
    @Test func whatIsAskedOfOpusMayChange() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone(.init(codec: .opus))
        phone.opusParameters = "useinbandfec=1;maxaveragebitrate=40000"
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.media.isEmpty == false })
        let agent = try #require(gateway.agent)
        let port = try #require(gateway.call()?.caller?.port)
        #expect(port.adaptation?.decision.bitrate == 24000)
        #expect(port.adaptation?.limits.takesErrorCorrection == true)
        let said = gateway.now
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 4, rate: 8000))
        gateway.run(for: .seconds(2))
        let changed = gateway.now
        phone.opusParameters = "maxaveragebitrate=12000;cbr=1"
        phone.reinvite()
        gateway.run(for: .milliseconds(2500))
        #expect(port.adaptation?.decision.bitrate == 12000)
        #expect(port.adaptation?.limits.takesErrorCorrection == false)
        let sizes = Set(phone.listener.audioPackets.filter { $0.at > changed + .milliseconds(100) }.map(\.payload.count))
        #expect(sizes == [30])
        SoundBothWaysTests.expectTone(phone.listener.sound(after: said), rate: 48000, hertz: 700, seconds: 4, snr: 15)
        SoundBothWaysTests.expectSteadyStream(phone.listener.audioPackets, step: 960)
    }
}
