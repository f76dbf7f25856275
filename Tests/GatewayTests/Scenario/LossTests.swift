import NIOCore
import SDP
import TestKit
import Testing
import Transcode

@testable import Gateway

/// Packets that the network loses: what can be restored is restored.
@Suite struct LossTests {
    /// Frames lost in one run: one in twenty, never two in a row.
    private static func singleLosses(of count: Int, from first: Int, seed: UInt64) -> Set<Int> {
        var generator = SeededGenerator(seed: seed)
        var lost: Set<Int> = []
        for index in first..<count where generator.happens(0.0526) && !lost.contains(index - 1) { lost.insert(index) }
        return lost
    }

    @Test func forwardErrorCorrectionSoundsBetterThanConcealment() throws {
        let gateway = VirtualGateway()
        let browser = gateway.browser()
        browser.call("assistant")
        #expect(gateway.run(for: .seconds(3)) { gateway.agent?.media.isEmpty == false })
        let agent = try #require(gateway.agent)
        let lost = Self.singleLosses(of: 600, from: 60, seed: 11)
        browser.losesFrame = { lost.contains($0) }
        browser.speaker.say(SoundMaterial.speech(seconds: 11, rate: 48000, seed: 3))
        gateway.run(for: .seconds(11))

        let counters = try #require(gateway.call()?.caller?.figures.inbound)
        let happened = lost.filter { $0 < browser.frames.count - 1 }.count
        #expect(happened > 20)
        #expect(counters.recovered > happened / 2)
        SoundBothWaysTests.expectGapFree(agent)

        // The same packets without loss, and with every loss concealed.
        let clean = try Self.decoded(browser.frames, lost: [])
        let concealed = try Self.decoded(browser.frames, lost: lost)
        let start = try #require(Self.offset(of: clean, in: agent.audio))
        let heard = Array(agent.audio[start...])
        let (recovery, concealment) = (Self.spectralDistance(clean, heard), Self.spectralDistance(clean, concealed))
        #expect(recovery < 0.8 * concealment, "recovered \(recovery), concealed \(concealment)")
        try Self.write(["clean": clean, "recovered": heard, "concealed": concealed])
    }

    /// What a decoder without FEC makes of the packets, through µ-law as the agent hears it.
    private static func decoded(_ frames: [Speaker.Frame], lost: Set<Int>) throws -> [Int16] {
        let decoder = try #require(CodecCatalogue.makeDecoder(name: "opus", rate: 8000))
        var sound: [Int16] = []
        for (index, frame) in frames.enumerated() {
            sound += [Int16](unsafeUninitializedCapacity: 960) { samples, count in
                count =
                    lost.contains(index)
                    ? decoder.conceal(samples: 160, into: UnsafeMutableBufferPointer(rebasing: samples[0..<160]))
                    : frame.payload.withUnsafeBytes { decoder.decode($0, into: samples) }
            }
        }
        let law = FakeAgent.encode(sound)
        return [Int16](unsafeUninitializedCapacity: law.count) { samples, count in
            count = law.withUnsafeBytes { G711.decode($0, into: samples, law: .mu) }
        }
    }

    /// Where the stream at the agent has the first loud second of `clean`, in samples from its first frame.
    private static func offset(of clean: [Int16], in heard: [Int16]) -> Int? {
        guard let loud = clean.firstIndex(where: { abs(Int($0)) > 1000 }), loud + 4000 < clean.count else { return nil }
        let match = Correlation.best(of: Array(clean[loud..<loud + 4000]), in: heard, rate: 8000)
        return match.coefficient > 0.9 && match.lag >= loud ? match.lag - loud : nil
    }

    /// Mean distance in dB between the spectra of two recordings, over the 20 ms blocks that are not silent.
    static func spectralDistance(_ reference: [Int16], _ other: [Int16]) -> Double {
        let distances = spectralDistances(reference, other)
        return distances.isEmpty ? 0 : distances.reduce(0, +) / Double(distances.count)
    }

    /// The same of each of these blocks.
    static func spectralDistances(_ reference: [Int16], _ other: [Int16]) -> [Double] {
        var distances: [Double] = []
        for start in stride(from: 0, to: min(reference.count, other.count) - 160, by: 80) {
            let block = reference[start..<start + 160].map(Double.init)
            guard block.reduce(0, { $0 + $1 * $1 }) > 160 * 300 * 300 else { continue }
            let (first, second) = (bands(block), bands(other[start..<start + 160].map(Double.init)))
            distances.append((zip(first, second).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / Double(first.count)).squareRoot())
        }
        return distances
    }

