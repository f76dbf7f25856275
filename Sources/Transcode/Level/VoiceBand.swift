/// One band of the sound that a `VoiceActivityDetector` hears: how loud it is, and how loud it must be to be a voice.
struct VoiceBand: ~Copyable {
    /// The part of the last seconds that is taken for the background: its quietest tenth, which pauses between words keep down.
    private static let quietShare: Float = 0.1
    /// A voice is so many times as far above that as the middle of the last seconds is, for a background that moves reaches
    /// higher: between steady noise and a crowd, and in decibels within these limits.
    private static let spread: Float = 3
    private static let leastMargin: Float = 4
    private static let mostMargin: Float = 14
    /// While somebody speaks the threshold rises by no more than this in decibels a step (4 a second): the voice itself is no
    /// background, but noise that was taken for a voice becomes one in some seconds.
    private static let rise: Float = 0.04
    /// Below this nothing is speech, however silent the background: line noise and comfort noise stay under it.
    private static let quietest: Float = -50
    /// Above this everything is speech, however loud the background, so that a shout is heard in any noise.
    private static let loudest: Float = -20
    /// What a background is taken for before it was heard, for half a second's weight: between a quiet room and a noisy street.
    private static let assumed: Float = -55
    private static let assumedSteps = 50

    /// Sum of the squares of the step's samples so far.
    var energy: Float = 0
    private var history = LevelHistory(assuming: VoiceBand.assumed, weight: VoiceBand.assumedSteps, quietShare: VoiceBand.quietShare)
    private var threshold: Float = VoiceBand.assumed + VoiceBand.leastMargin

    /// Ends a step of `samples` samples.
    /// - Parameter isSpeaking: whether somebody is being heard already.
    /// - Returns: whether it was loud enough for a voice.
    mutating func step(samples: Int, isSpeaking: Bool) -> Bool {
        let level = Level.dBFS(rms: (energy / Float(samples)).squareRoot())
        energy = 0
        let isLoud = level > max(Self.quietest, min(Self.loudest, threshold))
        history.add(level)
        let quiet = history.quiet()
        let margin = max(Self.leastMargin, min(Self.mostMargin, Self.spread * (history.middle() - quiet)))
        threshold = isSpeaking ? min(quiet + margin, threshold + Self.rise) : quiet + margin
        return isLoud
    }
}
