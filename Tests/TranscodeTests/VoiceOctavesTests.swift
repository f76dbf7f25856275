import TestKit
import Testing

@testable import Transcode

/// Each octave holds its own sound, all of them hold all of it, at every rate.
struct VoiceOctavesTests {
    private func levels(_ samples: [Int16], rate: Int) -> [Float] {
        var octaves = VoiceOctaves(rate: rate, lowest: 100)
        var sum = SIMD4<Float>.zero
        let steps = samples.count / octaves.stepSamples
        samples.withUnsafeBufferPointer { sound in
            guard let source = sound.baseAddress else { return }
            for step in 0..<steps { sum += octaves.powers(source + step * octaves.stepSamples) }
        }
        let level = Level.dBFS(powers: sum / Float(steps))
        return (0..<4).map { level[$0] }
    }

    @Test(arguments: [8000, 16_000, 24_000, 48_000], [(3000.0, 0), (1400, 1), (700, 2), (300, 3)])
    func aToneIsLoudestInItsOctave(rate: Int, tone: (hertz: Double, octave: Int)) {
        let found = levels(SoundMaterial.tone(hertz: tone.hertz, seconds: 1, rate: rate, level: -20), rate: rate)
        #expect(found.max() == found[tone.octave])
        #expect(found[tone.octave] > -23.5 && found[tone.octave] < -19.9)
        // Nothing is lost above the high-pass.
        let all = found.reduce(0) { $0 + Level.rms(dBFS: $1) * Level.rms(dBFS: $1) }.squareRoot()
        #expect(abs(Level.dBFS(rms: all) - -20) < (tone.hertz < 1000 ? 1 : 0.1))
    }

    @Test(arguments: [8000, 16_000])
    func anOffsetIsInNone(rate: Int) {
        let found = levels([Int16](repeating: 3000, count: rate), rate: rate)
        #expect(found.allSatisfy { $0 < -30 })
        #expect(found[..<3].allSatisfy { $0 == Level.floor })
    }

    @Test func decibelsOfFourPowersAreThoseOfEach() {
        var power: Float = 0.001
        while power < 1_100_000_000 {
            let four = Level.dBFS(powers: SIMD4(power, power * 1.3, power * 1.7, 0))
            #expect(abs(four[0] - Level.dBFS(rms: power.squareRoot())) < 0.001)
            #expect(abs(four[1] - Level.dBFS(rms: (power * 1.3).squareRoot())) < 0.001)
            #expect(abs(four[2] - Level.dBFS(rms: (power * 1.7).squareRoot())) < 0.001)
            #expect(four[3] == Level.floor)
            power *= 3.1
        }
    }
}