    /// A windowed cosine and sine of 160 samples for each 200 Hz from 200 Hz to 3.2 kHz.
    private static let waves: [(real: [Double], imaginary: [Double])] = stride(from: 200.0, to: 3400, by: 200).map { frequency in
        let window = (0..<160).map { 0.5 - 0.5 * cosine(2 * Double.pi * (Double($0) + 0.5) / 160) }
        let angles = (0..<160).map { 2 * Double.pi * frequency * Double($0) / 8000 }
        return (zip(window, angles).map { $0 * cosine($1) }, zip(window, angles).map { $0 * cosine($1 - Double.pi / 2) })
    }

    /// The level in dB of each of these bands.
    private static func bands(_ block: [Double]) -> [Double] {
        waves.map { wave in
            var (real, imaginary) = (0.0, 0.0)
            for index in 0..<160 {
                real += block[index] * wave.real[index]
                imaginary += block[index] * wave.imaginary[index]
            }
            return 10 * logarithm(real * real + imaginary * imaginary + 1e4)
        }
    }

    /// Writes the recordings to the folder in `TANDEM_SOUNDS`, for a judge outside (PESQ).
    private static func write(_ recordings: [String: [Int16]]) throws {
        guard let folder = environment("TANDEM_SOUNDS") else { return }
        for (name, samples) in recordings { try WAVFile(rate: 8000, samples: samples).write(to: "\(folder)/fec-\(name).wav") }
    }

    @Test func lostPacketsOfAPhoneAreConcealed() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.media.isEmpty == false })
        let agent = try #require(gateway.agent)
        phone.uplink.loss = .independent(0.05)
        phone.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 10, rate: 8000))
        gateway.run(for: .seconds(9))
        phone.uplink.loss = .none
        gateway.run(for: .seconds(2))
        let counters = try #require(gateway.call()?.caller?.figures.inbound)
        #expect(counters.concealedMilliseconds >= 200)
        let report = ToneMeter.analyse(agent.audio, rate: 8000, expectedHz: 1000)
        #expect(abs(report.frequency - 1000) < 1)
        #expect(report.longestGap < 21)
        SoundBothWaysTests.expectGapFree(agent)
    }

    /// The pitch of a man's voice goes on through lost packets, at 16 kHz too.
    @Test(arguments: [AudioCodec.pcmu, .g722]) func aDeepVoiceIsConcealed(_ codec: AudioCodec) throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone(.init(codec: codec))
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.media.isEmpty == false })
        let agent = try #require(gateway.agent)
        let next = phone.uplink.sent
        phone.uplink.loss = .exactly(Set((1...9).map { next + 30 * $0 }))
        phone.speaker.say(SoundMaterial.tone(hertz: 110, seconds: 6, rate: phone.speaker.rate))
        gateway.run(for: .seconds(7))
        #expect(try #require(gateway.call()?.caller?.figures.inbound).concealedMilliseconds == 180)
        let report = ToneMeter.analyse(agent.audio, rate: 8000, expectedHz: 110)
        #expect(abs(report.frequency - 110) < 0.02 && report.longestGap == 0 && report.snr > 25, "\(report)")
        // G.722's decoder is out of step for a moment after a loss.
        if codec == .pcmu { #expect(report.clicks == 0) }
    }

    @Test func aDelayedNetworkOfReorderedPacketsIsWaitedForOnlyWhileItReorders() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        let browser = gateway.browser()
        phone.call("assistant")
        browser.call("assistant")
        #expect(gateway.run(for: .seconds(2)) { gateway.agents.count == 2 && gateway.agents.allSatisfy { !$0.media.isEmpty } })
        phone.listener.decodes = false
        browser.listener.decodes = false
        let ports = gateway.loops[0].calls.values.compactMap { $0.caller?.port }
        try #require(ports.count == 2)
        gateway.run(for: .seconds(10))
        #expect(ports.map { $0.statistics.reorderingWait } == [.zero, .zero])

        for peer in [phone, browser] {
            peer.uplink.reordering = 0.1
            peer.uplink.reorderingDelay = .milliseconds(30)
        }
        gateway.run(for: .seconds(1))
        #expect(ports.allSatisfy { $0.statistics.reorderingWait >= .milliseconds(30) })
        let losses = ports.map { $0.statistics.lost }
        gateway.run(for: .seconds(9))
        // What is waited for is not lost.
        #expect(ports.map { $0.statistics.lost } == losses)
        #expect(ports.allSatisfy { $0.statistics.reordered > 20 })

        for peer in [phone, browser] { peer.uplink.reordering = 0 }
        gateway.run(for: .seconds(30))
        #expect(ports.map { $0.statistics.reorderingWait } == [.zero, .zero])
        for agent in gateway.agents { SoundBothWaysTests.expectGapFree(agent) }
    }
}
