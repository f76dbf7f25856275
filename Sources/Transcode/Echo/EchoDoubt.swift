/// While a line's echo is being learnt: whether what comes from it may be no more than the echo of what is played. It is for the decision
/// whether somebody speaks; the sound is not touched.
///
/// Louder than the strongest return of what was played of late it cannot be, and when a while of sound has shown no echo there is
/// none: then a quiet caller is believed too.
struct EchoDoubt {
    private(set) var isOver = false

    private let span: Int64
    /// Which span of time the loudest sound is of, and its mean square; then the spans before it.
    private var current = Int64.min
    private var loudest: (Float, Float, Float) = (0, 0, 0)
    private var audibleSamples = 0
    private let patience: (unfound: Int, found: Int)

    /// Milliseconds of a span: three of them last for as long as an echo may take.
    private static let spanMilliseconds: Int64 = 180
    /// Of the power of the loudest sound that was played, what its echo has at most: 3 dB less; and, once it is being taken out, what
    /// may be left of it where a new sound comes: 12 dB less, and 22 dB less when it was heard for a while.
    private static let strongest: Float = 0.5
    private static let left: Float = 0.06
    private static let leftAtLast: Float = 0.006
    /// Mean square above which something is played: -50 dBFS.
    private static let audible: Float = 10_700
    /// Milliseconds of sound after which none is there if none was found; and those in which one that was found is learnt.
    private static let unfoundMilliseconds = 1500
    private static let foundMilliseconds = 4000

    init(rate: Int) {
        span = Int64(rate) * Self.spanMilliseconds / 1000
        patience = (rate / 1000 * Self.unfoundMilliseconds, rate / 1000 * Self.foundMilliseconds)
    }

    /// - Parameters:
    ///   - power: mean square of what goes out
    ///   - clock: local time in samples
    mutating func played(power: Float, count: Int, clock: Int64) {
        advance(to: clock)
        loudest.0 = max(loudest.0, power)
        if power > Self.audible { audibleSamples = min(audibleSamples + count, patience.found) }
    }

    /// What goes on of what comes in now.
    /// - Parameters:
    ///   - isFound: the line has an echo
    ///   - isLearnt: it is being taken out
    /// - Returns: whether it may be an echo
    mutating func heard(power: Float, clock: Int64, isFound: Bool, isLearnt: Bool) -> Bool {
        if !isFound, audibleSamples > patience.unfound { isOver = true }
        guard !isOver else { return false }
        advance(to: clock)
        let played = max(loudest.0, loudest.1, loudest.2)
        let most = audibleSamples == patience.found ? Self.leftAtLast : isLearnt ? Self.left : Self.strongest
        return played > Self.audible && power < most * played
    }

    private mutating func advance(to clock: Int64) {
        let now = clock / span
        guard now != current else { return }
        switch now &- current {
        case 1: loudest = (0, loudest.0, loudest.1)
        case 2: loudest = (0, 0, loudest.0)
        default: loudest = (0, 0, 0)
        }
        current = now
    }
}
