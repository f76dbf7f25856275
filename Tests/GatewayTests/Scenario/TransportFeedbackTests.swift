import NIOCore
import TestKit
import Testing

@testable import Gateway

/// A browser that tells of every packet: congestion is seen within a second or so.
@Suite struct TransportFeedbackTests {
    private struct Reaction {
        /// From the bottleneck to the first lower bitrate, and the longest any packet took above the usual, milliseconds.
        var after: Int
        var longestQueue: Double
        /// In the last ten seconds.
        var settledQueue: Double
        var lost: Int
        var decision: OpusAdaptation.Decision
    }

    /// An agent speaks to a browser whose line becomes narrow.
    private static func reaction(to rate: Int, feedback: Bool) throws -> Reaction {
        let gateway = VirtualGateway()
        gateway.turn = .milliseconds(5)
        var options = FakeBrowser.Options()
        options.sendsReports = true
        options.transportFeedback = feedback
        let browser = gateway.browser(options)
        browser.downlink.queueLimit = .seconds(4)
        browser.listener.decodes = false
        browser.speaker.canned = [0xF8, 0xFF, 0xFE]
        browser.call("assistant")
        #expect(gateway.run(for: .seconds(3)) { gateway.agent?.media.isEmpty == false })
        #expect(browser.answer.contains("a=rtcp-fb:111 transport-cc") == feedback)
        let agent = try #require(gateway.agent)
        agent.isBrief = true
        let port = try #require(gateway.call()?.caller?.port)
        let speech = SoundMaterial.speech(seconds: 10, rate: 8000, seed: 23)
        agent.say(speech)
        gateway.run(for: .seconds(10))
        #expect(browser.numberedPackets > 400 || !feedback)
        let usual = try #require(port.adaptation?.decision)
        #expect(usual.bitrate == 24000)
        let origin = try #require(browser.listener.audioPackets.first?.timestamp)
        let transit = { (packet: Listener.Packet) in
            Double(packet.at.uptimeNanoseconds) / 1e6 - Double(Int32(bitPattern: packet.timestamp &- origin)) / 48
        }
        let unhindered = try #require(browser.listener.audioPackets.map(transit).min())

        browser.downlink.rate = rate
        browser.listener.forget()
        let narrowed = gateway.now
        var after: NIODeadline?
        for _ in 0..<4 {
            agent.say(speech)
            gateway.run(for: .seconds(10)) {
                if after == nil, port.adaptation?.decision != usual { after = gateway.now }
                return false
            }
        }
        let packets = browser.listener.audioPackets
        let settled = packets.filter { $0.at > gateway.now - .seconds(10) }
        let steps = zip(packets, packets.dropFirst()).map { Int($1.sequence &- $0.sequence) }
        return Reaction(
            after: Int(((after ?? gateway.now) - narrowed).nanoseconds / 1_000_000),
            longestQueue: (packets.map(transit).max() ?? 0) - unhindered, settledQueue: (settled.map(transit).max() ?? 0) - unhindered,
            lost: steps.reduce(0, +) - steps.count, decision: try #require(port.adaptation?.decision))
    }

    @Test(arguments: [30_000, 38_000]) func congestionIsSeenSoon(_ rate: Int) throws {
        let with = try Self.reaction(to: rate, feedback: true)
        let without = try Self.reaction(to: rate, feedback: false)
        #expect(with.after < 1500, "\(with)")
        #expect(with.after * 2 < without.after, "\(with.after) and \(without.after)")
        #expect(with.longestQueue < 0.6 * without.longestQueue, "\(with.longestQueue) and \(without.longestQueue)")
        #expect(with.settledQueue < 200)
        #expect(with.lost == 0)
        #expect((8000..<24000).contains(with.decision.bitrate))
    }

    /// A wide line again, and loss without a queue: as ever.
    @Test func whatIsNoCongestionChangesNothing() throws {
        let gateway = VirtualGateway()
        gateway.turn = .milliseconds(5)
        var options = FakeBrowser.Options()
        options.sendsReports = true
        options.transportFeedback = true
        let browser = gateway.browser(options)
        browser.listener.decodes = false
        browser.speaker.canned = [0xF8, 0xFF, 0xFE]
        browser.call("assistant")
        #expect(gateway.run(for: .seconds(3)) { gateway.agent?.media.isEmpty == false })
        let agent = try #require(gateway.agent)
        agent.isBrief = true
        let port = try #require(gateway.call()?.caller?.port)
        let speech = SoundMaterial.speech(seconds: 10, rate: 8000, seed: 23)
        func speak(tens: Int) {
            for _ in 0..<tens {
                agent.say(speech)
                gateway.run(for: .seconds(10))
            }
        }
        browser.downlink.jitter = .milliseconds(40)
        browser.downlink.loss = .independent(0.05)
        speak(tens: 4)
        #expect(port.adaptation?.decision.bitrate == 24000)
        #expect(port.adaptation?.decision.expectedLoss ?? 0 >= 5)

        browser.downlink.rate = 32_000
        speak(tens: 1)
        #expect(port.adaptation?.decision.bitrate ?? 0 < 24000)
        browser.downlink.rate = 0
        browser.downlink.loss = .none
        speak(tens: 9)
        #expect(port.adaptation?.decision == .init(bitrate: 24000, expectedLoss: 0, packetTime: 20, isRedundant: false))
    }
}
