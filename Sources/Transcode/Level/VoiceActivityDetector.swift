/// Says when somebody begins to speak and when they have been silent for a while.
///
/// Energy in steps of 10 ms, in four octaves (`VoiceOctaves`), each against a background that is learnt (`VoiceBands`): what is loud
/// in one of them is a voice. Speech begins with three loud steps of four, or when what speaks for it adds up to as much over more of
/// them, so that neither a click counts nor a soft beginning is lost. `make bench-vad` measures it beside others
/// (docs/performance.md). Loop-confined; nothing is allocated after `init`.
public final class VoiceActivityDetector {
    /// What changed within the samples just heard.
    public enum Event: Sendable, Equatable {
        case speechBegan
        case speechEnded
    }

    /// Hertz below which little is a voice: mains hum is none.
    private static let lowest: Float = 100
    /// The evidence of a step (`VoiceBands`) that speaks neither for a voice nor against one, and what a step counts for at most
    /// beyond it, and at least: a loud one cannot make up for the others.
    private static let neutral: Float = 2
    private static let most: Float = 2
    private static let least: Float = -1
    /// The sum of these with which speech begins: more than two steps can give.
    private static let enough: Float = 4.4

    public let rate: Int
    /// Whether somebody is speaking, hangover included.
    public private(set) var isSpeaking = false
    /// Samples since the last step that was loud enough to be speech.
    public private(set) var silentSamples = 0

    private let stepSamples: Int
    private let hangoverSamples: Int
    /// The beginning of a step, where samples do not come in whole ones.
    private let begun: UnsafeMutablePointer<Int16>
    private var filled = 0
    private var octaves: VoiceOctaves
    private var bands = VoiceBands()
    /// The last four steps, one bit each: loud enough or not.
    private var recent: UInt8 = 0
    private var sum: Float = 0

    /// - Parameters:
    ///   - rate: samples a second, a multiple of 4000, at least 8000
    ///   - endSilence: how long it must be silent, in milliseconds, before speech has ended.
    public init(rate: Int, endSilence: Int = 600) {
        self.rate = rate
        octaves = VoiceOctaves(rate: rate, lowest: Self.lowest)
        stepSamples = octaves.stepSamples
        hangoverSamples = rate / 1000 * endSilence
        begun = .allocate(capacity: stepSamples)
        begun.initialize(repeating: 0, count: stepSamples)
    }

    deinit { begun.deallocate() }

    /// Hears the next samples, any number of them.
    /// - Returns: the last thing that changed within them, if anything did.
    @discardableResult
    public func process(_ samples: UnsafeBufferPointer<Int16>) -> Event? {
        guard let source = samples.baseAddress else { return nil }
        var event: Event?
        var index = 0
        while index < samples.count {
            let count = min(stepSamples - filled, samples.count - index)
            if count == stepSamples {
                event = judge(source + index) ?? event
            } else {
                (begun + filled).update(from: source + index, count: count)
                filled += count
                if filled == stepSamples {
                    filled = 0
                    event = judge(begun) ?? event
                }
            }
            index += count
        }
        return event
    }

    /// Forgets the speech so far but keeps the background.
    public func reset() {
        isSpeaking = false
        silentSamples = 0
        recent = 0
        sum = 0
        filled = 0
    }

    /// Judges the next 10 ms.
    private func judge(_ step: UnsafePointer<Int16>) -> Event? {
        let judgement = bands.judge(octaves.powers(step), isSpeaking: isSpeaking)
        recent = (recent << 1 | (judgement.isLoud ? 1 : 0)) & 0b1111
        silentSamples = judgement.isLoud ? 0 : silentSamples + stepSamples
        sum = max(0, sum + max(Self.least, min(Self.most, judgement.evidence - Self.neutral)))
        if !isSpeaking, recent.nonzeroBitCount >= 3 || sum >= Self.enough {
            isSpeaking = true
            silentSamples = 0
            return .speechBegan
        }
        if isSpeaking, silentSamples >= hangoverSamples {
            isSpeaking = false
            recent = 0
            sum = 0
            return .speechEnded
        }
        return nil
    }
}
