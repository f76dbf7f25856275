import Foundation
import TestKit
import Testing
import Transcode

@Suite("Voice activity")
struct VoiceActivityTests {
    /// What happened, and when in milliseconds (the end of the 20 ms frame that told it).
    private func events(
        _ samples: [Int16], rate: Int, endSilence: Int = 600
    ) -> [(event: VoiceActivityDetector.Event, at: Int)] {
        let detector = VoiceActivityDetector(rate: rate, endSilence: endSilence)
        var events: [(VoiceActivityDetector.Event, Int)] = []
        for (index, frame) in samples.chunks(of: rate / 50).enumerated() {
            if let event = frame.withUnsafeBufferPointer({ detector.process($0) }) { events.append((event, 20 * (index + 1))) }
        }
        return events
    }

    private func mixed(_ first: [Int16], _ second: [Int16]) -> [Int16] {
        zip(first, second).map { Int16(clamping: Int($0) + Int($1)) }
    }

    @Test("A beginning is noticed within 60 ms, an end after 600", arguments: [8000, 16000, 24000, 48000], [-90.0, -60, -45])
    func beginAndEnd(rate: Int, background: Double) {
        let voice = SoundMaterial.silence(seconds: 3, rate: rate)
            + SoundMaterial.tone(hertz: 300, seconds: 1.5, rate: rate, level: -25)
            + SoundMaterial.silence(seconds: 2, rate: rate)
        let heard = events(mixed(voice, SoundMaterial.noise(seconds: 6.5, rate: rate, level: background, seed: 1)), rate: rate)
        // A background louder than the detector expects may first be taken for speech, but not for longer than it takes to learn.
        let relevant = heard.filter { $0.at > 3000 }
        #expect(relevant.map(\.event) == [.speechBegan, .speechEnded])
        #expect(relevant.first.map { $0.at <= 3060 } == true)
        #expect(relevant.last.map { abs($0.at - 5100) <= 40 } == true)
        if background < -50 { #expect(heard.count == 2) }
    }

    @Test("Speech with its pauses is one turn, in quiet and in noise", arguments: [-80.0, -50])
    func oneTurn(background: Double) {
        let voice = SoundMaterial.silence(seconds: 2, rate: 8000)
            + SoundMaterial.speech(seconds: 10, rate: 8000, seed: 6)
            + SoundMaterial.silence(seconds: 2, rate: 8000)
        let heard = events(mixed(voice, SoundMaterial.noise(seconds: 14, rate: 8000, level: background, seed: 2)), rate: 8000)
        #expect(heard.map(\.event) == [.speechBegan, .speechEnded])
        #expect(heard.first.map { $0.at >= 2000 && $0.at <= 2200 } == true)
        #expect(heard.last.map { $0.at >= 12400 && $0.at <= 12700 } == true)
    }

    @Test("Silence, comfort noise, a constant offset, hum and a single click are not speech")
    func notSpeech() {
        let rate = 8000
        #expect(events(SoundMaterial.silence(seconds: 3, rate: rate), rate: rate).isEmpty)
        #expect(events(SoundMaterial.noise(seconds: 5, rate: rate, level: -52, seed: 3), rate: rate).isEmpty)
        #expect(events(SoundMaterial.tone(hertz: 50, seconds: 5, rate: rate, level: -45), rate: rate).isEmpty)
        #expect(events([Int16](repeating: 3000, count: 5 * rate), rate: rate).isEmpty)
        var click = SoundMaterial.silence(seconds: 2, rate: rate)
        for index in 8000..<8040 { click[index] = 20000 }
        #expect(events(click, rate: rate).isEmpty)
    }

    /// Half waves that differ, as harmonics make them: at 50 Hz every other step of 10 ms is louder.
    @Test("Hum of mains and its harmonics is learnt", arguments: [49.95, 50, 50.1, 60], [-45.0, -40, -35, -30])
    func hum(mains: Double, level: Double) {
        let rate = 8000
        for seed in 1...8 {
            var random = SeededGenerator(seed: UInt64(seed))
            var hum = [Double](repeating: 0, count: 20 * rate)
            for harmonic in 1...(2 + seed) {
                let (step, phase) = (2 * Double.pi * mains * Double(harmonic) / Double(rate), Double.random(in: 0..<2 * Double.pi, using: &random))
                for index in hum.indices { hum[index] += sin(step * Double(index) + phase) / Double(harmonic) }
            }
            let power = hum.reduce(0) { $0 + $1 * $1 } / Double(hum.count)
            let scale = 32768 * pow(10, level / 20) / power.squareRoot()
            let heard = events(hum.map { Int16((scale * $0).rounded()) }, rate: rate)
            #expect(heard.filter { $0.at > 5000 }.isEmpty, "seed \(seed): \(heard)")
            #expect(heard.last?.event != .speechBegan, "seed \(seed)")
        }
    }

    @Test("A steady loud noise stops being speech, and a voice above it is heard")
    func learnsNoise() {
        let rate = 8000
        let noise = SoundMaterial.noise(seconds: 20, rate: rate, level: -38, seed: 4)
        let voice = SoundMaterial.silence(seconds: 15, rate: rate)
            + SoundMaterial.tone(hertz: 400, seconds: 2, rate: rate, level: -18) + SoundMaterial.silence(seconds: 3, rate: rate)
        let heard = events(mixed(voice, noise), rate: rate)
        #expect(heard.filter { $0.at > 9000 }.map(\.event) == [.speechBegan, .speechEnded])
    }

    @Test("The end's silence is configurable, and frames of any size say the same")
    func configuration() {
        let rate = 16000
        let sound = SoundMaterial.silence(seconds: 1, rate: rate)
            + SoundMaterial.tone(hertz: 300, seconds: 1, rate: rate, level: -20) + SoundMaterial.silence(seconds: 1, rate: rate)
        let heard = events(sound, rate: rate, endSilence: 200)
        #expect(heard.last.map { abs($0.at - 2200) <= 40 } == true)

        let detector = VoiceActivityDetector(rate: rate, endSilence: 200)
        var odd: [VoiceActivityDetector.Event] = []
        for chunk in sound.chunks(of: 37) {
            if let event = chunk.withUnsafeBufferPointer({ detector.process($0) }) { odd.append(event) }
        }
        #expect(odd == [.speechBegan, .speechEnded])
        #expect(detector.silentSamples > rate / 2)
        detector.reset()
        #expect(detector.silentSamples == 0 && !detector.isSpeaking)
    }
}
