import Glibc

/// Sound that costs a codec what speech costs: voiced syllables of wandering pitch, hissing ones, and pauses. The same in every run.
enum Speech {
    /// Who speaks: two who talk to each other say different things, for what comes back as it was sent is taken for an echo.
    struct Voice {
        /// Hertz, about which the pitch wanders.
        let pitch: Double
        /// Syllables a second.
        let pace: Double
        let seed: UInt64

        static let low = Voice(pitch: 120, pace: 4, seed: 1)
        static let high = Voice(pitch: 190, pace: 3.3, seed: 77)
    }

    /// - Parameters:
    ///   - rate: samples a second
    ///   - frames: of 20 ms
    static func make(rate: Int, frames: Int, voice: Voice = .low) -> SampleSlab {
        let slab = SampleSlab(frames: frames, frameSamples: rate / 50)
        var noise = voice.seed
        var phase = 0.0
        let highest = min(Double(rate) / 2, 8000) * 0.9
        for index in 0..<(frames * slab.frameSamples) {
            let time = Double(index) / Double(rate)
            let syllable = time * voice.pace
            let place = syllable - syllable.rounded(.down)
            let kind = Int(syllable) % 5
            let envelope = kind == 4 ? 0 : sin(.pi * place)
            let pitch = voice.pitch + 30 * sin(2 * .pi * 0.7 * time) + 10 * Double(kind)
            phase += 2 * .pi * pitch / Double(rate)
            noise = noise &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let hiss = Double(Int64(bitPattern: noise) >> 40) / 8_388_608
            var value = 0.02 * hiss
            if kind == 3 {
                value += 0.3 * envelope * hiss
            } else {
                value += 0.3 * envelope * voiced(phase, harmonics: min(24, Int(highest / pitch)), formant: 500 + 400 * Double(kind), pitch: pitch)
            }
            slab.samples[index] = Int16(max(-32_000, min(32_000, value * 16_000)))
        }
        return slab
    }

    /// Harmonics with a resonance, as a vowel has.
    private static func voiced(_ phase: Double, harmonics: Int, formant: Double, pitch: Double) -> Double {
        var sum = 0.0
        for harmonic in 1...max(1, harmonics) {
            let distance = (Double(harmonic) * pitch - formant) / 300
            sum += sin(phase * Double(harmonic)) * (0.15 + 1 / (1 + distance * distance))
        }
        return sum
    }
}
