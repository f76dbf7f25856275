import Glibc

/// Brings what somebody says to a common level, slowly: a quiet caller is raised, a loud one lowered (`agc: auto`).
///
/// The gain moves only while there is speech (`SpeechLevel`) and stays as it is in pauses, so noise does not swell in them. Up it goes by
/// a few decibels a second, and no further than where the background would become loud itself. What would be louder than full scale is lowered at once,
/// within a millisecond. No delay is added. Measured against speexdsp's preprocessor (docs/level.md). Loop-confined; nothing is allocated.
public final class GainControl {
    /// What was heard, and what is done to it.
    public struct Figures: Sendable, Equatable {
        /// How loud the speech is as it comes, in dBFS.
        public var speechLevel: Float
        /// What is added to it, in dB.
        public var gain: Float
    }

    /// The level that speech is brought to, in dBFS.
    public static let target: Float = -23
    /// The most that is added or taken away, in dB.
    public static let mostGain: Float = 20
    public static let mostLoss: Float = 15
    /// The background is raised to this at most, in dBFS.
    private static let loudestBackground: Float = -40
    /// Decibels in a step of 10 ms: 6.5 a second up; down 10, and 40 where it is far too loud.
    private static let rise: Float = 0.065
    private static let fall: Float = 0.1
    private static let plunge: Float = 0.4
    private static let far: Float = 6
    /// Decibels in a step by which the limiter lets go: 20 a second.
    private static let release: Float = 0.2
    /// Steps of speech before a level is told: half a second.
    private static let enough: Float = 50
    /// The largest sample that is let through, -0.8 dB.
    private static let ceiling: Float = 30000

    /// Samples a second. What was learnt holds on over a change.
    public var rate: Int {
        didSet { if rate != oldValue { startStep() } }
    }
    private var speech = SpeechLevel()
    /// dB.
    private var gain: Float = 0
    /// What the limiter takes away at the moment, dB.
    private var limited: Float = 0
    /// Of the last sample, linear.
    private var factor: Float = 1
    // The step at hand.
    private var filled = 0
    private var sum = 0
    private var energy = 0

    /// - Parameter rate: samples a second, 8000 to 48000
    public init(rate: Int) { self.rate = rate }

    /// nil before somebody spoke.
    public var figures: Figures? {
        speech.heard < Self.enough ? nil : Figures(speechLevel: speech.dBFS, gain: gain)
    }

    /// Changes the next samples, any number of them, in place.
    /// - Parameter learns: false for what nobody said: concealed, filled in, an echo. It gets the gain that there is.
    public func process(_ samples: UnsafeMutableBufferPointer<Int16>, learns: Bool = true) {
        guard let base = samples.baseAddress else { return }
        if !learns, filled > 0 { startStep() }
        let step = rate / 100
        var index = 0
        while index < samples.count {
            let count = min(step - filled, samples.count - index)
            let piece = Piece(base + index, count)
            if learns { hear(piece, count, step) }
            apply(base + index, count, peak: piece.peak)
            index += count
        }
    }

    private func startStep() { (filled, sum, energy) = (0, 0, 0) }

    private func hear(_ piece: Piece, _ count: Int, _ step: Int) {
        sum &+= piece.sum
        energy &+= piece.energy
        filled += count
        guard filled == step else { return }
        let mean = Float(sum) / Float(step)
        speech.hear(max(0, Float(energy) / Float(step) - mean * mean) / Self.fullScale)
        startStep()
        if speech.isSpeech { move() }
    }

    /// The square of the largest sample.
    private static let fullScale: Float = 32768 * 32768

    private func move() {
        let wanted = max(-Self.mostLoss, min(Self.mostGain, Self.target - speech.dBFS))
        if wanted < gain {
            gain = max(wanted, gain - (gain - wanted > Self.far ? Self.plunge : Self.fall))
        } else if gain < Self.loudestBackground - speech.background.level {
            gain = min(wanted, gain + Self.rise)
        }
    }

    /// Brings the samples from the gain before to the one wanted now.
    private func apply(_ samples: UnsafeMutablePointer<Int16>, _ count: Int, peak: Float) {
        // Never less than the sound as it came: the limiter takes away only what was added.
        limited = max(0, min(gain, limited - Self.release * Float(count * 100) / Float(rate)))
        var target = gain == 0 && limited == 0 ? 1 : powf(10, (gain - limited) / 20)
        let largest = max(1, Self.ceiling / max(1, peak))
        guard max(target, factor) > largest else {
            GainRamp.scale(samples, count, from: factor, to: target)
            factor = target
            return
        }
        if target > largest {
            target = largest
            limited = gain - 20 * log10f(largest)
        }
        GainRamp.limit(samples, count, from: factor, to: target, over: rate / 1000)
        factor = target
    }
}
