import TestKit
import Testing
import Transcode

/// Speech is no key, no fax and no busy tone: listened to for half an hour and more, in ten voices.
@Suite("Talk-off")
struct TalkOffTests {
    private static let corpus = Result { try SoundCorpus.readers() + SoundCorpus.prompts() }

    private func listen(_ hear: (UnsafeBufferPointer<Int16>) -> Void) throws {
        let speech = try Self.corpus.get()
        #expect(speech.count > 30 * 60 * 8000)
        speech.withUnsafeBufferPointer { samples in
            for start in stride(from: 0, to: samples.count - 160, by: 160) {
                hear(UnsafeBufferPointer(rebasing: samples[start..<start + 160]))
            }
        }
    }

    @Test("No key is heard in speech")
    func keys() throws {
        let detector = DTMFDetector()
        detector.isEnabled = true
        var events: [DTMFDetector.Event] = []
        try listen { detector.process($0, into: &events) }
        #expect(events.isEmpty)
        // It was listening all the while.
        let generator = ToneGenerator(rate: 8000)
        generator.start(digit: "7")
        filled(1600) { generator.generate(into: $0); return 1600 }.withUnsafeBufferPointer { detector.process($0, into: &events) }
        #expect(events == [.began("7"), .ended("7")])
    }

    @Test("No fax machine is heard in speech", arguments: [FaxToneDetector.Kind.calling, .answering])
    func fax(kind: FaxToneDetector.Kind) throws {
        let detector = try #require(FaxToneDetector(kind))
        var heard = 0
        try listen { if detector.process($0) { heard += 1 } }
        #expect(heard == 0)
        let tone = SoundMaterial.tone(hertz: kind == .calling ? 1100 : 2100, seconds: 2, rate: 8000)
        #expect(tone.withUnsafeBufferPointer { detector.process($0) })
    }

    @Test("No tone of an exchange is heard in speech")
    func progress() throws {
        let detector = CallProgressDetector()
        var heard: [CallProgressDetector.Event] = []
        try listen { if let event = detector.process($0) { heard.append(event) } }
        #expect(heard.isEmpty)
        var busy: [Int16] = []
        for _ in 0..<4 { busy += SoundMaterial.tone(hertz: 425, seconds: 0.5, rate: 8000) + SoundMaterial.silence(seconds: 0.5, rate: 8000) }
        #expect(busy.withUnsafeBufferPointer { detector.process($0) } == .busy)
    }
}
