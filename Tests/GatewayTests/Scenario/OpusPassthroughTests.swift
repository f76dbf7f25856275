import NIOCore
import SDP
import TestKit
import Testing
import Transcode

@testable import Gateway

/// An agent that takes Opus gets the caller's packets as they came, and the caller gets the agent's.
@Suite struct OpusPassthroughTests {
    static let accept = #"{"event":"accept","id":1,"format":{"codec":"opus","rate":48000}}"#

    /// A browser connected to the native agent, which chose Opus.
    private func browser(
        _ gateway: VirtualGateway, _ options: FakeBrowser.Options = .init(), accept: String = OpusPassthroughTests.accept
    ) throws -> (browser: FakeBrowser, agent: FakeTandemAgent) {
        gateway.prepareNative = { ($0.accept, $0.takesPackets) = (accept, true) }
        let browser = gateway.browser(options)
        browser.call("native")
        #expect(gateway.run(for: .seconds(2)) { (gateway.native?.nextPTS ?? 0) > 0 })
        return (browser, try #require(gateway.native))
    }

    /// A phone that speaks Opus, the same.
    private func phone(_ gateway: VirtualGateway, accept: String = OpusPassthroughTests.accept) throws -> (phone: FakeTrunk, agent: FakeTandemAgent) {
        gateway.prepareNative = { ($0.accept, $0.takesPackets) = (accept, true) }
        let phone = gateway.phone(.init(codec: .opus))
        phone.call("native")
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered && (gateway.native?.nextPTS ?? 0) > 0 })
        return (phone, try #require(gateway.native))
    }

    /// A tone as an agent's own encoder makes it.
    private static func packets(hertz: Double, seconds: Double, milliseconds: Int = 20) throws -> [[UInt8]] {
        let speaker = try #require(Speaker(codec: "opus", rate: 48_000, milliseconds: milliseconds, timestamp: 0, sequence: 0))
        speaker.say(SoundMaterial.tone(hertz: hertz, seconds: seconds, rate: 48_000))
        let start = NIODeadline.uptimeNanoseconds(0)
        return (speaker.due(now: start) + speaker.due(now: start + .milliseconds(Int64(seconds * 1000) - 1))).map(\.payload)
    }

    private static func decoded(_ packets: [[UInt8]]) throws -> [Int16] {
        let decoder = try #require(OpusDecoder(rate: 48_000))
        return packets.flatMap { packet in
            [Int16](unsafeUninitializedCapacity: 5760) { samples, count in
                count = packet.withUnsafeBytes { decoder.decode($0, into: samples) }
            }
        }
    }

    private static let silence: [UInt8] = [0xF8, 0xFF, 0xFE]

    @Test func itIsOfferedToCallersWhoSpeakItAndNeverFirst() {
        var generator = SeededGenerator(seed: 1)
        var call = AgentCallInfo(call: CallID(using: &generator), from: "a", to: "b", account: "", parameters: [:])
        call.callerRates = [48_000, 24_000, 16_000, 8000]
        func offersOpus() -> Bool { TandemFormat.offer(call).contains { $0.codec == .opus } }
        #expect(!offersOpus())
        call.callerCodec = "opus"
        #expect(offersOpus() && TandemFormat.offer(call).first?.codec == .pcm)
        call.bargeIn = .flush
        #expect(offersOpus())
        call.bargeIn = .duck
        #expect(!offersOpus())
        call.bargeIn = .off
        call.callerCodec = "PCMU"
        #expect(!offersOpus())
    }

