import Transcode

/// When the caller of an agent speaks: what a voice activity detector hears, less what may be the echo of the agent's own voice on a
/// line that is not learnt yet. Confined to the call's media loop.
struct CallerVoice {
    private let detector: VoiceActivityDetector
    /// Of the speech at hand something was no echo.
    private var isBelieved = false

    /// - Parameters:
    ///   - rate: samples a second
    ///   - endSilence: how long it must be silent, in milliseconds, before speech has ended
    init(rate: Int, endSilence: Int) { detector = VoiceActivityDetector(rate: rate, endSilence: endSilence) }

    /// Hangover included.
    var isSpeaking: Bool { isBelieved && detector.isSpeaking }

    /// Samples since the last that were loud enough to be speech.
    var silentSamples: Int { detector.silentSamples }

    /// Hears the next samples.
    /// - Returns: what changed within them
    mutating func hear(_ samples: UnsafeBufferPointer<Int16>, mayBeEcho: Bool) -> VoiceActivityDetector.Event? {
        let event = detector.process(samples)
        if event == .speechEnded {
            defer { isBelieved = false }
            return isBelieved ? event : nil
        }
        guard detector.isSpeaking, !isBelieved, !mayBeEcho, detector.silentSamples == 0 else { return nil }
        isBelieved = true
        return .speechBegan
    }
}
