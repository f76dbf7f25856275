import Glibc
import Transcode

/// Tells from the first seconds of sound whether a person answered, an answering machine, or a fax; and where a machine's beep ends.
///
/// By length and cadence: a person says a word or two and waits, a machine speaks on. It knows no words, so that somebody who
/// answers with a whole sentence is taken for a machine, and a machine that says little for a person. Loop-confined; nothing is
/// allocated after `init`.
final class AnswerClassifier {
    enum Finding: String, Sendable, Equatable {
        case human, machine, fax
        /// Nobody said anything.
        case silence
        /// A machine's tone ended: from here on it records.
        case beep
    }

    /// A greeting longer than this, in milliseconds, is a machine's.
    static let longestGreeting = 1800
    /// A pause this long ends a person's greeting.
    static let pause = 800
    /// How long a word is waited for.
    static let patience = 4000
    /// Nothing is looked for after this, a beep neither.
    static let end = 40_000

    private static let frame = 20
    /// Below this a frame is silence whatever the background, above `loudest` it is sound, in dBFS.
    private static let quietest: Float = -42
    private static let loudest: Float = -30
    /// How far sound is above the background, in decibels.
    private static let margin: Float = 15
    /// Which part of a tone's energy may be something else.
    private static let impurity: Float = 0.02
    /// By how much a tone's frequency may wander from frame to frame.
    private static let wander: Float = 0.02
    private static let beepTone: ClosedRange<Float> = 350...1900
    private static let beepFrames = 10
    /// The answer tone of ITU-T T.30 and V.8; its phase is reversed every 450 ms.
    private static let faxTone: ClosedRange<Float> = 2060...2140
    private static let faxFrames = 15
    private static let rate: Float = 8000

    private let decimation: Int
    private var group: Int32 = 0
    private var grouped = 0
    private var filled = 0
    /// The last two samples, and sums over the frame: of the energy, and for a predictor that only a tone obeys.
    private var (last, before): (Float, Float) = (0, 0)
    private var (energy, cross, past, ends): (Float, Float, Float, Float) = (0, 0, 0, 0)
    private var floor: Float = -50

    private var milliseconds = 0
    private var greetingBegan: Int?
    private var lastSound = 0
    private var tone: (frequency: Float, frames: Int) = (0, 0)
    private var verdict: Finding?

    /// - Parameter rate: samples a second, a multiple of 8000
    init(rate: Int) { decimation = max(1, rate / Int(Self.rate)) }

    /// Nothing more will be found.
    var isOver: Bool { milliseconds >= Self.end || verdict == .human || verdict == .fax }

    /// Hears the next samples, any number of them.
    /// - Returns: what they show; each finding comes once.
    func hear(_ samples: UnsafeMutableBufferPointer<Int16>) -> Finding? {
        var finding: Finding?
        for sample in samples {
            group &+= Int32(sample)
            grouped &+= 1
            guard grouped == decimation else { continue }
            add(Float(group) / Float(decimation))
            (group, grouped) = (0, 0)
            if filled == Int(Self.rate) / 1000 * Self.frame { finding = judge() ?? finding }
        }
        return finding
    }

    private func add(_ sample: Float) {
        // A sinusoid obeys x[n] + x[n-2] = a x[n-1].
        let sum = sample + before
        energy += sample * sample
        cross += sum * last
        past += last * last
        ends += sum * sum
        (before, last) = (last, sample)
        filled &+= 1
    }

    private func judge() -> Finding? {
        defer { (filled, energy, cross, past, ends) = (0, 0, 0, 0, 0) }
        guard !isOver else { return nil }
        let level = Level.dBFS(rms: (energy / Float(filled)).squareRoot())
        let isSound = level > max(Self.quietest, min(Self.loudest, floor + Self.margin))
        floor = min(floor, max(level, -70))
        milliseconds += Self.frame
        if let found = followTone(isSound: isSound) { return found }
        if isSound {
            greetingBegan = greetingBegan ?? milliseconds
            lastSound = milliseconds
        }
        guard verdict == nil, let found = weigh() else { return nil }
        verdict = found
        return found
    }

    private func weigh() -> Finding? {
        guard let began = greetingBegan else { return milliseconds >= Self.patience ? .silence : nil }
        if lastSound - began > Self.longestGreeting { return tone.frames >= Self.beepFrames ? nil : .machine }
        return milliseconds - lastSound >= Self.pause ? .human : nil
    }

    /// - Returns: what the tone was that just ended, or a fax while it sounds.
    private func followTone(isSound: Bool) -> Finding? {
        let frequency = isSound ? pureFrequency : nil
        if let frequency, abs(frequency - tone.frequency) <= Self.wander * frequency {
            tone = (frequency, tone.frames + 1)
            guard tone.frames == Self.faxFrames, Self.faxTone.contains(frequency), verdict == nil else { return nil }
            verdict = .fax
            return .fax
        }
        let wasBeep = tone.frames >= Self.beepFrames && Self.beepTone.contains(tone.frequency)
        tone = (frequency ?? 0, frequency == nil ? 0 : 1)
        guard wasBeep else { return nil }
        // Nobody but a machine beeps: that is said by the beep, too.
        verdict = .machine
        return .beep
    }

    /// Of the frame's tone, in hertz; nil if it is none.
    private var pureFrequency: Float? {
        guard past > 0, energy > 0 else { return nil }
        let factor = cross / past
        let rest = ends - cross * factor
        guard rest <= Self.impurity * energy, abs(factor) < 2 else { return nil }
        return acosf(factor / 2) * Self.rate / (2 * .pi)
    }
}