    @Test func aBrowsersPacketsComeUntouched() throws {
        let gateway = VirtualGateway()
        let (browser, agent) = try browser(gateway)
        let offer = try #require(agent.events.first?["offer"] as? [[String: Any]])
        let opus = try #require(offer.last)
        #expect(opus["codec"] as? String == "opus" && opus["rate"] as? Int == 48_000 && opus["channels"] as? Int == 1)
        #expect(opus["frame_ms"] as? Int == 20 && offer[0]["codec"] as? String == "pcm_s16le" && offer[0]["rate"] as? Int == 24_000)
        browser.speaker.say(SoundMaterial.speech(seconds: 3, rate: 48_000, seed: 4))
        gateway.run(for: .seconds(3))
        let heard = agent.packets.map(\.payload)
        #expect(heard.count > 150 && heard == Array(browser.frames.map(\.payload).suffix(heard.count)))
        #expect(agent.binary.map(\.seq) == (0..<UInt32(heard.count)).map { $0 })
        #expect(agent.packets.map(\.pts) == (0..<heard.count).map { $0 * 960 } && agent.packets.allSatisfy { $0.flags == 0 })
        let path = try #require(gateway.call()?.currentFigures.path)
        #expect(path.contains("packets passed on") && path.contains("queue of packets"))
    }

