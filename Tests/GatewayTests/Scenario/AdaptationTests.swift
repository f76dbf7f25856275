import NIOCore
import RTP
import TestKit
import Testing
import Transcode

@testable import Gateway

/// What the browser reports of the network changes what it is sent.
@Suite struct AdaptationTests {
    @Test func atTenPercentLossSpeechIsUnderstood() throws {
        let protected = try Self.hearing(opus: "minptime=10;useinbandfec=1")
        let bare = try Self.hearing(opus: "minptime=10")
        #expect(protected.expectedLoss >= 10)
        #expect(bare.expectedLoss == 0)
        // Spoiled are blocks that are nothing like what was said.
        #expect(protected.spoiled < 0.5 * bare.spoiled, "\(protected.spoiled) with error correction, \(bare.spoiled) without")
        #expect(protected.correlation > 0.9)
        #expect(protected.recovered > 20)
        #expect(bare.recovered == 0)
    }

    /// 20 ms of silence in Opus.
    private static let silentFrame: [UInt8] = [0xF8, 0xFF, 0xFE]

    private struct Hearing {
        /// The share of sounding 20 ms blocks whose spectrum is more than 9 dB off what was said.
        var spoiled: Double
        var correlation: Double
        var recovered: Int
        var expectedLoss: Int
    }

    /// An agent speaks to a browser that loses every tenth packet.
    private static func hearing(opus parameters: String) throws -> Hearing {
        let gateway = VirtualGateway()
        gateway.turn = .milliseconds(5)
        var options = FakeBrowser.Options()
        options.sendsReports = true
        options.opusParameters = parameters
        let browser = gateway.browser(options)
        browser.call("assistant")
        #expect(gateway.run(for: .seconds(3)) { gateway.agent?.media.isEmpty == false })
        let agent = try #require(gateway.agent)
        agent.isBrief = true
        browser.downlink.loss = .independent(0.1)
        browser.speaker.canned = silentFrame
        agent.say(SoundMaterial.tone(hertz: 500, seconds: 9, rate: 8000))
        gateway.run(for: .seconds(10))
        browser.listener.forget()
        let speech = SoundMaterial.speech(seconds: 6, rate: 8000, seed: 22)
        agent.say(speech)
        gateway.run(for: .seconds(7))

        let decision = try #require((gateway.call()?.caller?.port)?.adaptation?.decision)
        let (heard, recovered) = try decoded(browser.listener.audioPackets)
        let place = Correlation.best(of: Array(speech[8000..<16000]), in: heard, rate: 8000)
        let lag = place.lag - 8000
        try #require(place.coefficient > 0.5 && lag >= 0 && lag + 8000 < heard.count)
        let distances = LossTests.spectralDistances(speech, Array(heard[lag...]))
        return Hearing(
            spoiled: Double(distances.count { $0 > 9 }) / Double(distances.count),
            correlation: Correlation.best(of: Array(speech[8000..<40000]), in: heard, rate: 8000).coefficient, recovered: recovered,
            expectedLoss: decision.expectedLoss)
    }

    /// As a browser plays it: what is missing is taken from the next packet, else concealed.
    private static func decoded(_ packets: [Listener.Packet]) throws -> (sound: [Int16], recovered: Int) {
        let decoder = try #require(CodecCatalogue.makeDecoder(name: "opus", rate: 8000))
        var sound: [Int16] = []
        var recovered = 0
        func append(_ body: (UnsafeMutableBufferPointer<Int16>) -> Int) {
            sound += [Int16](unsafeUninitializedCapacity: 960) { samples, count in count = body(samples) }
        }
        for (index, packet) in packets.enumerated() {
            let missing = index == 0 ? 0 : Int(packet.sequence &- packets[index - 1].sequence) - 1
            for lost in 0..<missing {
                append { samples in
                    let isLast = lost == missing - 1
                    let restored = isLast ? packet.payload.withUnsafeBytes { decoder.recover(from: $0, samples: 160, into: samples) } : nil
                    if restored != nil { recovered += 1 }
                    return restored ?? decoder.conceal(samples: 160, into: samples)
                }
            }
            append { samples in packet.payload.withUnsafeBytes { decoder.decode($0, into: samples) } }
        }
        return (sound, recovered)
    }

    @Test func aNarrowLineCarriesSoundWithoutALongQueue() throws {
        let gateway = VirtualGateway()
        gateway.turn = .milliseconds(5)
        var options = FakeBrowser.Options()
        options.sendsReports = true
        let browser = gateway.browser(options)
        browser.listener.decodes = false
        browser.speaker.canned = Self.silentFrame
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
        speak(tens: 1)
        let usual = try #require(port.adaptation?.decision)
        #expect(usual == .init(bitrate: 24000, expectedLoss: 0, packetTime: 20, isRedundant: false))
        let origin = try #require(browser.listener.audioPackets.first?.timestamp)
        let unhindered = try #require(Self.transits(browser.listener.audioPackets, since: origin).min())

        browser.downlink.rate = 30_000
        speak(tens: 3)
        browser.listener.forget()
        speak(tens: 2)
        let narrow = try #require(port.adaptation?.decision)
        #expect(narrow.packetTime >= 40)
        #expect((8000...24000).contains(narrow.bitrate))
        let packets = browser.listener.audioPackets
        let longest = try #require(Self.transits(packets, since: origin).max())
        #expect(longest - unhindered < 300)
        // Nearly all of the sound comes through.
        let steps = zip(packets, packets.dropFirst()).map { Int($1.sequence &- $0.sequence) }
        #expect(packets.count > 300)
        #expect(steps.reduce(0, +) - steps.count < packets.count / 50)

        browser.downlink.rate = 0
        speak(tens: 8)
        #expect(port.adaptation?.decision == usual)
    }

    /// When packets came beside the time they carry since `origin`, milliseconds.
    private static func transits(_ packets: [Listener.Packet], since origin: UInt32) -> [Double] {
        packets.map { Double($0.at.uptimeNanoseconds) / 1e6 - Double(Int32(bitPattern: $0.timestamp &- origin)) / 48 }
    }
}
