/// Hears what an exchange sounds in place of a voice (ITU-T E.180): ringing, busy, congestion, and the three rising tones of
/// special information. 8000 samples a second. Loop-confined; nothing is allocated after `init`.
///
/// Countries differ in the frequencies (350 to 620 Hz), less in the rhythm: so a steady sound of that band counts, whatever its
/// tones, and its rhythm says what it is.
public final class CallProgressDetector {
    public enum Event: String, Sendable, CaseIterable {
        case ringing, busy, congestion
        case specialInformation = "special information"
    }

    /// Samples a second it must be given.
    public static let rate = 8000

    /// What 20 ms are.
    enum Step: Equatable {
        case silence
        /// Nearly all of it lies in one band (an index into `ToneBands.ranges`).
        case tone(Int)
        case other
    }

    /// A run of equal steps.
    private struct Run {
        var step = Step.other
        var length = 0

        var isShortSilence: Bool { step == .silence && length <= 3 }
    }

    private static let stepSamples = ToneBands.window
    /// Below this nothing is a tone, in dBFS; and a step this many decibels below the tone before it is its pause.
    private static let quietest: Float = -48
    private static let pauseDepth: Float = 12
    /// How far in decibels a tone may move: a voice moves more.
    private static let steadiness: Float = 6
    /// Steps of a silence after which a ringing tone was one.
    private static let ringPause = 70

    private var bands = ToneBands()
    private let samples = UnsafeMutablePointer<Int16>.allocate(capacity: CallProgressDetector.stepSamples)
    private var filled = 0
    /// The run that goes on, and the five before it, the latest first.
    private var current = Run()
    private var runs = (Run(), Run(), Run(), Run(), Run())
    /// One step that fits nothing, as where a tone begins or ends within it.
    private var isTorn = false
    private var levelBefore: Float = -96
    private var steadyLevel: Float = -96
    private var told: Event?

    public init() {}

    deinit { samples.deallocate() }

    /// Hears the next samples, any number of them.
    /// - Returns: what became certain in them. The same is not told again before something else was heard.
    public func process(_ input: UnsafeBufferPointer<Int16>) -> Event? {
        guard let source = input.baseAddress else { return nil }
        var event: Event?
        var index = 0
        while index < input.count {
            let count = min(Self.stepSamples - filled, input.count - index)
            if count == Self.stepSamples {
                event = judge(source + index) ?? event
            } else {
                (samples + filled).update(from: source + index, count: count)
                filled += count
                if filled == Self.stepSamples {
                    filled = 0
                    event = judge(samples) ?? event
                }
            }
            index += count
        }
        return event
    }

    private func judge(_ step: UnsafePointer<Int16>) -> Event? {
        let level = Level.dBFS(rms: bands.take(step).squareRoot())
        guard let event = follow(kind(level), level), event != told else { return nil }
        told = event
        return event
    }

    private func kind(_ level: Float) -> Step {
        if level < max(Self.quietest, steadyLevel - Self.pauseDepth) { return .silence }
        guard let band = bands.dominant else { return .other }
        return .tone(band)
    }

    /// Takes the next step; what the runs mean with it.
    private func follow(_ step: Step, _ level: Float) -> Event? {
        defer { levelBefore = level }
        if step == current.step {
            current.length += isTorn ? 2 : 1
            isTorn = false
            return step == .silence ? ringing : toneGoesOn(level)
        }
        if step == .other, !isTorn, current.step != .other {
            isTorn = true
            return nil
        }
        isTorn = false
        let ended = current
        runs = (ended, runs.0, runs.1, runs.2, runs.3)
        current = Run(step: step, length: 1)
        switch step {
        case .silence: return rhythm
        // A tone's level is known once it lasted two steps.
        case .tone, .other: steadyLevel = -96
        }
        return nil
    }

    /// A tone goes on. All but its first and its last step, which hold its edges, must be equally loud.
    private func toneGoesOn(_ level: Float) -> Event? {
        guard case .tone(let band) = current.step else { return nil }
        if current.length == 2 {
            steadyLevel = level
        } else if abs(levelBefore - steadyLevel) > Self.steadiness {
            current.step = .other
            steadyLevel = -96
            return nil
        }
        return band == ToneBands.lastOfSpecialInformation ? specialInformation : nil
    }

    /// One long tone, or two short ones, and then a long silence.
    private var ringing: Event? {
        guard current.length == Self.ringPause, let last = tone(runs.0) else { return nil }
        if (38...130).contains(last) { return .ringing }
        guard (14...28).contains(last), let first = tone(runs.2), (14...28).contains(first), (6...15).contains(runs.1.length),
            runs.1.step == .silence
        else { return nil }
        return .ringing
    }

    /// Three equal tones with equal pauses between them.
    private var rhythm: Event? {
        guard let last = tone(runs.0), let middle = tone(runs.2), let first = tone(runs.4), runs.1.step == .silence,
            runs.3.step == .silence, abs(last - middle) <= 2, abs(middle - first) <= 2, abs(runs.1.length - runs.3.length) <= 2
        else { return nil }
        let (sound, pause) = (middle, runs.1.length)
        if (8...16).contains(sound), (8...16).contains(pause) { return .congestion }
        if (16...40).contains(sound), (15...40).contains(pause) { return .busy }
        return nil
    }

    /// 950, 1400 and 1800 Hz for a third of a second each, without a pause to speak of.
    private var specialInformation: Event? {
        guard current.length >= 10 else { return nil }
        let isApart = runs.0.isShortSilence
        let (middle, before) = isApart ? (runs.1, runs.2) : (runs.0, runs.1)
        let first = before.isShortSilence ? (isApart ? runs.3 : runs.2) : before
        guard middle.step == .tone(2), first.step == .tone(1), (11...24).contains(middle.length), (11...24).contains(first.length)
        else { return nil }
        return .specialInformation
    }

    /// The length of a run that is a tone of the band in which exchanges sound.
    private func tone(_ run: Run) -> Int? { run.step == .tone(0) ? run.length : nil }
}
