/// Finds out whether a line sends back what is played to it, and how far behind: by the correlation of both at 2 kHz, over the
/// delays at which an echo can come and the last seconds in which something was played.
///
/// Each stretch of 20 ms weighs the same, however loud: so a voice at the line does not outweigh an echo much weaker than it.
final class EchoDelayEstimator {
    /// Where the echo is, in coarse samples: a sound at the line's place p, in the axis of what comes in, is the echo of what was
    /// played at p + offset. Nil until it is found; kept while nothing else is.
    private(set) var offset: Int64?
    /// For seconds of sound no echo was found.
    private(set) var isResting = false

    private let correlation: UnsafeMutablePointer<Float>
    private let far: UnsafeMutablePointer<Float>
    private let near: UnsafeMutablePointer<Float>
    private var filled = 0
    private var start: Int64 = 0
    /// The offset of no delay at all, as far as the network shows it.
    private var tie: Int64?
    private var highestLead = Int64.min
    private var sinceTie = 0
    private var untilSearch = EchoDelayEstimator.leastSound
    private var candidate: Int64 = 0
    private var sightings = 0
    private var sinceSighting = 0

    /// Coarse samples of a stretch: 20 ms.
    private static let stretch = EchoDecimator.rate / 50
    /// Delays searched, in coarse samples: 340 ms, of which the network and the phone's own buffer take a part.
    static let delays = EchoDecimator.rate * 34 / 100
    /// What a stretch's weight loses with each one after it: half of it in 1.4 s.
    private static let forgetting: Float = 0.99
    /// Mean square above which a stretch counts as sound: about -50 dBFS.
    private static let audible: Float = 3000
    /// Mean square that the noise of the codec may have; what is weaker says nothing.
    private static let codecNoise: Float = 100
    /// Stretches between two looks at the correlation.
    private static let searchEvery = 5
    /// Stretches of sound before the first look: 0.4 s.
    private static let leastSound = 20
    /// The square of the highest value over the mean square. Speech that is no echo stays under 25, and under 50 when it is what was played that repeats it (an agent that says everything back).
    private static let certain: Float = 60
    /// Looks in a row that must find the same.
    private static let sightingsNeeded = 2
    /// Coarse samples by which two sightings may differ.
    private static let sameness: UInt64 = 2
    /// Stretches of sound without a sighting after which the search rests, for three quarters of the time: 4 s.
    private static let patience = 200
    private static let restingTurn = 50
    /// Stretches after which the tie may go up again: 2 s.
    private static let tieSpan = 100

    init() {
        correlation = .allocate(capacity: Self.delays)
        correlation.initialize(repeating: 0, count: Self.delays)
        far = .allocate(capacity: Self.delays + Self.stretch)
        far.initialize(repeating: 0, count: Self.delays + Self.stretch)
        near = .allocate(capacity: Self.stretch)
        near.initialize(repeating: 0, count: Self.stretch)
    }

    deinit {
        correlation.deallocate()
        far.deallocate()
        near.deallocate()
    }

    /// The stream of what comes in does not go on where it was.
    func skip() { filled = 0 }

    /// Nothing found so far counts any more, for it was no echo or is gone; the search rests.
    func forget() {
        offset = nil
        sinceSighting = Self.patience
        isResting = true
        sightings = 0
        untilSearch = Self.leastSound
        correlation.update(repeating: 0, count: Self.delays)
    }

    /// Takes the next coarse sample that came in.
    /// - Parameter played: the place up to which something could have been played by now, in coarse samples
    func observe(_ sample: Float, at place: Int64, reference: EchoReference, played: Int64) {
        if filled == 0 { start = place }
        near[filled] = sample
        filled += 1
        guard filled == Self.stretch else { return }
        filled = 0
        let tie = tie(end: start &+ Int64(Self.stretch), played: played)
        if isResting, sinceSighting / Self.restingTurn % 4 != 0 {
            sinceSighting &+= 1
            return
        }
        reference.readCoarse(from: start &+ tie &- Int64(Self.delays - 1), into: far, count: Self.delays - 1 + Self.stretch)
        guard correlate() else { return }
        sinceSighting &+= 1
        untilSearch -= 1
        if untilSearch == 0 {
            untilSearch = Self.searchEvery
            search(tie: tie)
        }
        isResting = sinceSighting > Self.patience
    }

    /// Keeps the searched delays where an echo can be: nothing comes back before it was played. Jitter shows a higher tie than the
    /// true one, never a lower.
    private func tie(end: Int64, played: Int64) -> Int64 {
        var tie = tie ?? played &- end
        let lead = end &+ tie &- played
        highestLead = max(highestLead, lead)
        sinceTie += 1
        if lead > 0 || sinceTie >= Self.tieSpan {
            let step = lead > 0 ? lead : highestLead
            tie &-= step
            shift(by: step)
            sinceTie = 0
            highestLead = .min
        }
        self.tie = tie
        return tie
    }

    /// The correlation stands for the same offsets as before when the tie went down by `step`.
    private func shift(by step: Int64) {
        guard step != 0 else { return }
        let count = Self.delays
        guard step.magnitude < UInt64(count) else { return correlation.update(repeating: 0, count: count) }
        let move = Int(step)
        if move > 0 {
            (correlation + move).update(from: correlation, count: count - move)
            correlation.update(repeating: 0, count: move)
        } else {
            correlation.update(from: correlation - move, count: count + move)
            (correlation + (count + move)).update(repeating: 0, count: -move)
        }
    }

    /// Adds the stretch at hand.
    /// - Returns: false when nothing was played that it could be the echo of.
    private func correlate() -> Bool {
        let (correlation, far, near) = (correlation, far, near)
        var loudest: Float = 0
        var place = 0
        while place + Self.stretch < Self.delays + Self.stretch {
            loudest = max(loudest, SumOfSquares.of(far + place, Self.stretch))
            place += Self.stretch
        }
        let length = Float(Self.stretch)
        guard loudest > Self.audible * length else { return false }
        let weight = 1 / (loudest * (SumOfSquares.of(near, Self.stretch) + Self.codecNoise * length)).squareRoot()
        var keep = Self.forgetting
        var index = 0
        while index < Self.stretch {
            let (y0, y1) = (near[index] * weight, near[index + 1] * weight)
            let (y2, y3) = (near[index + 2] * weight, near[index + 3] * weight)
            let x = far + index
            var delay = 0
            while delay < Self.delays {
                let sum = y0 * x[delay] + y1 * x[delay &+ 1] + y2 * x[delay &+ 2] + y3 * x[delay &+ 3]
                correlation[delay] = keep * correlation[delay] + sum
                delay &+= 1
            }
            keep = 1
            index &+= 4
        }
        return true
    }

    private func search(tie: Int64) {
        var (sum, highest, place): (Float, Float, Int) = (0, 0, 0)
        var index = 0
        while index < Self.delays {
            let square = correlation[index] * correlation[index]
            sum += square
            if square > highest {
                highest = square
                place = index
            }
            index &+= 1
        }
        guard highest * Float(Self.delays) > Self.certain * sum else {
            sightings = 0
            return
        }
        let found = tie &- Int64(Self.delays - 1 - place)
        sightings = sightings > 0 && (found &- candidate).magnitude <= Self.sameness ? sightings + 1 : 1
        candidate = found
        guard sightings >= Self.sightingsNeeded else { return }
        offset = found
        sinceSighting = 0
    }
}