    @Test(arguments: [10, 20, 40, 60]) func theAgentsPacketsGoOutUntouched(_ milliseconds: Int) throws {
        let gateway = VirtualGateway()
        let (browser, agent) = try browser(gateway)
        let said = try Self.packets(hertz: 700, seconds: 2.4, milliseconds: milliseconds)
        let begun = gateway.now
        for packet in said { agent.say(packet: packet, samples: milliseconds * 48) }
        agent.post(#"{"event":"mark","id":2,"name":"end","gen":1}"#)
        gateway.run(for: .seconds(4))
        let sent = browser.listener.audioPackets
        #expect(Array(sent.map(\.payload).prefix(said.count)) == said)
        // What ends is followed by silence, so that nobody's decoder makes up more of it; and that by nothing.
        #expect(sent.dropFirst(said.count).map(\.payload) == [[UInt8]](repeating: Self.silence, count: 5))
        let steps = zip(sent, sent.dropFirst()).map { $1.timestamp &- $0.timestamp }
        #expect(steps.prefix(said.count).allSatisfy { $0 == UInt32(milliseconds * 48) } && steps.suffix(4).allSatisfy { $0 == 960 })
        #expect(zip(sent, sent.dropFirst()).allSatisfy { $1.sequence == $0.sequence &+ 1 })
        #expect(sent[0].marker && sent.dropFirst().allSatisfy { !$0.marker } && sent[0].at - begun <= .milliseconds(21))
        // Each in its time, to a slot.
        for (index, packet) in sent.enumerated().prefix(said.count) {
            #expect(abs((packet.at - sent[0].at).nanoseconds / 1_000_000 - Int64(index * milliseconds)) <= 20)
        }
        let report = ToneMeter.analyse(try Self.decoded(sent.map(\.payload)), rate: 48_000, expectedHz: 700)
        #expect(abs(report.frequency - 700) < 0.5 && report.gaps.isEmpty && report.snr > 20)
        let mark = try #require(agent.events("mark").last)
        #expect(mark["status"] as? String == "played" && mark["heard_pts"] as? Int == said.count * milliseconds * 48)
    }

    @Test func silenceBetweenAnswersKeepsTheirDistance() throws {
        let gateway = VirtualGateway()
        let (browser, agent) = try browser(gateway)
        let said = try Self.packets(hertz: 700, seconds: 0.5)
        for packet in said { agent.say(packet: packet, samples: 960) }
        gateway.run(for: .seconds(2))
        for packet in said { agent.say(packet: packet, samples: 960) }
        gateway.run(for: .seconds(1))
        let sent = browser.listener.audioPackets.filter { $0.payload != Self.silence }
        #expect(sent.count == said.count * 2)
        let (last, next) = (sent[said.count - 1], sent[said.count])
        #expect(Int64(next.timestamp &- last.timestamp) * 1000 / 48 == (next.at - last.at).nanoseconds / 1000)
        #expect(gateway.call()?.currentFigures.playoutGaps == 0)
    }

    @Test func whatIsLostIsSaidAndNotMadeUp() throws {
        let gateway = VirtualGateway()
        let (browser, agent) = try browser(gateway)
        let first = browser.frames.count - agent.packets.count
        let lost: Set<Int> = [first + 50, first + 80, first + 81]
        browser.losesFrame = { lost.contains($0) }
        browser.speaker.say(SoundMaterial.speech(seconds: 3, rate: 48_000, seed: 4))
        gateway.run(for: .seconds(3))
        let kept = browser.frames.indices.filter { $0 >= first && !lost.contains($0) }
        let heard = agent.packets
        #expect(heard.map(\.payload) == kept.prefix(heard.count).map { browser.frames[$0].payload })
        #expect(heard.map(\.pts) == kept.prefix(heard.count).map { ($0 - first) * 960 })
        #expect(heard.filter { $0.flags == 1 }.map(\.pts) == [51 * 960, 82 * 960] && heard.count > 140)
        #expect(gateway.call()?.caller?.figures.inbound.concealedMilliseconds == 0)
    }

    @Test func copiesInLaterPacketsFillTheHoles() throws {
        let gateway = VirtualGateway()
        let (browser, agent) = try browser(gateway, .init(redundancy: true))
        browser.losesFrame = { $0 % 7 == 3 }
        browser.speaker.say(SoundMaterial.speech(seconds: 3, rate: 48_000, seed: 4))
        gateway.run(for: .seconds(3))
        let heard = agent.packets.dropFirst(10)
        #expect(heard.allSatisfy { $0.flags == 0 } && heard.count > 130)
        let whole = browser.frames.map(\.payload)
        let first = try #require(heard.first)
        // Silence looks the same everywhere.
        let speech = try #require(heard.first { $0.payload.count > 20 })
        let offset = try #require(whole.firstIndex(of: speech.payload)) - (speech.pts - first.pts) / 960
        #expect(heard.map(\.payload) == Array(whole[offset...].prefix(heard.count)))
    }

    @Test func discontinuousTransmissionStaysWhatItIs() throws {
        let gateway = VirtualGateway()
        let (browser, agent) = try browser(gateway)
        browser.speaker.usesDTX = true
        gateway.run(for: .seconds(1))
        let silent = agent.packets.count
        gateway.run(for: .seconds(1))
        #expect(agent.packets.count == silent && agent.packets.last?.payload == [0xF8])
        let pts = try #require(agent.packets.last?.pts)
        browser.speaker.say(SoundMaterial.tone(hertz: 700, seconds: 1, rate: 48_000))
        gateway.run(for: .milliseconds(500))
        let next = agent.packets[silent]
        #expect(next.flags == 1 && next.pts > pts + 48_000 && next.pts % 960 == 0)
    }

    @Test func aClearIsExactToAPacket() throws {
        let gateway = VirtualGateway()
        let (browser, agent) = try browser(gateway)
        for packet in try Self.packets(hertz: 700, seconds: 5) { agent.say(packet: packet, samples: 960) }
        for packet in try Self.packets(hertz: 900, seconds: 1) { agent.say(packet: packet, samples: 960, generation: 2) }
        agent.post(#"{"event":"mark","id":2,"name":"end","gen":2}"#)
        gateway.run(for: .seconds(2))
        agent.post(#"{"event":"clear","id":3,"gen":1}"#)
        let cleared = try #require(agent.events("cleared").last)
        let heard = try #require(cleared["heard_pts"] as? Int)
        let sent = browser.listener.audioPackets.count
        #expect(heard == sent * 960 && cleared["dropped"] as? Int == 5 * 48_000 - heard)
        gateway.run(for: .seconds(2))
        #expect(agent.events("mark").last?["heard_pts"] as? Int == 6 * 48_000)
        agent.say(packet: [0xF8], samples: 960, generation: 1)
        gateway.run(for: .milliseconds(200))
        #expect(browser.listener.audioPackets.count == sent + 50 + 5)
        // Everything, in the middle of speech.
        for packet in try Self.packets(hertz: 700, seconds: 5) { agent.say(packet: packet, samples: 960, generation: 2) }
        gateway.run(for: .seconds(1))
        agent.post(#"{"event":"clear","id":4,"gen":2}"#)
        let before = browser.listener.audioPackets.count
        gateway.run(for: .seconds(1))
        #expect(browser.listener.audioPackets.dropFirst(before).map(\.payload) == [[UInt8]](repeating: Self.silence, count: 5))
    }

    @Test func frozenSpeechGoesOnWhereItWas() throws {
        let gateway = VirtualGateway()
        let (browser, agent) = try browser(gateway)
        let said = try Self.packets(hertz: 700, seconds: 2)
        for packet in said { agent.say(packet: packet, samples: 960) }
        gateway.run(for: .seconds(1))
        agent.post(#"{"event":"pause","id":2}"#)
        gateway.run(for: .seconds(1))
        agent.post(#"{"event":"continue","id":3}"#)
        gateway.run(for: .seconds(2))
        #expect(browser.listener.audioPackets.map(\.payload).filter { $0 != Self.silence } == said)
        #expect(gateway.call()?.currentFigures.playoutGaps == 0)
    }

    @Test func aCutSocketCostsNoPacket() throws {
        let gateway = VirtualGateway()
        let (browser, agent) = try browser(gateway)
        browser.speaker.say(SoundMaterial.speech(seconds: 4, rate: 48_000, seed: 4))
        gateway.run(for: .seconds(1))
        agent.cut()
        gateway.run(for: .milliseconds(600))
        #expect(agent.sockets.count == 2)
        let away = try #require(agent.events("resume").last)
        #expect(away["agent_pts"] as? Int == 0)
        gateway.run(for: .seconds(1))
        let heard = agent.packets
        #expect(heard.map(\.pts) == (0..<heard.count).map { $0 * 960 } && heard.allSatisfy { $0.flags == 0 })
        #expect(heard.map(\.payload) == Array(browser.frames.map(\.payload).suffix(heard.count)))
        // Away with nothing to say, the line is not dead.
        agent.isReachable = false
        agent.cut()
        let cut = gateway.now
        gateway.run(for: .seconds(2))
        #expect(browser.listener.firstSound(after: cut) != nil)
    }

    @Test func oneDirectionAloneMayBeOpus() throws {
        let gateway = VirtualGateway()
        let mixed = #"{"event":"accept","id":1,"in":{"codec":"opus","rate":48000},"out":{"codec":"pcm_s16le","rate":24000}}"#
        let (browser, agent) = try browser(gateway, accept: mixed)
        agent.say(SoundMaterial.tone(hertz: 700, seconds: 2, rate: 24_000))
        browser.speaker.say(SoundMaterial.tone(hertz: 5000, seconds: 2, rate: 48_000))
        gateway.run(for: .seconds(3))
        SoundBothWaysTests.expectTone(browser.listener.sound, rate: 48_000, hertz: 700, seconds: 2)
        #expect(agent.packets.map(\.payload) == Array(browser.frames.map(\.payload).suffix(agent.packets.count)))

        let second = VirtualGateway()
        second.prepareNative = { $0.accept = #"{"event":"accept","id":1,"in":{"codec":"pcm_s16le","rate":8000},"out":{"codec":"opus","rate":48000}}"# }
        let other = second.browser()
        other.call("native")
        #expect(second.run(for: .seconds(2)) { (second.native?.nextPTS ?? 0) > 0 })
        let narrow = try #require(second.native)
        let said = try Self.packets(hertz: 700, seconds: 1)
        for packet in said { narrow.say(packet: packet, samples: 960) }
        other.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 2, rate: 48_000))
        second.run(for: .seconds(3))
        #expect(Array(other.listener.audioPackets.map(\.payload).prefix(said.count)) == said)
        #expect(abs(ToneMeter.analyse(narrow.heard, rate: 8000, expectedHz: 1000).frequency - 1000) < 1)
    }

    @Test func aCallerWhoChangesTheCodecIsTranscodedFor() throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway)
        gateway.run(for: .milliseconds(500))
        phone.reinvite(codec: .pcmu)
        gateway.run(for: .seconds(1))
        let changed = agent.packets.count
        for packet in try Self.packets(hertz: 700, seconds: 2) { agent.say(packet: packet, samples: 960) }
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 2, rate: 8000))
        gateway.run(for: .seconds(3))
        SoundBothWaysTests.expectTone(phone.listener.sound, rate: 8000, hertz: 700, seconds: 2, snr: 20)
        let report = ToneMeter.analyse(try Self.decoded(agent.packets.dropFirst(changed).map(\.payload)), rate: 48_000, expectedHz: 1000)
        #expect(abs(report.frequency - 1000) < 1 && report.gaps.isEmpty && report.snr > 20)
        let positions = agent.packets.map(\.pts)
        #expect(zip(positions, positions.dropFirst()).allSatisfy { $1 >= $0 + 960 })
    }

    @Test func aPhonesStreamDoesNotStopBetweenAnswers() throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try phone(gateway)
        let said = try Self.packets(hertz: 700, seconds: 1)
        for packet in said { agent.say(packet: packet, samples: 960) }
        gateway.run(for: .seconds(3))
        for packet in said { agent.say(packet: packet, samples: 960) }
        gateway.run(for: .seconds(2))
        let sent = phone.listener.audioPackets
        #expect(zip(sent, sent.dropFirst()).allSatisfy { $1.at - $0.at <= .milliseconds(125) })
        #expect(sent.map(\.payload).filter { said.contains($0) }.count >= said.count * 2)
        AgentFailureTests.expectOneAxis(phone.listener)
        #expect(agent.packets.count > 200 && agent.packets.allSatisfy { $0.flags == 0 })
    }

