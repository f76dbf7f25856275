import TestKit
import Testing
import Transcode

@Suite("Concealment of lost packets")
struct WaveformConcealmentTests {
    static let rates = [8000, 16000, 24000, 48000]
    static let tones: [Double] = [100, 127, 160, 233, 310, 400]

    /// The sound with 20 ms frames of it lost.
    private func heard(_ said: [Int16], rate: Int, lost: Set<Int>) -> [Int16] {
        let concealment = WaveformConcealment(rate: rate)
        var heard: [Int16] = []
        for (index, frame) in said.chunks(of: rate / 50).enumerated() {
            var samples = frame
            samples.withUnsafeMutableBufferPointer {
                if lost.contains(index) { _ = concealment.fill($0) } else { concealment.received($0) }
            }
            heard += samples
        }
        return heard
    }

    @Test("A voice's pitch goes on through 20 ms without a click at either end", arguments: rates, tones)
    func pitch(rate: Int, hertz: Double) {
        let said = SoundMaterial.tone(hertz: hertz, seconds: 0.4, rate: rate, level: -12)
        let heard = heard(said, rate: rate, lost: [8])
        let frame = rate / 50
        let lost = Array(heard[8 * frame..<9 * frame])
        let fit = SineFit(lost, hertz: hertz, rate: rate)
        // Half of it fades a little.
        #expect(abs(fit.level + 12) < 1.5 && fit.distortion < -14, "\(fit.level) dBFS, \(fit.distortion) dB")
        let steps = zip(heard, heard.dropFirst()).map { abs(Int($0) - Int($1)) }
        let steepest = zip(said, said.dropFirst()).map { abs(Int($0) - Int($1)) }.max() ?? 0
        #expect((steps.max() ?? 0) <= steepest * 3 / 2 + 2, "a step of \(steps.max() ?? 0), of the tone \(steepest)")
        #expect(heard[..<(8 * frame)] == said[..<(8 * frame)])
        #expect(heard[(9 * frame + rate / 100)...] == said[(9 * frame + rate / 100)...])
    }

    @Test("A long loss fades from 10 ms on and is silence from 60 ms on; what follows fades in", arguments: rates)
    func fade(rate: Int) {
        let said = SoundMaterial.tone(hertz: 200, seconds: 1, rate: rate, level: -6)
        let heard = heard(said, rate: rate, lost: Set(10..<20))
        let frame = rate / 50
        let levels = (10..<13).map { Array(heard[$0 * frame..<($0 + 1) * frame]).level }
        #expect(abs(levels[0] - said.level) < 1.5 && levels[1] < levels[0] - 2 && levels[2] < levels[1] - 4, "\(levels)")
        #expect(heard[13 * frame..<20 * frame].allSatisfy { $0 == 0 })
        #expect(abs(Int(heard[20 * frame])) < 400)
        #expect(heard[(20 * frame + rate / 100)...] == said[(20 * frame + rate / 100)...])
    }

    @Test("Speech with lost packets is nearer to what was said than with holes", arguments: [8000, 16000])
    func speech(rate: Int) {
        let said = SoundMaterial.speech(seconds: 3, rate: rate, seed: 5)
        var generator = SeededGenerator(seed: 9)
        let lost = Set((5..<150).filter { _ in generator.happens(0.1) })
        let heard = heard(said, rate: rate, lost: lost)
        var holes = said
        for frame in lost where (frame + 1) * rate / 50 <= said.count {
            for index in frame * rate / 50..<(frame + 1) * rate / 50 { holes[index] = 0 }
        }
        #expect(heard.count == said.count)
        #expect(heard.difference(to: said) < 0.9 * holes.difference(to: said))
    }

    @Test("Pieces and losses of any length, the loudest noise: nothing traps, and a reset forgets", arguments: rates)
    func anything(rate: Int) {
        let concealment = WaveformConcealment(rate: rate)
        var generator = SeededGenerator(seed: UInt64(rate))
        for round in 0..<200 {
            let count = round % 7 == 0 ? rate / 8 : Int.random(in: 0...rate / 40, using: &generator)
            var samples = (0..<count).map { _ in Bool.random(using: &generator) ? Int16.max : Int16.min }
            samples.withUnsafeMutableBufferPointer {
                if generator.happens(0.4) { #expect(concealment.fill($0) == count) } else { concealment.received($0) }
            }
        }
        concealment.reset()
        var silence = [Int16](repeating: 1, count: rate / 50)
        silence.withUnsafeMutableBufferPointer { _ = concealment.fill($0) }
        #expect(silence.allSatisfy { $0 == 0 })
    }
}
