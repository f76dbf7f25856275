import NIOCore
import SDP
import TestKit
import Testing

@testable import Gateway

/// Recorded calls: the caller on the left, the far end on the right, each at the time it was heard.
@Suite struct CallRecordingTests {
    static let plan = """
        routes:
          - name: recorded
            when: { to: recorded }
            do: [{ agent: assistant, record: true }]
          - name: plain
            when: { to: plain }
            do: [{ agent: assistant }]
          - name: out
            when: { to: "+1555XXXXXXX" }
            do: [{ trunk: carrier, record: true }]
          - name: second
            when: { to: second }
            do: [{ trunk: second, to: "+15550002222" }]
          - name: wide
            when: { to: wide }
            do: [{ trunk: second, to: "+15550002222", record: true }]
        """

    /// A gateway whose disk is in memory.
    struct Fixture {
        let disk = MemoryRecordings()
        let gateway: VirtualGateway

        init(announcement: Recording? = nil, _ change: (inout Configuration.Recordings) -> Void = { _ in }) {
            gateway = VirtualGateway(plan: CallRecordingTests.plan, recorder: disk.recorder(change, announcement: announcement))
        }

        /// A phone that talks to the recorded agent.
        func connected(_ options: FakeTrunk.Options = .init()) -> FakeTrunk {
            let phone = gateway.phone(options)
            phone.call("recorded")
            #expect(gateway.run(for: .seconds(3)) { gateway.agent?.media.isEmpty == false })
            return phone
        }

        /// The only recording, once the call is over.
        func sound(sourceLocation: SourceLocation = #_sourceLocation) throws -> StereoSound {
            gateway.run(for: .milliseconds(300))
            let file = try #require(disk.only, sourceLocation: sourceLocation)
            #expect(file.isFinished, sourceLocation: sourceLocation)
            return try #require(StereoSound(wave: file.bytes), sourceLocation: sourceLocation)
        }
    }

    private static func isTone(_ samples: [Int16], _ hertz: Double, rate: Int, snr: Double = 20, sourceLocation: SourceLocation = #_sourceLocation) {
        let report = ToneMeter.analyse(samples, rate: rate, expectedHz: hertz)
        #expect(abs(report.frequency - hertz) < 1, sourceLocation: sourceLocation)
        #expect(report.snr > snr, sourceLocation: sourceLocation)
        #expect(report.gaps.isEmpty, sourceLocation: sourceLocation)
    }

    enum Caller: CaseIterable { case phone, browser }

