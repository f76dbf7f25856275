/// Says when somebody begins to speak and when they have been silent for a while.
///
/// Energy in steps of 10 ms against a noise floor that is learnt: the quietest step of the last two seconds, which
/// pauses between words keep at the background's level. Speech begins after 30 ms above the threshold out of 40, so that
/// a click does not count. Loop-confined; nothing is allocated after `init`.
public final class VoiceActivityDetector {
    /// What changed within the samples just heard.
    public enum Event: Sendable, Equatable {
        case speechBegan
        case speechEnded
    }

    /// How many decibels above the background speech is.
    private static let margin: Float = 9
    /// Below this nothing is speech, however silent the background: line noise and comfort noise stay under it.
    private static let quietest: Float = -50
    /// Above this everything is speech, however loud the background, so that a shout is heard in any noise.
    private static let loudest: Float = -20
    /// The floor may follow a new noise upward this fast in decibels per step (6 a second): a held vowel is no noise.
    private static let rise: Float = 0.06
    /// What a background is taken for before it was heard: between a quiet room and a noisy street, so that neither
    /// counts as speech for more than a second while it is learnt.
    private static let initialFloor: Float = -55
    /// The minimum is taken over this many spans of `spanSteps`, two seconds in all.
    private static let spans = 4
    private static let spanSteps = 50

    public let rate: Int
    /// Whether somebody is speaking, hangover included.
    public private(set) var isSpeaking = false
    /// Samples since the last step that was loud enough to be speech.
    public private(set) var silentSamples = 0
    /// The learnt background in dBFS.
    public private(set) var noiseFloor: Float = VoiceActivityDetector.initialFloor

    private let stepSamples: Int
    private let hangoverSamples: Int
    private var energy: Float = 0
    private var filled = 0
    private var previousInput: Float = 0
    private var previousOutput: Float = 0
    /// The last four steps, one bit each: loud enough or not.
    private var recent: UInt8 = 0
    private let minima: UnsafeMutablePointer<Float>
    private var span = 0
    private var spanFilled = 0

    /// - Parameters:
    ///   - rate: samples a second; at least 8000.
    ///   - endSilence: how long it must be silent, in milliseconds, before speech has ended.
    public init(rate: Int, endSilence: Int = 600) {
        self.rate = rate
        stepSamples = rate / 100
        hangoverSamples = rate / 1000 * endSilence
        minima = .allocate(capacity: Self.spans)
        // Nothing heard yet: full scale, which every step is below.
        minima.initialize(repeating: 0, count: Self.spans)
    }

    deinit {
        minima.deallocate()
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
        energy = 0
        filled = 0
    }

    /// Adds up the energy without the constant part and the lowest hum.
    private func accumulate(_ source: UnsafePointer<Int16>, _ count: Int) {
        // A one-pole high-pass at about 100 Hz: a DC offset or mains hum is not speech.
        let pole = 1 - 630 / Float(rate)
        var (input, output, sum) = (previousInput, previousOutput, energy)
        var index = 0
        while index < count {
            let sample = Float(source[index])
            output = sample - input + pole * output
            input = sample
            sum += output * output
            index &+= 1
        }
        (previousInput, previousOutput, energy) = (input, output, sum)
    }

    /// Judges the 10 ms just completed.
    private func step() -> Event? {
        let level = Level.dBFS(rms: (energy / Float(stepSamples)).squareRoot())
        energy = 0
        filled = 0
        let threshold = max(Self.quietest, min(Self.loudest, noiseFloor + Self.margin))
        let isLoud = level > threshold
        follow(level)

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

    /// Learns the background from the quietest steps.
    private func follow(_ level: Float) {
        minima[span] = min(minima[span], level)
        spanFilled += 1
        if spanFilled == Self.spanSteps {
            spanFilled = 0
            span = (span + 1) % Self.spans
            minima[span] = level
        }
        var lowest = minima[0]
        for index in 1..<Self.spans { lowest = min(lowest, minima[index]) }
        noiseFloor = min(lowest, noiseFloor + Self.rise)
    }
}