    @Test func aCallerWhoSpeaksOverItInterrupts() throws {
        let gateway = VirtualGateway()
        let accept = #"{"event":"accept","id":1,"vad":"interrupt","format":{"codec":"opus","rate":48000}}"#
        let (browser, agent) = try browser(gateway, accept: accept)
        for packet in try Self.packets(hertz: 700, seconds: 10) { agent.say(packet: packet, samples: 960) }
        gateway.run(for: .seconds(1))
        let spoke = gateway.now
        browser.speaker.say(SoundMaterial.tone(hertz: 300, seconds: 1, rate: 48_000))
        gateway.run(for: .seconds(2))
        let cleared = try #require(agent.events("cleared").last)
        #expect(cleared["cause"] as? String == "barge_in" && (cleared["heard_pts"] as? Int ?? 0) < 75_000)
        #expect(browser.listener.firstSound(after: spoke + .milliseconds(300)) == nil)
        let speech = agent.events("speech")
        #expect(speech.contains { $0["state"] as? String == "started" } && speech.last?["state"] as? String == "stopped")
        let (started, stopped) = (speech.first?["pts"] as? Int ?? 0, speech.last?["pts"] as? Int ?? 0)
        #expect((36_000...60_000).contains(stopped - started), "\(started) to \(stopped)")
    }

