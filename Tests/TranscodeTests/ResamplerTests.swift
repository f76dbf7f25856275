import Glibc
import TestKit
import Testing
import Transcode

@Suite("Resampler")
struct ResamplerTests {
    struct Pair: Sendable, CustomTestStringConvertible {
        let from: Int
        let to: Int
        var lower: Int { min(from, to) }
        var testDescription: String { "\(from) to \(to)" }
    }

    static let pairs = Resampler.rates.flatMap { from in
        Resampler.rates.filter { $0 != from }.map { Pair(from: from, to: $0) }
    }

    @Test("Passband: flat to 0.1 dB, distortion, noise and images 80 dB down", arguments: pairs)
    func passband(pair: Pair) throws {
        for fraction in [0.013, 0.05, 0.125, 0.19, 0.25, 0.31, 0.37, 0.40, 0.42] {
            let hertz = fraction * Double(pair.lower)
            let output = try resampledTone(pair, hertz: hertz)
            let fit = SineFit(output, hertz: hertz, rate: pair.to)
            #expect(abs(fit.level - -6) <= 0.1, "\(hertz) Hz comes out at \(fit.level) dB")
            #expect(fit.distortion <= -80, "\(hertz) Hz has THD+N of \(fit.distortion) dB")
        }
    }

    @Test("Stop band: what the lower rate cannot hold is 80 dB down", arguments: pairs.filter { $0.to < $0.from })
    func aliases(pair: Pair) throws {
        for step in 0...12 {
            let fraction = 0.58 + (Double(pair.from) / Double(pair.to) / 2 - 0.58) * Double(step) / 12.5
            let output = try resampledTone(pair, hertz: fraction * Double(pair.lower))
            #expect(output.level - -6 <= -80, "\(fraction) of the rate comes through at \(output.level) dB")
        }
    }

    /// 0.3 s of a tone of -6 dBFS, resampled in 20 ms frames, without the filter's beginning.
    private func resampledTone(_ pair: Pair, hertz: Double) throws -> [Int16] {
        let resampler = try #require(Resampler(from: pair.from, to: pair.to))
        let input = SoundMaterial.tone(hertz: hertz, seconds: 0.3, rate: pair.from, level: -6)
        return Array(resampler.process(input, chunk: pair.from / 50).dropFirst(pair.to / 50))
    }

    @Test("Chunks of every size from 1 to 500 give the same samples as one piece", arguments: pairs)
    func chunks(pair: Pair) throws {
        let whole = try #require(Resampler(from: pair.from, to: pair.to))
        let input = SoundMaterial.speech(seconds: 1, rate: pair.from, seed: 5).suffix(1201)
        let expected = whole.process(Array(input))
        #expect(expected.level > -40)
        let resampler = try #require(Resampler(from: pair.from, to: pair.to))
        for size in 1...500 {
            resampler.reset()
            let output = resampler.process(Array(input), chunk: size)
            guard output == expected else {
                Issue.record("chunks of \(size) differ")
                return
            }
        }
    }

    @Test("A tone has no click whatever the chunks", arguments: pairs)
    func clicks(pair: Pair) throws {
        var random = SeededGenerator(seed: 9)
        let resampler = try #require(Resampler(from: pair.from, to: pair.to))
        let input = SoundMaterial.tone(hertz: 440, seconds: 2, rate: pair.from)
        var output: [Int16] = []
        var position = 0
        while position < input.count {
            let end = min(input.count, position + Int.random(in: 1...2000, using: &random))
            output += resampler.process(Array(input[position..<end]))
            position = end
        }
        let report = ToneMeter.analyse(output, rate: pair.to, expectedHz: 440)
        #expect(report.clicks == 0)
        #expect(report.gaps.isEmpty)
        #expect(report.snr > 75)
    }

    @Test("20 ms in is 20 ms out from the first frame on", arguments: pairs)
    func frames(pair: Pair) throws {
        let resampler = try #require(Resampler(from: pair.from, to: pair.to))
        for _ in 0..<50 {
            #expect(resampler.process([Int16](repeating: 0, count: pair.from / 50)).count == pair.to / 50)
        }
    }

    @Test("Not one sample more or less over ten million, in chunks of any size", arguments: pairs)
    func exactCount(pair: Pair) throws {
        let total = 10_000_000
        let resampler = try #require(Resampler(from: pair.from, to: pair.to))
        let input = [Int16](repeating: 1000, count: 4001)
        var output = [Int16](repeating: 0, count: resampler.maximumOutput(for: input.count))
        var random = SeededGenerator(seed: 3)
        var (read, written) = (0, 0)
        while read < total {
            let count = min(total - read, Int.random(in: 1...4001, using: &random))
            written += input.withUnsafeBufferPointer { source in
                output.withUnsafeMutableBufferPointer {
                    resampler.process(UnsafeBufferPointer(rebasing: source[..<count]), into: $0)
                }
            }
            read += count
        }
        #expect(written == (total * pair.to + pair.from - 1) / pair.from)
    }

    @Test("The delay is what it says, and at most 2 ms", arguments: pairs)
    func latency(pair: Pair) throws {
        let resampler = try #require(Resampler(from: pair.from, to: pair.to))
        #expect(resampler.latencySeconds <= 0.002)
        // A smooth pulse in the middle: its centre of mass moves by the delay.
        let count = pair.from / 10
        let width = Double(pair.from) / 1500
        let input = (0..<count).map { Int16(20000 * exp(-pow((Double($0) - Double(count / 2)) / width, 2))) }
        let output = resampler.process(input)
        let mass = output.reduce(0.0) { $0 + Double($1) }
        let centre = output.enumerated().reduce(0.0) { $0 + Double($1.offset) * Double($1.element) } / mass
        let delay = centre / Double(pair.to) - Double(count / 2) / Double(pair.from)
        #expect(abs(delay - resampler.latencySeconds) < 0.00005, "measured \(delay * 1000) ms")
    }

    @Test("Overshoot is clipped, never wrapped", arguments: pairs)
    func clipping(pair: Pair) throws {
        let resampler = try #require(Resampler(from: pair.from, to: pair.to))
        let period = pair.from / 200
        let input = (0..<pair.from / 2).map { $0 % period < period / 2 ? Int16.max : Int16.min }
        let output = resampler.process(input).dropFirst(pair.to / 100)
        // A wrap would put a sample of the other sign in the middle of a half wave.
        let half = pair.to / 400
        let delay = Int((resampler.latencySeconds * Double(pair.to)).rounded())
        for index in output.indices where (index - delay) % half > half / 4 && (index - delay) % half < half * 3 / 4 {
            let isHigh = (index - delay) / half % 2 == 0
            #expect(isHigh ? output[index] > 20000 : output[index] < -20000)
        }
    }

    @Test("Equal rates copy; other rates are refused")
    func edges() throws {
        let copy = try #require(Resampler(from: 16000, to: 16000))
        let input = SoundMaterial.noise(seconds: 0.1, rate: 16000, level: -20, seed: 1)
        #expect(copy.process(input, chunk: 77) == input)
        #expect(copy.latencySeconds == 0)
        #expect(copy.process([]).isEmpty)
        #expect(Resampler(from: 44100, to: 8000) == nil)
        #expect(Resampler(from: 8000, to: 0) == nil)
    }
}
