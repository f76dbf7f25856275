import Glibc
import TestKit
import Testing
import Transcode

@Suite("Automatic gain control")
struct GainControlTests {
    private static let target = Double(GainControl.target)

    /// Speech of an active level.
    private static func speech(_ dBFS: Double, seconds: Double = 8, rate: Int = 8000, seed: UInt64 = 31) -> [Int16] {
        ActiveSpeech.brought(SoundMaterial.speech(seconds: seconds, rate: rate, seed: seed), to: dBFS, rate: rate)
    }

    @Test("Speech of any usual level comes out within 3 dB of the target after 3 s", arguments: [-45.0, -40, -35, -30, -26, -20, -15, -12])
    func levels(dBFS: Double) throws {
        let control = GainControl(rate: 8000)
        let heard = control.run(Self.speech(dBFS))
        let level = ActiveSpeech.level(heard[(4 * 8000)...], rate: 8000)
        #expect(abs(level - Self.target) <= 3, "\(level)")
        let figures = try #require(control.figures)
        #expect(abs(Double(figures.speechLevel) - dBFS) <= 2, "\(figures)")
    }

    @Test("At every rate that calls cross at", arguments: [8000, 16_000, 24_000, 48_000])
    func rates(rate: Int) {
        let control = GainControl(rate: rate)
        let heard = control.run(Self.speech(-38, seconds: 7, rate: rate))
        #expect(abs(ActiveSpeech.level(heard[(4 * rate)...], rate: rate) - Self.target) <= 3)
    }

    @Test("Speech that went through mu-law at -45 dBFS", arguments: [32, 33])
    func coded(seed: UInt64) {
        let heard = GainControl(rate: 8000).run(EchoLine.coded(Self.speech(-45, seed: seed).map(Double.init)))
        #expect(abs(ActiveSpeech.level(heard[(4 * 8000)...], rate: 8000) - Self.target) <= 3)
    }

