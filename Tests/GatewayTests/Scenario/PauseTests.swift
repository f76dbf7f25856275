import NIOCore
import TestKit
import Testing
import Transcode

@testable import Gateway

/// A call with a browser that asks for pauses (`usedtx`), as a whole.
@Suite struct PauseTests {
    private static func browser(of gateway: VirtualGateway, _ change: (inout FakeBrowser.Options) -> Void = { _ in }) throws -> (FakeBrowser, FakeAgent) {
        gateway.turn = .milliseconds(5)
        var options = FakeBrowser.Options()
        options.opusParameters = "minptime=10;useinbandfec=1;usedtx=1"
        options.sendsReports = true
        change(&options)
        let browser = gateway.browser(options)
        browser.speaker.canned = [0xF8, 0xFF, 0xFE]
        browser.call("assistant")
        #expect(gateway.run(for: .seconds(3)) { gateway.agent?.media.isEmpty == false })
        let agent = try #require(gateway.agent)
        agent.isBrief = true
        return (browser, agent)
    }

    private static func speak(_ seconds: Double, _ agent: FakeAgent, _ gateway: VirtualGateway, pause: Double = 2) {
        agent.say(SoundMaterial.tone(hertz: 700, seconds: seconds, rate: 8000))
        gateway.run(for: .milliseconds(Int64((seconds + pause) * 1000)))
    }

    @Test func anAgentThatFallsSilentIsHeardAgainInTime() throws {
        let gateway = VirtualGateway()
        let (browser, agent) = try Self.browser(of: gateway)
        // What we ask for is what it was.
        #expect(!browser.answer.contains("usedtx"))
        gateway.run(for: .seconds(2))
        browser.listener.forget()
        for _ in 0..<5 { Self.speak(1, agent, gateway) }
        let packets = browser.listener.audioPackets
        // Of five seconds of tone and as many pauses of two: 250, and of each pause the first 10 and some ten more.
        #expect((300..<375).contains(packets.count), "\(packets.count)")
        for (earlier, later) in zip(packets, packets.dropFirst()) {
            let step = later.timestamp &- earlier.timestamp
            #expect(later.sequence == earlier.sequence &+ 1 && later.marker == (step > 960))
        }
        // Our axis goes by the wall's clock through every pause.
        let first = try #require(packets.first)
        let offsets = packets.map { packet -> Int64 in
            let passed = (packet.at - first.at).nanoseconds / 1_000_000
            return passed - Int64(packet.timestamp &- first.timestamp) / 48
        }
        let spread = (offsets.max() ?? 0) - (offsets.min() ?? 0)
        #expect(spread <= 20)
        let figures = try #require(gateway.call()?.caller?.figures.rtp)
        #expect(figures.peerLost == 0 && figures.peerFractionLost == 0)
        #expect(gateway.call()?.caller?.port.adaptation?.decision.bitrate == 24_000)
    }

    /// Copies (RFC 2198) are of what was sent, at the distance at which it was.
    @Test func copiesAreOfPacketsThatWereSent() throws {
        let gateway = VirtualGateway()
        let (browser, agent) = try Self.browser(of: gateway) { $0.redundancy = true }
        browser.downlink.loss = .independent(0.08)
        Self.speak(20, agent, gateway, pause: 0)
        #expect(gateway.call()?.caller?.port.adaptation?.decision.isRedundant == true)
        browser.downlink.loss = .none
        browser.listener.forget()
        for _ in 0..<3 { Self.speak(0.5, agent, gateway, pause: 1) }
        let packets = browser.listener.packets
        var copies = 0
        for (earlier, packet) in zip(packets, packets.dropFirst()) {
            guard packet.payloadType == FakeBrowser.redundancyType else {
                // A pause is longer than the 14 bits of a copy's distance.
                #expect(packet.timestamp &- earlier.timestamp > 0x3FFF)
                continue
            }
            let length = Int(packet.payload[2] & 3) << 8 | Int(packet.payload[3])
            let distance = UInt32(packet.payload[1]) << 6 | UInt32(packet.payload[2] >> 2)
            #expect(distance == packet.timestamp &- earlier.timestamp)
            #expect(Array(packet.payload[5..<5 + length]) == Self.sound(of: earlier))
            copies += 1
        }
        #expect(copies > 100 && copies < packets.count - 5)
    }

    /// The packet's own payload.
    private static func sound(of packet: Listener.Packet) -> [UInt8] {
        guard packet.payloadType == FakeBrowser.redundancyType else { return packet.payload }
        let length = Int(packet.payload[2] & 3) << 8 | Int(packet.payload[3])
        return Array(packet.payload[(5 + length)...])
    }

    /// Long packets, a narrow line: the bitrate is that of the line, and a pause neither lowers nor raises it.
    @Test func aNarrowLineIsNotMeasuredByPauses() throws {
        let gateway = VirtualGateway()
        let (browser, agent) = try Self.browser(of: gateway) { $0.transportFeedback = true }
        browser.downlink.queueLimit = .seconds(4)
        browser.downlink.rate = 30_000
        Self.speak(20, agent, gateway, pause: 0)
        let port = try #require(gateway.call()?.caller?.port)
        let narrow = try #require(port.adaptation?.decision)
        #expect((8000..<24_000).contains(narrow.bitrate), "\(narrow)")
        for _ in 0..<4 { Self.speak(1.5, agent, gateway, pause: 1.5) }
        let after = try #require(port.adaptation?.decision)
        #expect((8000..<24_000).contains(after.bitrate), "\(narrow), \(after)")
        #expect(port.statistics.peerLost == 0)
    }

    /// A phone's line is never quite silent: its noise is left out all the same, and what is said is not.
    @Test func aPhonesQuietLineIsLeftOut() throws {
        let gateway = VirtualGateway()
        gateway.turn = .milliseconds(5)
        var options = FakeBrowser.Options()
        options.opusParameters = "useinbandfec=1;usedtx=1"
        let browser = gateway.browser(options)
        let callee = gateway.callee()
        browser.speaker.canned = [0xF8, 0xFF, 0xFE]
        var noise = SoundMaterial.noise(seconds: 12, rate: 8000, level: -60, seed: 8)[...]
        callee.speaker.background = { count in
            defer { noise = noise.dropFirst(count) }
            return Array(noise.prefix(count))
        }
        browser.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(3)) { browser.events.last == .connected })
        gateway.run(for: .seconds(1))
        browser.listener.forget()
        gateway.run(for: .seconds(4))
        #expect(browser.listener.audioPackets.count < 100, "\(browser.listener.audioPackets.count) of 200")
        browser.listener.forget()
        callee.speaker.say(SoundMaterial.tone(hertz: 700, seconds: 1, rate: 8000))
        gateway.run(for: .milliseconds(1200))
        let report = ToneMeter.analyse(browser.listener.sound, rate: 48_000, expectedHz: 700)
        #expect(abs(report.frequency - 700) < 0.5 && report.gaps.isEmpty, "\(report)")
        #expect(abs((report.lastSoundAt ?? 0) - (report.firstSoundAt ?? 0) - 1000) < 12, "\(report)")
    }
}