    /// A page that takes its microphone away sends nothing more, not even silence.
    @Test func aCallerWhoBeginsToSpeakAndIsGoneDoesNotKeepTheAgentSilent() throws {
        let gateway = VirtualGateway()
        let accept = #"{"event":"accept","id":1,"vad":"interrupt","format":{"codec":"opus","rate":48000}}"#
        let (browser, agent) = try browser(gateway, accept: accept)
        for packet in try Self.packets(hertz: 700, seconds: 10) { agent.say(packet: packet, samples: 960) }
        gateway.run(for: .seconds(1))
        browser.speaker.say(SoundMaterial.tone(hertz: 300, seconds: 1, rate: 48_000))
        gateway.run(for: .milliseconds(220))
        browser.speaker.isPaused = true
        gateway.run(for: .seconds(1))
        let later = gateway.now
        gateway.run(for: .seconds(1))
        #expect(agent.events("cleared").isEmpty && agent.events("speech").count == 1)
        #expect(browser.listener.firstSound(after: later) != nil)
    }

    @Test func whatAnAgentDidNotWantToHearIsMissingBeforeTheNextPacket() throws {
        let gateway = VirtualGateway()
        let (_, agent) = try browser(gateway)
        gateway.run(for: .seconds(1))
        agent.post(#"{"event":"mute","id":2,"on":true}"#)
        gateway.run(for: .milliseconds(100))
        let count = agent.packets.count
        gateway.run(for: .milliseconds(500))
        #expect(agent.packets.count == count)
        agent.post(#"{"event":"mute","id":3,"on":false}"#)
        gateway.run(for: .milliseconds(500))
        #expect(agent.packets[count].flags & 1 == 1 && agent.packets[count].pts >= agent.packets[count - 1].pts + 20_000)
        #expect(agent.packets.dropFirst(count + 1).allSatisfy { $0.flags == 0 } && agent.packets.count > count + 20)
    }

    @Test func aRecordingHearsWhatIsPassedOn() throws {
        let disk = MemoryRecordings()
        let plan = """
            routes:
              - name: recorded
                when: { to: native }
                do: [{ agent: native, record: true }]
            """
        let gateway = VirtualGateway(plan: plan, recorder: disk.recorder())
        let (browser, agent) = try browser(gateway)
        let said = try Self.packets(hertz: 700, seconds: 1)
        for packet in said { agent.say(packet: packet, samples: 960) }
        browser.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 48_000))
        gateway.run(for: .seconds(2))
        #expect(Array(browser.listener.audioPackets.map(\.payload).prefix(said.count)) == said)
        #expect(agent.packets.map(\.payload) == Array(browser.frames.map(\.payload).suffix(agent.packets.count)))
        browser.hangUp()
        gateway.run(for: .milliseconds(300))
        let file = try #require(disk.only)
        let sound = try #require(StereoSound(wave: file.bytes))
        for (side, hertz) in [(sound.left, 1000.0), (sound.right, 700.0)] {
            let report = ToneMeter.analyse(side, rate: sound.rate, expectedHz: hertz)
            #expect(abs(report.frequency - hertz) < 1 && report.gaps.isEmpty && report.snr > 20)
        }
    }

