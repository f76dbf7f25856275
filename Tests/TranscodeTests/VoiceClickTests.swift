import Glibc
import TestKit
import Testing
import Transcode

/// What knocks and clicks on a line begins no turn.
@Suite("Clicks are not speech")
struct VoiceClickTests {
    enum Kind: String, CaseIterable {
        case spike
        /// Two edges of a few milliseconds, as a key has.
        case key
        /// A handset that is laid down: a low tone that rings off.
        case knock
        case fiveMilliseconds, tenMilliseconds
        /// A packet that was lost: silence in the background's stead.
        case gap

        /// Clicks of a hundred that may be taken for speech.
        var allowed: Int {
            switch self {
            case .knock: 8
            case .tenMilliseconds: 3
            case .spike, .key, .fiveMilliseconds, .gap: 0
            }
        }
    }

    @Test("Clicks of many kinds begin no speech, in silence and in noise", arguments: Kind.allCases, [-85.0, -52])
    func clicks(kind: Kind, background: Double) {
        var random = SeededGenerator(seed: 5)
        let count = 100
        // Two seconds to learn, and then a click a second.
        var sound = SoundMaterial.noise(seconds: Double(count) + 3, rate: 8000, level: background, seed: 6)
        for number in 0..<count {
            let start = 16_000 + 8000 * number + Int(random.unit() * 800)
            if kind == .gap {
                for index in start..<(start + (number.isMultiple(of: 2) ? 160 : 320)) { sound[index] = 0 }
                continue
            }
            let click = click(kind, &random)
            let peak = click.reduce(0) { max($0, abs($1)) }
            let amplitude = 32768 * pow(10, (-6 - 24 * random.unit()) / 20) / peak
            for (index, value) in click.enumerated() { sound[start + index] = Int16(clamping: Int(sound[start + index]) + Int(value * amplitude)) }
        }
        let detector = VoiceActivityDetector(rate: 8000)
        let begun = sound.chunks(of: 160).count { frame in frame.withUnsafeBufferPointer { detector.process($0) } == .speechBegan }
        #expect(begun <= kind.allowed, "\(begun) of \(count)")
    }

    private func click(_ kind: Kind, _ random: inout SeededGenerator) -> [Double] {
        switch kind {
        case .spike, .gap: return [1, -0.6, 0.2]
        case .fiveMilliseconds: return noise(40, &random)
        case .tenMilliseconds: return noise(80, &random)
        case .key:
            let edge = noise(32, &random).enumerated().map { $1 * exp(-Double($0) / 12) }
            return edge + [Double](repeating: 0, count: 480 + Int(160 * random.unit())) + edge.map { 0.7 * $0 }
        case .knock:
            let (hertz, decay) = (150 + 250 * random.unit(), 48 + 64 * random.unit())
            let rattle = noise(1200, &random)
            return (0..<1200).map { index in
                let time = Double(index)
                return exp(-time / decay) * sin(2 * Double.pi * hertz * time / 8000) + 0.3 * exp(-time / 16) * rattle[index]
            }
        }
    }

    private func noise(_ count: Int, _ random: inout SeededGenerator) -> [Double] { (0..<count).map { _ in 2 * random.unit() - 1 } }
}
