import TestKit
import Testing
import Transcode

@Suite("Tones")
struct ToneTests {
    @Test("All sixteen keys are generated and heard, through G.711 too", arguments: [G711.Law.mu, .a])
    func digits(law: G711.Law) {
        let detector = DTMFDetector()
        detector.isEnabled = true
        let generator = ToneGenerator(rate: 8000)
        let (encoder, decoder) = (G711Encoder(law: law), G711Decoder(law: law))
        var events: [DTMFDetector.Event] = []
        for digit in Tone.digits {
            #expect(generator.start(digit: digit, milliseconds: 80))
            for _ in 0..<8 {
                let frame = filled(160) { generator.generate(into: $0); return 160 }
                decoder.decode(encoder.encode(frame)).withUnsafeBufferPointer { detector.process($0, into: &events) }
            }
        }
        #expect(events == Tone.digits.flatMap { [.began($0), .ended($0)] })
    }

    @Test("The detector is off until it is wanted, and speech is no key")
    func silentDetector() {
        let detector = DTMFDetector()
        var events: [DTMFDetector.Event] = []
        let generator = ToneGenerator(rate: 8000)
        generator.start(digit: "5")
        filled(800) { generator.generate(into: $0) }.withUnsafeBufferPointer { detector.process($0, into: &events) }
        #expect(events.isEmpty)
        detector.isEnabled = true
        SoundMaterial.speech(seconds: 30, rate: 8000, seed: 8).withUnsafeBufferPointer { detector.process($0, into: &events) }
        #expect(events.isEmpty)
    }

    @Test("A key has both its tones at their levels at every rate", arguments: [8000, 16000, 24000, 48000])
    func levels(rate: Int) {
        let generator = ToneGenerator(rate: rate)
        generator.start(digit: "6", milliseconds: 400)
        let sound = Array(filled(rate) { generator.generate(into: $0) }.dropFirst(rate / 10).prefix(rate / 5))
        let (low, high) = (SineFit(sound, hertz: 770, rate: rate), SineFit(sound, hertz: 1477, rate: rate))
        #expect(abs(low.level - -15.2) < 0.1)
        #expect(abs(high.level - low.level - 2) < 0.1)
    }

    @Test("A tone lasts exactly as long as asked, over frames of any size, with 5 ms ramps")
    func length() {
        let generator = ToneGenerator(rate: 8000)
        generator.start(Tone(frequency: 1000, level: -12), milliseconds: 50)
        var sound: [Int16] = []
        var counts: [Int] = []
        for _ in 0..<7 {
            sound += filled(77) { counts.append(generator.generate(into: $0)); return 77 }
        }
        #expect(counts == [77, 77, 77, 77, 77, 15, 0])
        #expect(!generator.isActive)
        #expect(sound[400...].allSatisfy { $0 == 0 })
        let peak = sound.map { abs(Int($0)) }.max() ?? 0
        #expect(peak > 11000)
        #expect(sound[..<6].allSatisfy { abs(Int($0)) < peak / 5 })
        #expect(sound[394..<400].allSatisfy { abs(Int($0)) < peak / 5 })
    }

    @Test("Stop ends within 5 ms without a jump; an unknown key changes nothing")
    func stop() {
        let generator = ToneGenerator(rate: 16000)
        generator.start(Tone(frequency: 300, level: -10))
        var sound = filled(3200) { generator.generate(into: $0) }
        #expect(!generator.start(digit: "x"))
        #expect(generator.isActive)
        generator.stop()
        sound += filled(320) { generator.generate(into: $0); return 320 }
        #expect(!generator.isActive)
        #expect(sound[3280...].allSatisfy { $0 == 0 })
        let jump = zip(sound, sound.dropFirst()).map { abs(Int($0) - Int($1)) }.max() ?? 0
        #expect(jump < 2000, "the sine itself moves by 1730 a sample")
        generator.start(Tone(frequency: 300, level: -10), milliseconds: 0)
        #expect(!generator.isActive)
    }

    @Test("A minute of tone keeps its level and frequency")
    func steady() {
        let generator = ToneGenerator(rate: 8000)
        generator.start(Tone(frequency: 425, level: -20))
        var last: [Int16] = []
        for _ in 0..<3000 { last = filled(160) { generator.generate(into: $0) } }
        for _ in 0..<20 { last += filled(160) { generator.generate(into: $0) } }
        let report = ToneMeter.analyse(last, rate: 8000, expectedHz: 425)
        #expect(abs(report.frequency - 425) < 0.01)
        #expect(abs(report.level - -20) < 0.02)
        #expect(report.clicks == 0)
    }
}
