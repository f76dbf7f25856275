import Glibc

/// How loud somebody speaks: the mean power of what is speech, pauses between sentences left out (the idea of ITU-T P.56's active
/// level), over the last seconds of it.
///
/// It knows speech by its loudness alone, in steps of 10 ms: it stands out of the background, in stretches longer than a click, and
/// goes up and down within them as no tone and no steady noise does. That is enough to set a level by, costs next to nothing, and must
/// be wrong for seconds to do harm; when somebody begins to speak is `VoiceActivityDetector`'s to say. A value type; nothing is allocated.
struct SpeechLevel {
    /// Steps whose power is averaged: five seconds of speech.
    private static let memory: Float = 500
    /// Nothing below this counts, in dBFS; nor what is no more than so many decibels above the background, or below recent peaks.
    private static let quietest: Float = -62
    private static let aboveBackground: Float = 8
    private static let belowPeak: Float = 20
    /// Steps a stretch must last to be more than a click, and those after one that still belong to the speech (200 ms).
    private static let shortest = 5
    private static let hangover = 20
    /// Decibels by which speech moves about its mean, on average; tones move by 0.5 at most, steady noise by 1.2.
    private static let liveliest: Float = 2
    /// No voice goes so many decibels away from its mean.
    private static let jump: Float = 20
    /// How fast the mean and the movement about it follow: 300 ms.
    private static let quickly: Float = 1 / 30
    /// A voice's loudest syllables stand so many decibels above its level, and no more than so many: beyond that it became louder.
    private static let usualPeak: Float = 1
    private static let highestPeak: Float = 9
    /// Decibels a step by which what was loud is forgotten while there is speech: 10 a second.
    private static let forgetting: Float = 0.1

    /// Level in dBFS; meaningful once `heard` is not 0.
    private(set) var dBFS: Float = Level.floor
    /// Steps of speech so far, as many as are remembered at most.
    private(set) var heard: Float = 0
    /// Whether the last step was, or belonged to, speech.
    private(set) var isSpeech = false

    private var power: Float = 0
    /// Powers of the last two steps of a stretch.
    private var before: (Float, Float) = (0, 0)
    /// Steps of the present stretch, and since the last one of speech.
    private var run = 0
    private var since = SpeechLevel.hangover
    /// Steps since the last stretch: after a pause it is to be seen anew whether what comes is lively.
    private var silence = SpeechLevel.hangover
    private var mean: Float?
    private var liveliness: Float = 0
    private var peak: Float = SpeechLevel.quietest
    private(set) var background = Background()

    /// Hears the next 10 ms.
    /// - Parameter power: mean square of the samples without their mean, as a share of full scale
    mutating func hear(_ power: Float) {
        let level = Self.decibels(power)
        background.hear(level)
        let isAbove = level > max(Self.quietest, background.level + Self.aboveBackground)
        if isAbove { peak = max(peak - Self.forgetting, Self.quietest) }
        guard isAbove, level > peak - Self.belowPeak else { return pause(power) }
        if silence >= Self.hangover { (mean, liveliness) = (nil, 0) }
        silence = 0
        run += 1
        // The first step of a stretch may hold half of it: it says nothing of the level.
        guard run > 1 else { return pause(power, ends: false) }
        before = run == 2 ? (power, power) : (before.1, before.0)
        let smooth = run == 2 ? level : Self.decibels((power + before.0 + before.1) / 3)
        before.0 = power
        follow(smooth)
        guard run >= Self.shortest, liveliness > Self.liveliest else { return pause(power, ends: false) }
        peak = max(peak, smooth)
        since = 0
        isSpeech = true
        learn(power, loudest: smooth)
    }

    private mutating func follow(_ level: Float) {
        let distance = level - (mean ?? level)
        // Something else began.
        guard abs(distance) < Self.jump else {
            (mean, liveliness) = (level, 0)
            return
        }
        mean = (mean ?? level) + distance * Self.quickly
        liveliness += (abs(distance) - liveliness) * Self.quickly
    }

    /// A step that is no speech itself; shortly after some it is taken for a part of it.
    private mutating func pause(_ power: Float, ends: Bool = true) {
        if ends {
            run = 0
            silence = min(silence + 1, Self.hangover)
        }
        since = min(since + 1, Self.hangover)
        isSpeech = since < Self.hangover
        if isSpeech { learn(power) }
    }

    private mutating func learn(_ power: Float, loudest: Float? = nil) {
        heard = min(heard + 1, Self.memory)
        self.power += (power - self.power) / heard
        dBFS = Self.decibels(self.power)
        guard let loudest else { return }
        if loudest > dBFS + Self.highestPeak { set(loudest - Self.highestPeak) }
        // All that was heard lately is quieter than it was: the mean of seconds would take too long.
        if peak < dBFS + Self.usualPeak { set(dBFS - Self.forgetting) }
    }

    private mutating func set(_ level: Float) {
        dBFS = level
        power = powf(10, level / 10)
    }

    private static func decibels(_ power: Float) -> Float { power > 0 ? max(Level.floor, 10 * log10f(power)) : Level.floor }
}

extension SpeechLevel {
    /// The quietest that it was in the last two to three seconds, smoothed over 40 ms: pauses between words reach it.
    struct Background {
        private static let second = 100

        /// dBFS.
        var level: Float { min(lowest.0, min(lowest.1, lowest.2)) }
        private var lowest: (Float, Float, Float) = (-50, -50, -50)
        private var smooth: Float = -50
        private var steps = 0

        mutating func hear(_ level: Float) {
            smooth += (max(level, -75) - smooth) / 4
            lowest.0 = min(lowest.0, smooth)
            steps += 1
            guard steps == Self.second else { return }
            steps = 0
            lowest = (smooth, lowest.0, lowest.1)
        }
    }
}