    @Test(arguments: Caller.allCases) func bothSidesStandWhereTheyWereHeard(caller: Caller) throws {
        let fixture = Fixture()
        let gateway = fixture.gateway
        let (speaker, listener): (Speaker, Listener)
        let hangUp: () -> Void
        switch caller {
        case .phone:
            let phone = fixture.connected()
            (speaker, listener, hangUp) = (phone.speaker, phone.listener, phone.hangUp)
        case .browser:
            let browser = gateway.browser()
            browser.call("recorded")
            #expect(gateway.run(for: .seconds(3)) { gateway.agent?.media.isEmpty == false })
            (speaker, listener, hangUp) = (browser.speaker, browser.listener, browser.hangUp)
        }
        let agent = try #require(gateway.agent)
        let begun = try #require(agent.media.first?.at)
        gateway.run(for: .milliseconds(700))
        speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: speaker.rate))
        gateway.run(for: .milliseconds(1500))
        let asked = gateway.now
        agent.say(SoundMaterial.tone(hertz: 600, seconds: 1, rate: 8000))
        gateway.run(for: .milliseconds(1700))
        hangUp()
        let over = gateway.now
        let sound = try fixture.sound()

        #expect(sound.rate == 8000)
        let left = try #require(sound.firstSound(sound.left)), right = try #require(sound.firstSound(sound.right))
        Self.isTone(sound.part(sound.left, Int(left) + 5..<Int(left) + 985), 1000, rate: 8000)
        Self.isTone(sound.part(sound.right, Int(right) + 5..<Int(right) + 985), 600, rate: 8000, snr: 25)
        #expect(sound.firstSound(sound.left, after: Int(left) + 1050) == nil)
        #expect(sound.firstSound(sound.right, after: Int(right) + 1050) == nil)
        // When the agent heard the caller, and the caller the agent.
        let place = try #require(agent.audio.firstIndex { abs(Int($0)) > 200 })
        let heard = gateway.milliseconds(agent.media[place / 160].at) + Double(place % 160) / 8
        let spoken = gateway.milliseconds(try #require(listener.firstSound(after: asked)))
        #expect(abs((right - left) - (spoken - heard)) < 20)
        #expect(abs(left - (heard - gateway.milliseconds(begun))) < 20)
        #expect(abs(sound.milliseconds - Double((over - begun).nanoseconds) / 1e6) < 25)

        let id = try #require(gateway.log.records.first?.id)
        #expect(gateway.log.records.first?.recording == .init(file: "2023-11-14/\(id).wav", state: .finished))
        #expect(gateway.log.records.first?.events.contains { $0.what == "Recorded from here on." } == true)
        SoundBothWaysTests.expectGapFree(agent)
        gateway.run(for: .seconds(40))
        #expect(gateway.leftovers.isEmpty)
    }

    @Test func callsByATrunkAreRecordedToo() throws {
        let fixture = Fixture { $0.format = .opus }
        let gateway = fixture.gateway
        let (browser, callee) = (gateway.browser(), gateway.callee(.init(codec: .g722)))
        browser.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { callee.acknowledged && browser.events.last == .connected })
        gateway.run(for: .milliseconds(500))
        browser.speaker.say(SoundMaterial.tone(hertz: 5000, seconds: 1, rate: 48000))
        gateway.run(for: .milliseconds(200))
        callee.speaker.say(SoundMaterial.tone(hertz: 700, seconds: 1, rate: 16000))
        gateway.run(for: .milliseconds(1500))
        callee.hangUp()
        gateway.run(for: .milliseconds(300))
        let sound = try #require(StereoSound(opus: fixture.disk.only?.bytes ?? []))
        let left = try #require(sound.firstSound(sound.left)), right = try #require(sound.firstSound(sound.right))
        Self.isTone(sound.part(sound.left, Int(left) + 30..<Int(left) + 970), 5000, rate: 48000, snr: 10)
        Self.isTone(sound.part(sound.right, Int(right) + 30..<Int(right) + 970), 700, rate: 48000, snr: 10)
        #expect(abs(right - left - 200) < 30)
        #expect(fixture.disk.files.keys.allSatisfy { $0.hasSuffix(".opus") })
    }

    @Test func onlyWhatThePlanSaysIsRecorded() {
        let fixture = Fixture()
        let phone = fixture.gateway.phone()
        phone.call("plain")
        fixture.gateway.run(for: .seconds(2)) { fixture.gateway.agent?.media.isEmpty == false }
        #expect(fixture.gateway.core.pauseRecording(true, of: fixture.gateway.call()?.id ?? CallID.none) == .failure(.notRecorded))
        phone.hangUp()
        fixture.gateway.run(for: .seconds(1))
        #expect(fixture.disk.files.isEmpty)
        #expect(fixture.gateway.log.records.map(\.recording) == [nil])
        #expect(fixture.gateway.core.pauseRecording(true, of: CallID.none) == .failure(.noSuchCall))
    }

    @Test func aPauseIsSilenceOfItsLength() throws {
        let fixture = Fixture()
        let gateway = fixture.gateway
        let phone = fixture.connected()
        let id = try #require(gateway.call()?.id)
        let begun = try #require(gateway.agent?.media.first?.at)
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 6, rate: 8000))
        gateway.agent?.say(SoundMaterial.tone(hertz: 600, seconds: 6, rate: 8000))
        gateway.run(for: .seconds(2))
        let paused = Int((gateway.now - begun).nanoseconds / 1_000_000)
        #expect((try? gateway.core.pauseRecording(true, of: id).get())?.state == .paused)
        gateway.run(for: .seconds(2))
        #expect((try? gateway.core.pauseRecording(false, of: id).get())?.state == .recording)
        gateway.run(for: .seconds(1))
        _ = gateway.core.pauseRecording(true, of: id)
        gateway.run(for: .milliseconds(510))
        phone.hangUp()
        let sound = try fixture.sound()
        for (side, hertz) in [(sound.left, 1000.0), (sound.right, 600)] {
            Self.isTone(sound.part(side, paused - 1500..<paused - 20), hertz, rate: 8000)
            #expect(sound.part(side, paused + 20..<paused + 1980).allSatisfy { $0 == 0 })
            Self.isTone(sound.part(side, paused + 2025..<paused + 2975), hertz, rate: 8000)
            #expect(sound.part(side, paused + 3020..<paused + 9000).allSatisfy { $0 == 0 })
        }
        #expect(abs(sound.milliseconds - Double(paused + 3510)) < 25)
        // Nobody heard anything of it.
        SoundBothWaysTests.expectTone(gateway.agent?.audio ?? [], rate: 8000, hertz: 1000, seconds: 5.5, snr: 20)
        let told = gateway.log.records.first?.events.map(\.what).filter { $0.hasPrefix("The recording") }
        #expect(told == ["The recording is paused.", "The recording goes on.", "The recording is paused."])
    }

    @Test func aSlowDiskHoldsNobodyUp() throws {
        let fixture = Fixture()
        let gateway = fixture.gateway
        let phone = fixture.connected()
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 16, rate: 8000))
        gateway.run(for: .seconds(2))
        gateway.isDiskStalled = true
        gateway.run(for: .seconds(11))
        gateway.isDiskStalled = false
        gateway.run(for: .seconds(2))
        phone.hangUp()
        let sound = try fixture.sound()
        // The ring held four seconds and more of what came; the rest is silence, and what follows stands in its place.
        Self.isTone(sound.part(sound.left, 300..<5500), 1000, rate: 8000)
        #expect(sound.part(sound.left, 11_000..<12_900).allSatisfy { $0 == 0 })
        Self.isTone(sound.part(sound.left, 13_300..<14_700), 1000, rate: 8000)
        #expect(abs(sound.milliseconds - 15_000) < 100)
        let agent = try #require(gateway.agent)
        SoundBothWaysTests.expectGapFree(agent)
        let heard = ToneMeter.analyse(agent.audio, rate: 8000, expectedHz: 1000)
        #expect(heard.gaps.isEmpty)
    }

    @Test(arguments: [true, false]) func aDiskThatRefusesEndsTheRecordingNotTheCall(isFull: Bool) throws {
        let fixture = Fixture()
        if isFull { fixture.disk.limit(to: 50_000) } else { fixture.disk.refuseToOpen() }
        let gateway = fixture.gateway
        let phone = fixture.connected()
        let id = try #require(gateway.call()?.id)
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 5, rate: 8000))
        gateway.run(for: .seconds(5))
        #expect(gateway.core.pauseRecording(true, of: id) == .failure(.failed))
        SoundBothWaysTests.expectGapFree(try #require(gateway.agent))
        phone.hangUp()
        gateway.run(for: .seconds(1))
        #expect(gateway.log.records.first?.recording?.state == .failed)
        #expect(gateway.core.figures.ended == [.callerHangup: 1])
        guard isFull else { return #expect(fixture.disk.files.isEmpty) }
        // What found room is playable.
        let sound = try #require(StereoSound(wave: fixture.disk.only?.bytes ?? []))
        Self.isTone(sound.part(sound.left, 300..<900), 1000, rate: 8000)
        #expect(fixture.disk.only?.isFinished == true)
    }

    /// Who is given the call is recorded only if the plan says so, and at the rate the recording began with.
    @Test(arguments: ["second", "wide"]) func aTransferFollowsThePlan(target: String) throws {
        let fixture = Fixture()
        let gateway = fixture.gateway
        let phone = fixture.connected(.init(codec: .g722))
        let callee = gateway.callee(.init(codec: .g722), of: "second")
        let id = try #require(gateway.call()?.id)
        let begun = try #require(gateway.agent?.media.first?.at)
        gateway.post(.transfer(id, AgentTransfer(target: target), reply: { _ in }))
        #expect(gateway.run(for: .seconds(3)) { callee.acknowledged })
        gateway.run(for: .milliseconds(300))
        let spoke = Int((gateway.now - begun).nanoseconds / 1_000_000)
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 16_000))
        callee.speaker.say(SoundMaterial.tone(hertz: 600, seconds: 1, rate: 16_000))
        gateway.run(for: .seconds(2))
        phone.hangUp()
        let sound = try fixture.sound()
        #expect(sound.rate == 8000)
        #expect(abs(sound.milliseconds - Double(spoke + 2000)) < 45)
        if target == "wide" {
            Self.isTone(sound.part(sound.left, spoke + 60..<spoke + 980), 1000, rate: 8000)
            Self.isTone(sound.part(sound.right, spoke + 60..<spoke + 980), 600, rate: 8000)
        } else {
            #expect(sound.part(sound.left, spoke..<spoke + 2000).allSatisfy { $0 == 0 })
            #expect(sound.part(sound.right, spoke..<spoke + 2000).allSatisfy { $0 == 0 })
        }
    }

    @Test func bothAreToldBeforeAnythingIsRecorded() throws {
        let announcement = Recording(rate: 8000, samples: SoundMaterial.tone(hertz: 440, seconds: 1, rate: 8000))
        let fixture = Fixture(announcement: announcement)
        let gateway = fixture.gateway
        gateway.prepareAgent = { agent in agent.sayPaced(SoundMaterial.silence(seconds: 0.2, rate: 8000)) }
        let phone = gateway.phone()
        phone.call("recorded")
        #expect(gateway.run(for: .seconds(3)) { gateway.agent?.isUp == true })
        // The agent greets at once: nothing of it is lost.
        gateway.agent?.say(SoundMaterial.tone(hertz: 600, seconds: 1, rate: 8000))
        gateway.run(for: .milliseconds(3500))
        phone.hangUp()
        let sound = try fixture.sound()
        SoundBothWaysTests.expectTone(Array(phone.listener.sound.prefix(8200)), rate: 8000, hertz: 440, seconds: 1, snr: 25)
        SoundBothWaysTests.expectTone(Array(phone.listener.sound.dropFirst(8320)), rate: 8000, hertz: 600, seconds: 1, snr: 25)
        SoundBothWaysTests.expectTone(sound.right, rate: 8000, hertz: 600, seconds: 1, snr: 25)

        let callee = gateway.callee()
        let other = gateway.phone()
        other.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { callee.acknowledged })
        let answered = gateway.now
        gateway.run(for: .milliseconds(1300))
        for listener in [other.listener, callee.listener] {
            SoundBothWaysTests.expectTone(listener.sound(after: answered), rate: 8000, hertz: 440, seconds: 1, snr: 25)
        }
        other.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 8000))
        let spoke = gateway.now
        gateway.run(for: .milliseconds(1300))
        SoundBothWaysTests.expectTone(callee.listener.sound(after: spoke), rate: 8000, hertz: 1000, seconds: 1, snr: 25)
    }

    @Test func theToneIsHeardAndNotRecorded() throws {
        let fixture = Fixture { $0.tone = true }
        let gateway = fixture.gateway
        let (phone, callee) = (gateway.phone(), gateway.callee())
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { callee.acknowledged })
        gateway.run(for: .seconds(17))
        for listener in [phone.listener, callee.listener] {
            let report = ToneMeter.analyse(listener.sound, rate: 8000, expectedHz: 1400)
            #expect(abs(report.frequency - 1400) < 1)
            #expect(report.gaps.count == 1)
            #expect(abs(report.longestGap - 14_800) < 50)
        }
        phone.hangUp()
        let sound = try fixture.sound()
        #expect(sound.milliseconds > 16_000)
        #expect((sound.left + sound.right).allSatisfy { abs(Int($0)) < 10 })
        // An agent is told by nothing that it would take for the caller's voice.
        let other = gateway.phone()
        other.call("recorded")
        gateway.run(for: .seconds(2))
        #expect(gateway.agent?.audio.isEmpty == false)
        #expect(gateway.agent?.audio.allSatisfy { abs(Int($0)) < 10 } == true)
        #expect(ToneMeter.analyse(other.listener.sound, rate: 8000, expectedHz: 1400).snr > 20)
    }

    @Test(arguments: [true, false]) func keysHeardAsTonesAreKeptOnlyIfWanted(keeps: Bool) throws {
        let fixture = Fixture { $0.keepsDigits = keeps }
        let gateway = fixture.gateway
        let phone = gateway.phone(.init(telephoneEvents: false)), callee = gateway.callee(.init(telephoneEvents: false))
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { callee.acknowledged })
        gateway.run(for: .milliseconds(500))
        let pressed = gateway.now
        phone.speaker.say(BridgedDigitTests.tone(5, rate: 8000, milliseconds: 200) + SoundMaterial.silence(seconds: 0.5, rate: 8000)
            + SoundMaterial.speech(seconds: 1, rate: 8000, seed: 3))
        gateway.run(for: .seconds(2))
        phone.hangUp()
        let sound = try fixture.sound()
        // The far end needs the tone in any case.
        #expect(Correlation.best(of: BridgedDigitTests.tone(5, rate: 8000, milliseconds: 200), in: callee.listener.sound(after: pressed), rate: 8000).coefficient > 0.9)
        let loud = sound.part(sound.left, 0..<1100).map { abs(Int($0)) }.max() ?? 0
        #expect(keeps ? loud > 2000 : loud < 50)
        #expect(sound.part(sound.left, 1150..<2500).contains { abs(Int($0)) > 500 })
    }
}

extension CallID {
    /// Of no call.
    static var none: CallID {
        var generator = SeededGenerator(seed: 0xFFFF)
        return CallID(using: &generator)
    }
}
