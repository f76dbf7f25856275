import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Copies of earlier packets (RFC 2198), with a browser that offers them.
@Suite struct RedundancyTests {
    private static func browser(of gateway: VirtualGateway) -> FakeBrowser {
        var options = FakeBrowser.Options()
        options.redundancy = true
        options.sendsReports = true
        return gateway.browser(options)
    }

    @Test func whatTheNetworkLosesIsHeardFromTheNextPacket() throws {
        let gateway = VirtualGateway()
        let browser = Self.browser(of: gateway)
        browser.call("assistant")
        #expect(gateway.run(for: .seconds(3)) { gateway.agent?.media.isEmpty == false })
        let agent = try #require(gateway.agent)
        #expect(browser.answer.contains("a=fmtp:63 111/111"))
        // One in five, and never two in a row.
        let first = browser.frames.count
        browser.losesFrame = { $0 > first && $0 % 5 == 0 }
        browser.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 5, rate: 48000))
        gateway.run(for: .seconds(5))
        browser.losesFrame = { _ in false }
        gateway.run(for: .milliseconds(500))

        let figures = try #require(gateway.call()?.caller?.figures)
        #expect(figures.rtp.lost > 45)
        #expect(figures.inbound.restored == figures.rtp.lost)
        #expect(figures.inbound.recovered == 0)
        #expect(figures.inbound.concealedMilliseconds == 0)
        SoundBothWaysTests.expectGapFree(agent)
        let report = ToneMeter.analyse(agent.audio, rate: 8000, expectedHz: 1000)
        #expect(abs(report.frequency - 1000) < 0.2)
        #expect(report.snr > 20)
        #expect(report.gaps.isEmpty)
    }

    @Test func lossBringsCopiesAndTheirEndTakesThemAway() throws {
        let gateway = VirtualGateway()
        gateway.turn = .milliseconds(5)
        let browser = Self.browser(of: gateway)
        browser.speaker.canned = [0xF8, 0xFF, 0xFE]
        browser.call("assistant")
        #expect(gateway.run(for: .seconds(3)) { gateway.agent?.media.isEmpty == false })
        let agent = try #require(gateway.agent)
        agent.isBrief = true
        func speak(seconds: Int) {
            agent.say(SoundMaterial.tone(hertz: 700, seconds: Double(seconds), rate: 8000))
            gateway.run(for: .seconds(Int64(seconds)))
        }
        speak(seconds: 10)
        #expect(browser.listener.packets.allSatisfy { $0.payloadType == 111 })

        browser.downlink.loss = .independent(0.08)
        speak(seconds: 15)
        browser.listener.forget()
        speak(seconds: 10)
        #expect(browser.listener.packets.allSatisfy { $0.payloadType == FakeBrowser.redundancyType })
        let (packets, frames) = try Self.received(browser.listener.packets)
        let sent = Int(frames.keys.max() ?? 0) - Int(frames.keys.min() ?? 0) + 1
        #expect(Double(packets) < 0.96 * Double(sent))
        #expect(Double(frames.count) > 0.975 * Double(sent))

        browser.downlink.loss = .none
        speak(seconds: 60)
        browser.listener.forget()
        speak(seconds: 1)
        #expect(browser.listener.packets.allSatisfy { $0.payloadType == 111 })
        #expect(browser.listener.packets.count > 40)
    }

    /// Packets that came, and every frame that they or a copy in them brought, by its place in the stream.
    private static func received(_ packets: [Listener.Packet]) throws -> (count: Int, frames: [Int32: [UInt8]]) {
        var frames: [Int32: [UInt8]] = [:]
        let origin = try #require(packets.first?.timestamp)
        for packet in packets {
            let payload = packet.payload
            try #require(payload.count > 5 && payload[0] == 0x80 | 111 && payload[4] == 111)
            let offset = Int32(payload[1]) << 6 | Int32(payload[2] >> 2)
            let length = Int(payload[2] & 3) << 8 | Int(payload[3])
            try #require(payload.count > 5 + length)
            let place = Int32(bitPattern: packet.timestamp &- origin)
            for (time, frame) in [(place - offset, payload[5..<5 + length]), (place, payload[(5 + length)...])] {
                let frame = Array(frame)
                // A copy is a copy.
                #expect(frames[time / 960] == nil || frames[time / 960] == frame)
                frames[time / 960] = frame
            }
        }
        return (packets.count, frames)
    }
}
