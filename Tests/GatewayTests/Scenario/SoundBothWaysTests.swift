import NIOCore
import TestKit
import Testing

@testable import Gateway

/// A caller and an agent hear each other: the right tone, without gaps, in time.
@Suite struct SoundBothWaysTests {
    private static let rate = 8000

    @Test func phoneIsHeardByTheAgentInTheSameTurn() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered && gateway.agent?.media.isEmpty == false })
        let agent = try #require(gateway.agent)
        let said = gateway.now
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 3, rate: 8000))
        gateway.run(for: .seconds(4))

        let report = ToneMeter.analyse(agent.audio, rate: Self.rate, expectedHz: 1000)
        #expect(abs(report.frequency - 1000) < 0.1)
        #expect(report.snr > 30)
        #expect(report.gaps.isEmpty)
        #expect(report.clicks == 0)
        Self.expectGapFree(agent)
        // The frame that holds the first sample is sent within one packet time of it, and is passed on in the same turn.
        let first = try #require(Self.firstSound(agent))
        #expect(first - said <= .milliseconds(21))
        #expect(phone.statuses == [100, 180, 200])
    }

    @Test func agentIsHeardByThePhone() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        let agent = try #require(gateway.agent)
        let said = gateway.now
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 2, rate: 8000))
        gateway.run(for: .seconds(3))
        let heard = try #require(phone.listener.firstSound(after: said))
        // A burst waits for nothing but its slot.
        #expect(heard - said <= .milliseconds(21))
        Self.expectTone(phone.listener.sound, rate: 8000, hertz: 700, seconds: 2)
        Self.expectSteadyStream(phone.listener.audioPackets, step: 160)
    }

    @Test func pacedSpeechIsHeldBackNoLongerThanTheHold() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        let agent = try #require(gateway.agent)
        let said = gateway.now
        agent.sayPaced(SoundMaterial.tone(hertz: 700, seconds: 3, rate: 8000))
        gateway.run(for: .seconds(4))
        let heard = try #require(phone.listener.firstSound(after: said))
        #expect(heard - said <= .milliseconds(82))
        Self.expectTone(phone.listener.sound, rate: 8000, hertz: 700, seconds: 3)
    }

    @Test func browserIsHeardByTheAgentInTheSameTurn() throws {
        let gateway = VirtualGateway()
        let browser = gateway.browser()
        browser.call("assistant")
        #expect(gateway.run(for: .seconds(3)) { browser.isConnected && gateway.agent?.media.isEmpty == false })
        let agent = try #require(gateway.agent)
        let said = gateway.now
        browser.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 3, rate: 48000))
        gateway.run(for: .seconds(4))

        let report = ToneMeter.analyse(agent.audio, rate: Self.rate, expectedHz: 1000)
        #expect(abs(report.frequency - 1000) < 0.2)
        #expect(report.snr > 20)
        #expect(report.gaps.isEmpty)
        Self.expectGapFree(agent)
        // Opus looks 6.5 ms ahead, so the first sound may lie in the second packet.
        let first = try #require(Self.firstSound(agent))
        #expect(first - said <= .milliseconds(41))
        #expect(browser.events == [.ringing, .connected])
    }

    @Test func agentIsHeardByTheBrowser() throws {
        let gateway = VirtualGateway()
        let browser = gateway.browser()
        browser.call("assistant")
        #expect(browser.refusal == nil)
        gateway.run(for: .seconds(1))
        let agent = try #require(gateway.agent)
        let said = gateway.now
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 2, rate: 8000))
        gateway.run(for: .seconds(3))
        let heard = try #require(browser.listener.firstSound(after: said))
        #expect(heard - said <= .milliseconds(41))
        Self.expectTone(browser.listener.sound, rate: 48000, hertz: 700, seconds: 2, snr: 20)
        Self.expectSteadyStream(browser.listener.audioPackets, step: 960)
        #expect(browser.undecryptable == 0)
    }

    @Test func parrotRepeatsWhatAPhoneAndABrowserSay() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        let browser = gateway.browser()
        phone.call("parrot")
        browser.call("parrot")
        gateway.run(for: .milliseconds(1500))
        let begun = gateway.now
        let words = SoundMaterial.speech(seconds: 2, rate: 8000, seed: 5)
        let wideWords = SoundMaterial.speech(seconds: 2, rate: 48000, seed: 5)
        phone.speaker.say(words)
        browser.speaker.say(wideWords)
        gateway.run(for: .seconds(6))
        #expect(Correlation.best(of: words, in: phone.listener.sound(after: begun), rate: 8000).coefficient > 0.9)
        #expect(Correlation.best(of: wideWords, in: browser.listener.sound(after: begun), rate: 48000).coefficient > 0.8)
    }

    @Test func echoComesBackAtOnce() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        let browser = gateway.browser()
        phone.call("echo")
        browser.call("echo")
        gateway.run(for: .seconds(1))
        let said = gateway.now
        phone.speaker.say(SoundMaterial.tone(hertz: 440, seconds: 2, rate: 8000))
        browser.speaker.say(SoundMaterial.tone(hertz: 440, seconds: 2, rate: 48000))
        gateway.run(for: .seconds(3))
        for (listener, limit) in [(phone.listener, 21), (browser.listener, 41)] {
            let heard = try #require(listener.firstSound(after: said))
            #expect(heard - said <= .milliseconds(Int64(limit)))
            Self.expectTone(listener.sound(after: said), rate: listener.rate, hertz: 440, seconds: 2, snr: 20)
        }
    }

    // MARK: Verdicts

    /// 50 frames a second without a hole, numbered from 1, on time.
    static func expectGapFree(_ agent: FakeAgent, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(!agent.media.isEmpty, sourceLocation: sourceLocation)
        #expect(agent.media.map(\.timestamp) == agent.media.indices.map { $0 * 20 + 1 }, sourceLocation: sourceLocation)
        #expect(agent.media.map(\.chunk) == agent.media.indices.map { $0 + 1 }, sourceLocation: sourceLocation)
        #expect(agent.sequenceNumbers == agent.sequenceNumbers.indices.map { $0 + 1 }, sourceLocation: sourceLocation)
    }

    static func expectTone(
        _ sound: [Int16], rate: Int, hertz: Double, seconds: Double, snr: Double = 30, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let whole = ToneMeter.analyse(sound, rate: rate, expectedHz: hertz)
        guard let first = whole.firstSoundAt, let last = whole.lastSoundAt else {
            Issue.record("nothing was heard", sourceLocation: sourceLocation)
            return
        }
        // Speech that breaks off is faded out over 20 ms; that is none of the tone.
        #expect(last - first > seconds * 1000 - 25 && last - first < seconds * 1000 + 45, sourceLocation: sourceLocation)
        let begin = Int(first) * rate / 1000
        let end = min(sound.count, begin + Int((seconds - 0.03) * Double(rate)))
        let report = ToneMeter.analyse(Array(sound[begin..<end]), rate: rate, expectedHz: hertz)
        #expect(abs(report.frequency - hertz) < 0.2, sourceLocation: sourceLocation)
        #expect(report.snr > snr, sourceLocation: sourceLocation)
        #expect(report.gaps.isEmpty, sourceLocation: sourceLocation)
        #expect(report.clicks == 0, sourceLocation: sourceLocation)
    }

    /// One packet every 20 ms, each number and timestamp the next one, the marker on the first alone.
    static func expectSteadyStream(
        _ packets: [Listener.Packet], step: UInt32, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(packets.count > 50, sourceLocation: sourceLocation)
        for (before, after) in zip(packets, packets.dropFirst()) {
            let isNext = after.sequence == before.sequence &+ 1 && after.timestamp == before.timestamp &+ step && !after.marker
            let late = after.at - before.at - .milliseconds(20)
            guard isNext, late >= .zero, late <= .milliseconds(1) else {
                Issue.record("packet \(before) is followed by \(after)", sourceLocation: sourceLocation)
                return
            }
        }
    }

    static func firstSound(_ agent: FakeAgent, threshold: Int16 = 200) -> NIODeadline? {
        guard let place = agent.audio.firstIndex(where: { abs(Int($0)) > Int(threshold) }) else { return nil }
        return agent.media.indices.contains(place / 160) ? agent.media[place / 160].at : nil
    }
}
