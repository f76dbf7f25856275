import Glibc
import TestKit
import Testing

/// The meters judge everything else, so they are judged first: each must see what is wrong.
@Suite("Meters")
struct SoundToolTests {
    private let clean = SoundMaterial.tone(hertz: 440, seconds: 2, rate: 16000)

    @Test("A clean tone is reported as it is", arguments: [8000, 16000, 24000, 48000])
    func cleanTone(rate: Int) {
        let samples = SoundMaterial.silence(seconds: 0.25, rate: rate)
            + SoundMaterial.tone(hertz: 443, seconds: 2, rate: rate, level: -20) + SoundMaterial.silence(seconds: 0.5, rate: rate)
        let report = ToneMeter.analyse(samples, rate: rate, expectedHz: 440)
        #expect(abs(report.frequency - 443) < 0.05)
        #expect(abs(report.level - -20) < 0.1)
        #expect(report.snr > 60)
        #expect(report.gaps.isEmpty)
        #expect(report.clicks == 0)
        #expect(report.firstSoundAt.map { abs($0 - 250) < 1 } == true)
        #expect(report.lastSoundAt.map { abs($0 - 2250) < 1 } == true)
    }

    @Test("Gaps are found where they are, as long as they are", arguments: [8, 20, 60, 300])
    func gaps(milliseconds: Int) {
        var samples = clean
        let start = 16000 / 2 + 5
        for index in start..<start + milliseconds * 16 { samples[index] = 0 }
        let report = ToneMeter.analyse(samples, rate: 16000, expectedHz: 440)
        #expect(report.gaps.count == 1)
        #expect(abs(report.longestGap - Double(milliseconds)) < 2)
        #expect(report.gaps.first.map { abs($0.start - 500) < 2 } == true)
        #expect(report.clicks == 0)
    }

    @Test("A cut, a repeat and a spike are clicks")
    func clicks() {
        var cut = clean
        cut.removeSubrange(9000..<9018)
        #expect(ToneMeter.analyse(cut, rate: 16000, expectedHz: 440).clicks == 1)
        let repeated = Array(clean[..<8000]) + Array(clean[7985...])
        #expect(ToneMeter.analyse(repeated, rate: 16000, expectedHz: 440).clicks == 1)
        var spike = clean
        spike[12345] = 32767
        #expect(ToneMeter.analyse(spike, rate: 16000, expectedHz: 440).clicks == 1)
    }

    @Test("Noise is measured against the tone; silence and another tone are no tone")
    func noise() {
        let noise = SoundMaterial.noise(seconds: 2, rate: 16000, level: -45, seed: 1)
        let noisy = zip(clean, noise).map { Int16(clamping: Int($0) + Int($1)) }
        #expect(abs(ToneMeter.analyse(noisy, rate: 16000, expectedHz: 440).snr - 30) < 0.5)
        let silent = ToneMeter.analyse(SoundMaterial.silence(seconds: 1, rate: 16000), rate: 16000, expectedHz: 440)
        #expect(silent.firstSoundAt == nil && silent.snr == -.infinity && silent.frequency == 0)
        #expect(ToneMeter.analyse([], rate: 16000, expectedHz: 440).firstSoundAt == nil)
        #expect(ToneMeter.analyse(clean, rate: 16000, expectedHz: 1000).snr < 0)
    }

    @Test("Ten seconds of speech are found at their place, to the sample")
    func correlation() {
        let speech = SoundMaterial.speech(seconds: 10, rate: 16000, seed: 1)
        for lag in [0, 1, 777, 48001] {
            let recording = [Int16](repeating: 0, count: lag) + speech.map { $0 / 3 }
            let match = Correlation.best(of: speech, in: recording, rate: 16000)
            #expect(match.lag == lag)
            #expect(match.coefficient > 0.99)
        }
        let late = Correlation.best(of: speech, in: Array(speech.dropFirst(3210)), rate: 16000)
        #expect(late.lag == -3210 && late.coefficient > 0.98)
        let half = Correlation.best(of: speech, in: Array(speech.prefix(80000)), rate: 16000)
        #expect(half.lag == 0 && half.coefficient < 0.85, "what is missing counts")
    }

    @Test("Other speech, noise and silence do not correlate")
    func noCorrelation() {
        let speech = SoundMaterial.speech(seconds: 5, rate: 8000, seed: 1)
        let other = SoundMaterial.speech(seconds: 5, rate: 8000, seed: 2)
        #expect(Correlation.best(of: speech, in: other, rate: 8000).coefficient < 0.4)
        let noise = SoundMaterial.noise(seconds: 5, rate: 8000, level: -20, seed: 2)
        #expect(Correlation.best(of: speech, in: noise, rate: 8000).coefficient < 0.2)
        #expect(Correlation.best(of: speech, in: SoundMaterial.silence(seconds: 5, rate: 8000), rate: 8000).coefficient <= 0)
        #expect(Correlation.best(of: speech, in: [], rate: 8000).coefficient == 0)
    }

    @Test("Speech is the same on every run and much the same at every rate")
    func material() {
        #expect(SoundMaterial.speech(seconds: 1, rate: 8000, seed: 3) == SoundMaterial.speech(seconds: 1, rate: 8000, seed: 3))
        let low = SoundMaterial.speech(seconds: 3, rate: 8000, seed: 3)
        let high = SoundMaterial.speech(seconds: 3, rate: 16000, seed: 3)
        let thinned = stride(from: 0, to: high.count, by: 2).map { high[$0] }
        #expect(Correlation.best(of: low, in: thinned, rate: 8000).coefficient > 0.95)
        #expect(low.contains { abs(Int($0)) > 5000 })
        #expect(!low.contains(.max))
    }

    @Test("A WAV file comes back as it was written; other bytes are refused")
    func wave() throws {
        let file = WAVFile(rate: 16000, samples: clean)
        #expect(try WAVFile(bytes: file.bytes) == file)
        #expect(throws: WAVFile.Failure.notMonoPCM16) { try WAVFile(bytes: Array(file.bytes.dropFirst())) }
        #expect(throws: WAVFile.Failure.notMonoPCM16) { try WAVFile(bytes: []) }
        #expect(try WAVFile(bytes: Array(file.bytes.dropLast(100))).samples.count == clean.count - 50)
        #expect(throws: WAVFile.Failure.cannotOpen("/nowhere/x.wav")) { try WAVFile(path: "/nowhere/x.wav") }
        let path = "/tmp/tandem-wave-\(getpid()).wav"
        defer { unlink(path) }
        try file.write(to: path)
        #expect(try WAVFile(path: path) == file)
    }
}
