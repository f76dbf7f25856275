/// How loud a voice must be in each octave, against a background that is learnt: what the steps of a `VoiceActivityDetector` are
/// judged by.
struct VoiceBands: ~Copyable {
    typealias Bands = LevelHistory.Bands

    /// What a step shows.
    struct Judgement {
        /// Loud enough for a voice, in one band at least.
        var isLoud: Bool
        /// How much it speaks for a voice that begins, in the band where it does most: 0 is the background, `spread` is enough.
        var evidence: Float
    }

    /// The part of the last seconds that is taken for the background: its quietest tenth, which pauses between words keep down.
    private static let quietShare: Float = 0.1
    /// The middle of the last seconds. Just above the half: of mains hum with its harmonics at 50 Hz every other step is louder, and
    /// the louder ones are the background too.
    private static let middleShare: Float = 0.51
    /// A voice is so many times as far above that as the middle of the last seconds is, for a background that moves reaches
    /// higher: between steady noise and a crowd, and in decibels within these limits.
    static let spread: Float = 2.9
    private static let leastMargin: Float = 4
    private static let mostMargin: Float = 14
    /// While somebody speaks the threshold rises by no more than this in decibels a step (6 a second): the voice itself is no
    /// background, but noise that was taken for a voice becomes one in some seconds.
    private static let rise: Float = 0.06
    /// Below this nothing is speech, however silent the background: line noise and comfort noise stay under it.
    private static let quietest: Float = -50
    /// Above this everything is speech, however loud the background, so that a shout is heard in any noise.
    private static let loudest: Float = -20
    /// What a background is taken for before it was heard, for half a second's weight: between a quiet room and a noisy street.
    private static let assumed: Float = -55
    private static let assumedSteps = 50
    /// A voice that begins is louder than the mean of the last third of a second, by this part of the margin; a car that comes
    /// nearer is not. The mean takes this share of each step.
    private static let suddenness: Float = 0.5
    private static let meanShare: Float = 0.03
    /// What is so many decibels below the loudest of the last three steps rings off, as a knock does: no voice begins so.
    private static let fall: Float = 5

    private var history = LevelHistory(
        assuming: VoiceBands.assumed, weight: VoiceBands.assumedSteps, quietShare: VoiceBands.quietShare,
        middleShare: VoiceBands.middleShare)
    private var margins = Bands(repeating: VoiceBands.leastMargin)
    private var thresholds = Bands(repeating: VoiceBands.assumed + VoiceBands.leastMargin)
    private var means = Bands(repeating: VoiceBands.assumed)
    /// Of the last three steps, the latest first.
    private var levels = (Bands(repeating: Level.floor), Bands(repeating: Level.floor), Bands(repeating: Level.floor))

    /// Judges a step by what the others showed, and learns from it.
    /// - Parameters:
    ///   - powers: the mean squares of its samples in each band
    ///   - isSpeaking: whether somebody is being heard already
    mutating func judge(_ powers: Bands, isSpeaking: Bool) -> Judgement {
        let level = Level.dBFS(powers: powers)
        let bounded = thresholds.atLeast(Self.quietest).atMost(Self.loudest)
        let isLoud = level .> bounded
        let isSudden = level - means .> Self.suddenness * margins
        let ringsOff = level .< levels.0.atLeast(levels.1).atLeast(levels.2) - Self.fall
        let judgement: Judgement
        if isSpeaking {
            judgement = Judgement(isLoud: any(isLoud), evidence: 0)
        } else {
            var evidence = (level - bounded) * (Self.spread / margins) + Self.spread
            evidence.replace(with: evidence.atMost(0), where: .!isSudden .| level .< Self.quietest .| ringsOff)
            judgement = Judgement(isLoud: any(isLoud .& isSudden .& .!ringsOff), evidence: evidence.max())
        }
        learn(level, isSpeaking: isSpeaking)
        return judgement
    }

    private mutating func learn(_ level: Bands, isSpeaking: Bool) {
        levels = (level, levels.0, levels.1)
        means += Self.meanShare * (level - means)
        history.add(level)
        let quiet = history.quiet()
        margins = (Self.spread * (history.middle() - quiet)).atLeast(Self.leastMargin).atMost(Self.mostMargin)
        thresholds = isSpeaking ? (quiet + margins).atMost(thresholds + Self.rise) : quiet + margins
    }
}
