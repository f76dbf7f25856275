import Transcode

/// What a caller hears while the agent is away, or another one is reached for: a soft double beep every two seconds over a noise as of a
/// line, so that nobody takes it for dead.
final class AwaySound {
    private let generator: ToneGenerator
    private let noise = ComfortNoise(seed: 1)
    /// Slots of silence, then of the sound.
    private var slot = 0

    /// Silence before it begins, in slots of 20 ms.
    private static let delay = 10
    private static let period = 100
    /// At which slots of a period a beep begins.
    private static let beeps: Set<Int> = [0, 12]
    private static let tone = Tone(frequency: 523, level: -30)
    private static let milliseconds = 140

    init(rate: Int) {
        generator = ToneGenerator(rate: rate)
        noise.set(level: ComfortNoise.loudest)
    }

    /// The agent is heard again.
    func reset() {
        slot = 0
        generator.stop()
    }

    /// Writes over a slot of silence.
    func fill(_ samples: UnsafeMutableBufferPointer<Int16>) {
        let place = slot - Self.delay
        if place >= 0, Self.beeps.contains(place % Self.period) { generator.start(Self.tone, milliseconds: Self.milliseconds) }
        if generator.isActive {
            _ = generator.generate(into: samples)
        } else if place >= 0 {
            noise.fill(samples)
        }
        slot += 1
    }
}
