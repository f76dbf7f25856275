import CSpandsp
import TestKit
import Testing
import Transcode

@Suite("Call progress and fax tones")
struct CallProgressTests {
    /// The tones of a country: what sounds, and its rhythm in milliseconds of sound and silence by turns.
    struct Signal: CustomTestStringConvertible {
        var name: String
        var tones: [Double]
        var rhythm: [Int]
        var event: CallProgressDetector.Event?

        init(_ name: String, _ tones: [Double], _ rhythm: [Int], _ event: CallProgressDetector.Event?) {
            (self.name, self.tones, self.rhythm, self.event) = (name, tones, rhythm, event)
        }

        var testDescription: String { name }
    }

    private static let signals = [
        Signal("ringing, North America", [440, 480], [2000, 4000], .ringing), Signal("ringing, Germany", [425], [1000, 4000], .ringing),
        Signal("ringing, France", [440], [1500, 3500], .ringing), Signal("ringing, Britain", [400, 450], [400, 200, 400, 2000], .ringing),
        Signal("ringing, Japan", [384, 416], [1000, 2000], .ringing), Signal("busy, North America", [480, 620], [500, 500], .busy),
        Signal("busy, Germany", [425], [480, 480], .busy), Signal("busy, Britain", [400], [375, 375], .busy),
        Signal("busy, Italy", [425], [500, 500], .busy), Signal("congestion, North America", [480, 620], [250, 250], .congestion),
        Signal("congestion, Germany", [425], [240, 240], .congestion), Signal("congestion, Spain", [425], [200, 200], .congestion),
        Signal("dial tone", [350, 440], [12000, 0], nil), Signal("stutter", [350, 440], [100, 100], nil),
    ]

    @Test("Tones of several countries are told apart by their rhythm, through G.711 and noise", arguments: signals, [-15.0, -32])
    func signal(_ signal: Signal, level: Double) {
        #expect(Self.heard(line(signal, level: level)).first == signal.event, "\(signal.name)")
    }

    /// Twelve seconds of a signal at the place of a call's beginning, in noise, through µ-law.
    private func line(_ signal: Signal, level: Double) -> [Int16] {
        var sound = SoundMaterial.silence(seconds: 0.31, rate: 8000)
        while sound.count < 96000 {
            for (index, milliseconds) in signal.rhythm.enumerated() {
                sound += index.isMultiple(of: 2)
                    ? Self.mixed(signal.tones, milliseconds, level) : [Int16](repeating: 0, count: 8 * milliseconds)
            }
        }
        let noise = SoundMaterial.noise(seconds: Double(sound.count) / 8000, rate: 8000, level: -60, seed: 3)
        let (encoder, decoder) = (G711Encoder(law: .mu), G711Decoder(law: .mu))
        return zip(sound, noise).map { Int16(clamping: Int($0) + Int($1)) }.chunks(of: 160).flatMap { decoder.decode(encoder.encode($0)) }
    }

    private static func mixed(_ hertz: [Double], _ milliseconds: Int, _ level: Double) -> [Int16] {
        let tones = hertz.map { SoundMaterial.tone(hertz: $0, seconds: Double(milliseconds) / 1000, rate: 8000, level: level) }
        return tones[0].indices.map { index in Int16(clamping: tones.reduce(0) { $0 + Int($1[index]) }) }
    }

    private static func heard(_ sound: [Int16], chunk: Int = 160) -> [CallProgressDetector.Event] {
        let detector = CallProgressDetector()
        return sound.chunks(of: chunk).compactMap { $0.withUnsafeBufferPointer { detector.process($0) } }
    }

    @Test("Special information is heard before its announcement", arguments: [[950.0, 1400, 1800], [913.8, 1370.6, 1776.7], [985.2, 1428.5, 1776.7]], [0, 30])
    func specialInformation(hertz: [Double], gap: Int) {
        let tones = hertz.flatMap { Self.mixed([$0], 330, -20) + [Int16](repeating: 0, count: 8 * gap) }
        let sound = SoundMaterial.silence(seconds: 0.2, rate: 8000) + tones + SoundMaterial.speech(seconds: 3, rate: 8000, seed: 1)
        #expect(Self.heard(sound) == [.specialInformation])
        #expect(Self.heard(sound, chunk: 77) == [.specialInformation])
    }

    @Test("A fax machine that calls, and one that answers, are heard once", arguments: [1.0, 0.05])
    func fax(scale: Double) throws {
        for (type, kind) in [
            (MODEM_CONNECT_TONES_FAX_CNG, FaxToneDetector.Kind.calling), (MODEM_CONNECT_TONES_ANS, .answering),
            (MODEM_CONNECT_TONES_ANS_PR, .answering), (MODEM_CONNECT_TONES_ANSAM, .answering), (MODEM_CONNECT_TONES_ANSAM_PR, .answering),
        ] {
            let generator = try #require(modem_connect_tones_tx_init(nil, Int32(type)))
            defer { modem_connect_tones_tx_free(generator) }
            var sound = [Int16](repeating: 0, count: 48000)
            _ = modem_connect_tones_tx(generator, &sound, 48000)
            let noise = SoundMaterial.noise(seconds: 6, rate: 8000, level: -60, seed: 2)
            let line = zip(sound, noise).map { Int16(clamping: Int(Double($0) * scale) + Int($1)) }
            let detectors = [try #require(FaxToneDetector(.calling)), try #require(FaxToneDetector(.answering))]
            let counts = detectors.map { detector in
                line.chunks(of: 160).count { $0.withUnsafeBufferPointer { detector.process($0) } }
            }
            #expect(counts == (kind == .calling ? [1, 0] : [0, 1]), "spandsp's tone \(type)")
        }
    }
}