    @Test func keysAreEventsAndNotPackets() throws {
        let gateway = VirtualGateway()
        let (browser, agent) = try browser(gateway)
        gateway.run(for: .milliseconds(500))
        browser.press(5)
        gateway.run(for: .seconds(1))
        #expect(agent.events("dtmf").map { $0["digit"] as? String } == ["5"])
        agent.post(#"{"event":"dtmf","id":2,"digits":"12"}"#)
        gateway.run(for: .seconds(1))
        #expect(BridgedDigitTests.keys(browser.listener, type: 110, step: 960) == [1, 2])
    }

    @Test func whatCannotBeDoneToPacketsIsRefused() throws {
        let gateway = VirtualGateway()
        let (_, agent) = try browser(gateway)
        agent.post(#"{"event":"set","id":2,"gain_db":-6}"#)
        #expect(agent.events("error").last?["code"] as? String == "not_allowed" && agent.socket?.closeCode == nil)
        let packet = try Self.packets(hertz: 700, seconds: 0.5)[5]
        for _ in 0..<3010 { agent.say(packet: packet, samples: 960) }
        #expect(agent.events("error").last?["code"] as? String == "buffer_overflow" && agent.events("flow").count == 1)
        // A packet that repeats what was said is dropped.
        agent.say(packet: packet, samples: 960, pts: 0)
        #expect(agent.socket?.closeCode == nil)
        agent.say(packet: [0x03], samples: 960, pts: 3010 * 960)
        #expect(agent.socket?.closeCode == 4400)
    }
}
