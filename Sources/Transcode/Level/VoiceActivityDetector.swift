import Glibc

/// Says when somebody begins to speak and when they have been silent for a while.
///
/// Energy in steps of 10 ms, in two bands, each against a background that is learnt (`VoiceBand`): what is loud in either is a
/// voice. Speech begins after 30 ms above the threshold out of 40, so that a click does not count. `make bench-vad` measures it
/// beside others (docs/performance.md). Loop-confined; nothing is allocated after `init`.
public final class VoiceActivityDetector {
    /// What changed within the samples just heard.
    public enum Event: Sendable, Equatable {
        case speechBegan
        case speechEnded
    }

    /// Hertz below which nothing is a voice: a DC offset or mains hum is none.
    private static let lowest: Float = 100
    /// Hertz that divide the bands: most of the voice and of a street's noise below, hisses above.
    private static let divide: Float = 700

    public let rate: Int
    /// Whether somebody is speaking, hangover included.
    public private(set) var isSpeaking = false
    /// Samples since the last step that was loud enough to be speech.
    public private(set) var silentSamples = 0

    private let stepSamples: Int
    private let hangoverSamples: Int
    private var filled = 0
    private var low = VoiceBand()
    private var high = VoiceBand()
    /// What the filters remember: the high-pass of one pole, then the two poles of the low band.
    private let highPass: Float
    private let lowPass: Float
    private var previousInput: Float = 0
    private var previousOutput: Float = 0
    private var firstPole: Float = 0
    private var secondPole: Float = 0
    /// The last four steps, one bit each: loud enough or not.
    private var recent: UInt8 = 0

    /// - Parameters:
    ///   - rate: samples a second; at least 8000.
    ///   - endSilence: how long it must be silent, in milliseconds, before speech has ended.
    public init(rate: Int, endSilence: Int = 600) {
        self.rate = rate
        stepSamples = rate / 100
        hangoverSamples = rate / 1000 * endSilence
        highPass = 1 - 2 * Float.pi * Self.lowest / Float(rate)
        lowPass = 1 - expf(-2 * Float.pi * Self.divide / Float(rate))
    }

    /// Hears the next samples, any number of them.
    /// - Returns: the last thing that changed within them, if anything did.
    @discardableResult
    public func process(_ samples: UnsafeBufferPointer<Int16>) -> Event? {
        guard let source = samples.baseAddress else { return nil }
        var event: Event?
        var index = 0
        while index < samples.count {
            let count = min(stepSamples - filled, samples.count - index)
            accumulate(source + index, count)
            index += count
            filled += count
            if filled == stepSamples { event = step() ?? event }
        }
        return event
    }

    /// Forgets the speech so far but keeps the background.
    public func reset() {
        isSpeaking = false
        silentSamples = 0
        recent = 0
        low.energy = 0
        high.energy = 0
        filled = 0
    }

    /// Adds up the energy of both bands.
    private func accumulate(_ source: UnsafePointer<Int16>, _ count: Int) {
        let (highPass, lowPass) = (highPass, lowPass)
        var (input, output, first, second) = (previousInput, previousOutput, firstPole, secondPole)
        var (lowEnergy, highEnergy) = (low.energy, high.energy)
        var index = 0
        while index < count {
            let sample = Float(source[index])
            output = sample - input + highPass * output
            input = sample
            first += lowPass * (output - first)
            second += lowPass * (first - second)
            lowEnergy += second * second
            highEnergy += (output - second) * (output - second)
            index &+= 1
        }
        (previousInput, previousOutput, firstPole, secondPole) = (input, output, first, second)
        low.energy = lowEnergy
        high.energy = highEnergy
    }

    /// Judges the 10 ms just completed.
    private func step() -> Event? {
        filled = 0
        let isLoudBelow = low.step(samples: stepSamples, isSpeaking: isSpeaking)
        let isLoudAbove = high.step(samples: stepSamples, isSpeaking: isSpeaking)
        let isLoud = isLoudBelow || isLoudAbove
        recent = (recent << 1 | (isLoud ? 1 : 0)) & 0b1111
        silentSamples = isLoud ? 0 : silentSamples + stepSamples
        if !isSpeaking, recent.nonzeroBitCount >= 3 {
            isSpeaking = true
            return .speechBegan
        }
        if isSpeaking, silentSamples >= hangoverSamples {
            isSpeaking = false
            recent = 0
            return .speechEnded
        }
        return nil
    }
}
