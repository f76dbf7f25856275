import NIOCore
import SDP
import TestKit
import Testing
import Transcode

@testable import Gateway

/// Phones that send long packets over a network with jitter, cut silence out, or set their clock while they speak.
@Suite struct OddSenderTests {
    private static let hertz = 1000.0

    private func call(_ gateway: VirtualGateway, _ options: FakeTrunk.Options) throws -> (FakeTrunk, FakeAgent) {
        let phone = gateway.phone(options)
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.media.isEmpty == false })
        return (phone, try #require(gateway.agent))
    }

    private func say(_ seconds: Double, _ speaker: Speaker) {
        speaker.say(SoundMaterial.tone(hertz: Self.hertz, seconds: seconds, rate: speaker.rate))
    }

    /// A packet that is late by less than what is put up with finds its place free, however long it is.
    @Test(arguments: [20, 40, 60], [5, 30]) func jitterIsNoLoss(_ milliseconds: Int, _ jitter: Int64) throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try call(gateway, .init(packetMilliseconds: milliseconds))
        phone.uplink.jitter = .milliseconds(jitter)
        say(5, phone.speaker)
        gateway.run(for: .seconds(6))
        SoundBothWaysTests.expectTone(agent.audio, rate: 8000, hertz: Self.hertz, seconds: 5)
        let inbound = try #require(gateway.call()?.caller?.figures.inbound)
        #expect((inbound.concealedMilliseconds, inbound.filledMilliseconds, inbound.tooLate) == (0, 0, 0))
    }

    /// What is made up takes the place of the lost packet, and of no other.
    @Test(arguments: [20, 40, 60]) func aLostPacketCostsNoOther(_ milliseconds: Int) throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try call(gateway, .init(packetMilliseconds: milliseconds))
        phone.uplink.jitter = .milliseconds(10)
        let next = phone.uplink.sent
        phone.uplink.loss = .exactly([next + 20, next + 40, next + 60])
        say(5, phone.speaker)
        gateway.run(for: .seconds(6))
        let inbound = try #require(gateway.call()?.caller?.figures.inbound)
        #expect(inbound.concealedMilliseconds == 3 * milliseconds && inbound.filledMilliseconds == 0 && inbound.tooLate == 0)
        SoundBothWaysTests.expectGapFree(agent)
    }

    static let leaps = [700, 1900, 60_000, -100, -700, -1900, -60_000]

    @Test(arguments: leaps) func anAgentHearsOnWhenTheClockLeaps(_ milliseconds: Int) throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try call(gateway, .init())
        gateway.run(for: .seconds(3))
        let (start, count) = (gateway.now, agent.media.count)
        say(3, phone.speaker)
        gateway.run(for: .seconds(1))
        phone.speaker.leap(milliseconds: milliseconds)
        gateway.run(for: .seconds(3))
        // Five packets that seem to come again at most.
        expectHeard(agent.audio, rate: 8000, missing: 100)
        let due = Double((gateway.now - start).nanoseconds) / 20e6
        #expect(abs(Double(agent.media.count - count) - due) <= 4)
        SoundBothWaysTests.expectGapFree(agent)
    }

    @Test(arguments: leaps) func aBrowserHearsOnWhenTheClockLeaps(_ milliseconds: Int) {
        let gateway = VirtualGateway()
        let browser = gateway.browser()
        let callee = gateway.callee(.init())
        browser.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { callee.isAnswered && browser.events.last == .connected })
        gateway.run(for: .seconds(3))
        let before = browser.listener.audioPackets.count
        say(3, callee.speaker)
        gateway.run(for: .seconds(1))
        callee.speaker.leap(milliseconds: milliseconds)
        gateway.run(for: .seconds(3))
        AgentFailureTests.expectOneAxis(browser.listener)
        let packets = browser.listener.audioPackets.dropFirst(before)
        #expect(packets.count >= 195, "\(packets.count) packets of 200")
    }

    /// Packets longer than anything here sends, to an agent that hears another rate than the phone's: heard, or left out where they are
    /// longer than what one Ethernet frame holds of G.711.
    @Test(arguments: [(AudioCodec.pcmu, 160, true), (.pcmu, 240, false), (.g722, 180, true)])
    func longPacketsAreBorne(_ codec: AudioCodec, _ milliseconds: Int, isHeard: Bool) throws {
        for rate in [16_000, 48_000] {
            let gateway = VirtualGateway()
            gateway.prepareNative = { $0.accept = #"{"event":"accept","format":{"codec":"pcm_s16le","rate":\#(rate)}}"# }
            let phone = gateway.phone(.init(codec: codec, packetMilliseconds: milliseconds, telephoneEvents: false))
            phone.call("native")
            #expect(gateway.run(for: .seconds(2)) { (gateway.native?.nextPTS ?? 0) > 0 })
            say(1, phone.speaker)
            gateway.run(for: .seconds(2))
            let agent = try #require(gateway.native)
            let report = ToneMeter.analyse(agent.heard, rate: rate, expectedHz: Self.hertz)
            let fits = isHeard && (rate < 48_000 || milliseconds <= 120)
            #expect((abs(report.frequency - Self.hertz) < 1) == fits, "\(rate) Hz: \(report.frequency) Hz heard")
            let figures = try #require(gateway.call()?.caller?.figures.inbound)
            #expect((figures.undecodable == 0) == fits, "\(rate) Hz: \(figures)")
        }
    }

    /// The tone is there but for so many milliseconds.
    private func expectHeard(_ sound: [Int16], rate: Int, missing: Int, sourceLocation: SourceLocation = #_sourceLocation) {
        let loud = stride(from: 0, to: sound.count - rate / 100, by: rate / 100).count { start in
            sound[start..<start + rate / 100].contains { abs(Int($0)) > 1000 }
        }
        #expect((3000 - missing - 20...3000 + 80).contains(loud * 10), "\(loud * 10) ms of the tone", sourceLocation: sourceLocation)
    }

    /// Silence that a phone cuts out is noise as loud as its comfort-noise packet says, and no speech after it is cut.
    @Test(arguments: [nil, UInt8(70)]) func cutSilenceIsFilled(_ level: UInt8?) throws {
        let gateway = VirtualGateway()
        let (phone, agent) = try call(gateway, .init())
        phone.speaker.leavesSilenceOut = true
        let first = agent.audio.count
        for _ in 0..<3 {
            say(1, phone.speaker)
            gateway.run(for: .milliseconds(1001))
            if let level { phone.sendNoise(level: level) }
            gateway.run(for: .milliseconds(1999))
        }
        SoundBothWaysTests.expectGapFree(agent)
        let report = ToneMeter.analyse(Array(agent.audio[first...]), rate: 8000, expectedHz: Self.hertz)
        #expect(report.gaps.count == 2 && report.gaps.allSatisfy { abs($0.length - 2000) < 70 }, "\(report.gaps)")
        let figures = try #require(gateway.call()?.caller?.figures)
        #expect(figures.rtp.lost == 0)
        guard let level else { return }
        #expect(figures.inbound.concealedMilliseconds == 0)
        let noise = Array(agent.audio.suffix(4000)).withUnsafeBufferPointer { Level.dBFS($0) }
        #expect(abs(noise + Float(level)) < 3, "\(noise) dB")
    }

    /// Another phone hears that noise in place of a dead line.
    @Test(arguments: [nil, UInt8(60)]) func cutSilenceIsHeardAsNoise(_ level: UInt8?) {
        let gateway = VirtualGateway()
        let (phone, callee) = (gateway.phone(), gateway.callee())
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { phone.isAnswered && callee.acknowledged })
        callee.speaker.leavesSilenceOut = true
        say(1, callee.speaker)
        gateway.run(for: .milliseconds(1001))
        if let level { callee.sendNoise(level: level) }
        gateway.run(for: .seconds(2))
        let noise = Array(phone.listener.sound.suffix(8000)).withUnsafeBufferPointer { Level.dBFS($0) }
        #expect(level.map { abs(noise + Float($0)) < 3 } ?? (noise < -90), "\(noise) dB")
        AgentFailureTests.expectOneAxis(phone.listener)
    }
}
