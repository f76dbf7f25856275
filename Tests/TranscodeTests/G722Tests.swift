import TestKit
import Testing
import Transcode

@Suite("G.722")
struct G722Tests {
    private func coded(_ samples: [Int16], milliseconds: Int = 20) throws -> [[UInt8]] {
        let encoder = try #require(G722Encoder(frameMilliseconds: milliseconds))
        return samples.chunks(of: encoder.frameSamples).map { encoder.encode($0) }
    }

    @Test("Tones of the lower and the upper band come back clean, two samples a byte", arguments: [300.0, 1000, 3400, 5000, 6500])
    func tones(hertz: Double) throws {
        let tone = SoundMaterial.tone(hertz: hertz, seconds: 1, rate: G722.rate, level: -12)
        let decoder = try #require(G722Decoder())
        let payloads = try coded(tone)
        #expect(payloads.allSatisfy { $0.count == 160 })
        let heard = payloads.flatMap { decoder.decode($0) }
        #expect(heard.count == tone.count)
        let report = ToneMeter.analyse(Array(heard.dropFirst(1600)), rate: G722.rate, expectedHz: hertz)
        #expect(abs(report.frequency - hertz) < 0.5)
        // The upper band has two bits a sample.
        #expect(report.snr > (hertz < 4000 ? 30 : 15), "\(report.snr) dB")
        #expect(abs(heard.level - tone.level) < 0.5)
    }

    @Test("Speech keeps its shape, whatever the length of the packets", arguments: [10, 20, 30, 60])
    func speech(milliseconds: Int) throws {
        let said = SoundMaterial.speech(seconds: 2, rate: G722.rate, seed: 3)
        let decoder = try #require(G722Decoder())
        let heard = try coded(said, milliseconds: milliseconds).flatMap { decoder.decode($0) }
        #expect(Correlation.best(of: said, in: heard, rate: G722.rate).coefficient > 0.97)
    }

    @Test("A lost frame is mostly restored, a long loss fades to silence")
    func concealment() throws {
        let payloads = try coded(SoundMaterial.tone(hertz: 200, seconds: 0.6, rate: G722.rate, level: -18))
        let whole = try #require(G722Decoder())
        // The codec's own delay is in both.
        let voice = payloads.flatMap { whole.decode($0) }
        let decoder = try #require(G722Decoder())
        var heard: [Int16] = []
        for (index, payload) in payloads.enumerated() {
            heard += index == 10 ? decoder.conceal(samples: 320) : decoder.decode(payload)
        }
        let lost = 3200..<3520
        let error = Array(heard[lost]).difference(to: Array(voice[lost]))
        let silence = [Int16](repeating: 0, count: 320).difference(to: Array(voice[lost]))
        #expect(error < 0.6 * silence, "error \(error), of silence \(silence)")
        for _ in 0..<5 { _ = decoder.conceal(samples: 320) }
        #expect(decoder.conceal(samples: 320).allSatisfy { $0 == 0 })
    }

    @Test("Any bytes decode; nothing is written past a short buffer")
    func hostile() throws {
        let decoder = try #require(G722Decoder())
        var generator = SeededGenerator(seed: 8)
        for _ in 0..<500 {
            let bytes = (0..<Int.random(in: 0...700, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let expected = bytes.count * 2 > G722.rate / 1000 * 120 ? 0 : bytes.count * 2
            #expect(decoder.decode(bytes).count == expected)
            #expect(bytes.withUnsafeBytes { decoder.duration(of: $0) } == (bytes.isEmpty ? nil : bytes.count * 2))
        }
        let encoder = try #require(G722Encoder())
        #expect(encoder.encode([1, 2, 3]).isEmpty)
        #expect(encoder.encode([]).isEmpty)
    }

    @Test("Reset forgets the stream so far")
    func reset() throws {
        let said = SoundMaterial.speech(seconds: 0.5, rate: G722.rate, seed: 4)
        let (encoder, decoder) = (try #require(G722Encoder()), try #require(G722Decoder()))
        func pass() -> [Int16] { said.chunks(of: 320).flatMap { decoder.decode(encoder.encode($0)) } }
        let first = pass()
        encoder.reset()
        decoder.reset()
        #expect(pass() == first)
    }
}