    @Test("The gain rises by 7 dB a second at most and never beyond its limits", arguments: [-60.0, -45, -30, -3])
    func speed(dBFS: Double) {
        let control = GainControl(rate: 8000)
        var before: Float = 0
        for second in Self.speech(dBFS).chunks(of: 800) {
            _ = control.run(second)
            let gain = control.figures?.gain ?? 0
            if before != 0 { #expect(gain - before <= 0.7) }
            #expect(gain <= GainControl.mostGain && gain >= -GainControl.mostLoss)
            before = gain
        }
    }

    @Test("Noise in a pause of 20 s is no louder at its end than at its beginning", arguments: [-60.0, -50])
    func pauses(noise: Double) {
        let (voice, rate) = (Self.speech(-40, seconds: 5), 8000)
        let ground = SoundMaterial.noise(seconds: 30, rate: rate, level: noise, seed: 5)
        var sound = ground
        for index in voice.indices {
            sound[index] &+= voice[index]
            sound[25 * rate + index] &+= voice[index]
        }
        let heard = GainControl(rate: rate).run(sound)
        let first = Array(heard[(6 * rate)..<(8 * rate)]).level
        let last = Array(heard[(23 * rate)..<(25 * rate)]).level
        #expect(abs(first - last) < 0.2)
        // And it is not raised to where it would be taken for a voice.
        #expect(first <= -39)
    }

    @Test("What is no speech passes untouched", arguments: Sounds.allCases)
    func others(sound: Sounds) {
        let samples = sound.samples
        let control = GainControl(rate: 8000)
        #expect(control.run(samples) == samples)
        #expect(control.figures == nil)
    }

    @Test("Tones in a call do not move the gain that speech was given")
    func keys() throws {
        let control = GainControl(rate: 8000)
        _ = control.run(Self.speech(-40, seconds: 5))
        let gain = try #require(control.figures).gain
        for sound in Sounds.allCases { _ = control.run(sound.samples) }
        #expect(abs(try #require(control.figures).gain - gain) < 1)
    }

    @Test("Music is brought to a level once, and does not go up and down with it")
    func music() throws {
        let control = GainControl(rate: 8000)
        let sound = Sounds.music(seconds: 20)
        _ = control.run(Array(sound[..<(6 * 8000)]))
        var gains: [Float] = []
        for second in Array(sound[(6 * 8000)...]).chunks(of: 8000) {
            _ = control.run(second)
            gains.append(control.figures?.gain ?? 0)
        }
        #expect(try #require(gains.max()) - (try #require(gains.min())) < 1.5, "\(gains)")
    }

    @Test("A loud voice after a quiet one is not cut off, and is brought down within a second")
    func loudOnset() {
        let (quiet, loud) = (Self.speech(-45, seconds: 6), Self.speech(-18, seconds: 4, seed: 34))
        #expect(loud.allSatisfy { abs(Int($0)) < 32767 })
        let heard = GainControl(rate: 8000).run(quiet + loud)
        #expect(heard.allSatisfy { abs(Int($0)) < 32767 })
        let after = Array(heard[(7 * 8000)...])
        #expect(abs(ActiveSpeech.level(after[...], rate: 8000) - Self.target) <= 3)
    }

    @Test("A quiet voice after a loud one is raised within 8 s")
    func quietOnset() {
        let heard = GainControl(rate: 8000).run(Self.speech(-14, seconds: 5) + Self.speech(-40, seconds: 12, seed: 35))
        let level = ActiveSpeech.level(heard[(13 * 8000)...], rate: 8000)
        #expect(abs(level - Self.target) <= 3, "\(level)")
    }

    @Test("The gain goes from sample to sample without a step")
    func zipper() {
        let sound = Self.speech(-38, seconds: 5)
        let heard = GainControl(rate: 8000).run(sound)
        var last: (index: Int, gain: Double)?
        for (index, sample) in sound.enumerated() where abs(Int(sample)) > 600 {
            let gain = Double(heard[index]) / Double(sample)
            if let last, last.index == index - 1 { #expect(abs(gain / last.gain - 1) < 0.003) }
            last = (index, gain)
        }
        #expect(last != nil)
    }

    @Test("A full-scale square wave and the loudest negative sample stay what they are")
    func extremes() {
        let wave = (0..<16_000).map { $0 / 20 % 2 == 0 ? Int16.max : .min }
        let control = GainControl(rate: 8000)
        #expect(control.run(wave) == wave)
        // Where speech was raised before, it is lowered to that at once.
        _ = control.run(Self.speech(-45, seconds: 5))
        #expect(control.run(wave).allSatisfy { abs(Int($0)) >= 26_000 })
    }

    @Test("How the samples are divided makes no difference to what is learnt", arguments: [1, 57, 80, 441, 960])
    func pieces(length: Int) {
        let sound = Self.speech(-35, seconds: 4)
        let (whole, parts) = (GainControl(rate: 8000), GainControl(rate: 8000))
        _ = whole.run(sound, frame: 160)
        _ = parts.run(sound, frame: length)
        #expect(whole.figures == parts.figures && whole.figures != nil)
    }

    @Test("What nobody said teaches nothing and gets the gain there is; another rate keeps it")
    func carriedOver() throws {
        let control = GainControl(rate: 8000)
        _ = control.run(Self.speech(-35, seconds: 5))
        let figures = try #require(control.figures)
        let tone = SoundMaterial.tone(hertz: 300, seconds: 1, rate: 8000, level: -50)
        let other = control.run(Self.speech(-60, seconds: 2), learns: false)
        #expect(control.figures == figures && other.level > Self.speech(-60, seconds: 2).level + 8)
        control.rate = 16_000
        let raised = control.run(tone, learns: false).level - tone.level
        #expect(control.figures == figures && abs(raised - Double(figures.gain)) < 0.3)
    }
}

extension GainControl {
    /// What becomes of the samples, frame by frame.
    fileprivate func run(_ samples: [Int16], frame: Int? = nil, learns: Bool = true) -> [Int16] {
        var samples = samples
        let frame = frame ?? rate / 50
        samples.withUnsafeMutableBufferPointer { all in
            for start in stride(from: 0, to: all.count, by: frame) {
                process(UnsafeMutableBufferPointer(rebasing: all[start..<min(start + frame, all.count)]), learns: learns)
            }
        }
        return samples
    }
}

extension GainControlTests {
    /// What is heard on lines besides speech, at 8 kHz.
    enum Sounds: CaseIterable, CustomTestStringConvertible {
        case silence, whiteNoise, loudNoise, rumble, dialTone, ringing, britishRinging, busy, fax, specialInformation, keys, knocks

        var testDescription: String { "\(self)" }

        var samples: [Int16] {
            switch self {
            case .silence: SoundMaterial.silence(seconds: 2, rate: 8000)
            case .whiteNoise: SoundMaterial.noise(seconds: 10, rate: 8000, level: -45, seed: 7)
            case .loudNoise: SoundMaterial.silence(seconds: 2, rate: 8000) + SoundMaterial.noise(seconds: 8, rate: 8000, level: -25, seed: 8)
            case .rumble: Self.lowPassed(SoundMaterial.noise(seconds: 10, rate: 8000, level: -20, seed: 9))
            case .dialTone: Self.cadence([350, 440], on: 5, off: 0, times: 1)
            case .ringing: Self.cadence([440, 480], on: 2, off: 2, times: 3)
            case .britishRinging: Self.cadence([400, 450], on: 0.4, off: 0.2, times: 8)
            case .busy: Self.cadence([480, 620], on: 0.5, off: 0.5, times: 6)
            case .fax: Self.cadence([1100], on: 0.5, off: 1, times: 4) + Self.cadence([2100], on: 3, off: 0.1, times: 1)
            case .specialInformation: ([950, 1400, 1800, 950, 1400, 1800] as [Double]).flatMap { Self.cadence([$0], on: 0.33, off: 0, times: 1) }
            case .keys: ([(697, 1209), (941, 1633), (770, 1336), (852, 1477)] as [(Double, Double)]).flatMap {
                    Self.cadence([$0.0, $0.1], on: 0.07, off: 0.07, times: 8)
                }
            case .knocks: Self.knocks()
            }
        }

        private static func cadence(_ hertz: [Double], on: Double, off: Double, times: Int) -> [Int16] {
            let one = hertz.map { SoundMaterial.tone(hertz: $0, seconds: on, rate: 8000, level: -20) }
            let sound = one.dropFirst().reduce(one[0]) { zip($0, $1).map { $0 &+ $1 } } + SoundMaterial.silence(seconds: off, rate: 8000)
            return [[Int16]](repeating: sound, count: times).flatMap { $0 }
        }

        private static func lowPassed(_ samples: [Int16]) -> [Int16] {
            var last = 0.0
            return samples.map { sample in
                last += 0.1 * (Double(sample) - last)
                return Int16(last)
            }
        }

        /// One every 0.4 s that is over after 30 ms.
        private static func knocks() -> [Int16] {
            SoundMaterial.noise(seconds: 10, rate: 8000, level: -10, seed: 10).enumerated().map { index, sample in
                Int16(Double(sample) * exp(-Double(index % 3200) / 50))
            }
        }

        /// Chords, each struck and fading, half a second apart.
        static func music(seconds: Int) -> [Int16] {
            let notes = [261.6, 293.7, 329.6, 349.2, 392, 440]
            var random = SeededGenerator(seed: 11)
            return (0..<(2 * seconds)).flatMap { _ in
                let chord = (0..<3).map { _ in notes.randomElement(using: &random) ?? 440 }
                return (0..<4000).map { index in
                    let time = Double(index) / 8000
                    let sum = chord.reduce(0.0) { sum, note in
                        sum + (1...3).reduce(0.0) { $0 + sin(2 * Double.pi * note * Double($1) * time) / Double($1) }
                    }
                    return Int16(900 * exp(-2 * time) * sum)
                }
            }
        }
    }
}
