import CShims

/// Finds out whether a line sends back what is played to it, and how far behind: by the correlation of both at 2 kHz, over the
/// delays at which an echo can come and the last seconds in which something was played.
///
/// Each stretch of 20 ms weighs the same, however loud: so a voice at the line does not outweigh an echo much weaker than it.
struct EchoDelayEstimator: ~Copyable {
    /// Where the echo is, in coarse samples: a sound at the line's place p, in the axis of what comes in, is the echo of what was
    /// played at p + offset. Nil until it is found; kept while nothing else is.
    private(set) var offset: Int64?
    /// For seconds of sound no echo was found.
    private(set) var isResting = false

    private let decimator: EchoDecimator
    private let correlation: UnsafeMutablePointer<Float>
    /// What came in: the end of the stretch before, and the stretch that is being filled.
    private let sound: UnsafeMutablePointer<Int16>
    /// The stretch at hand, coarse.
    private let near: UnsafeMutablePointer<Int16>
    /// Samples of the stretch that are there; nil before the stream begins, or begins anew.
    private var filled: Int?
    /// Where the stretch begins, in coarse samples.
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
    /// What of a tone is not foretold, at most: 20 dB less.
    private static let foretold: Float = 0.01
    /// The root of the sum of squares of a stretch in whole numbers. The highest of what was played is 2^15 * 40^0.5.
    private static let wholeScale: Float = 8192
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
    /// Those after which it rests for seven eighths: 24 s.
    private static let longPatience = 1200
    /// Stretches after which the tie may go up again: 2 s.
    private static let tieSpan = 100

    init(decimator: EchoDecimator) {
        self.decimator = decimator
        correlation = .allocate(capacity: Self.delays)
        correlation.initialize(repeating: 0, count: Self.delays)
        let samples = decimator.reach - 1 + Self.stretch * decimator.factor
        sound = .allocate(capacity: samples)
        sound.initialize(repeating: 0, count: samples)
        near = .allocate(capacity: Self.stretch)
        near.initialize(repeating: 0, count: Self.stretch)
    }

    deinit {
        correlation.deallocate()
        sound.deallocate()
        near.deallocate()
    }

    /// The stream of what comes in does not go on where it was.
    mutating func skip() { filled = nil }

    /// What was found may be none: to be looked at again.
    mutating func doubt() { offset = nil }

    /// Nothing found so far counts any more, for it was no echo or is gone; the search rests.
    mutating func forget() {
        offset = nil
        sinceSighting = Self.patience
        isResting = true
        sightings = 0
        untilSearch = Self.leastSound
        correlation.update(repeating: 0, count: Self.delays)
    }

    /// Takes what came in next.
    /// - Parameters:
    ///   - position: of the first sample
    ///   - played: the place up to which something could have been played by now, in coarse samples
    mutating func observe(
        _ samples: UnsafePointer<Int16>, count: Int, at position: Int64, reference: inout EchoReference, played: Int64
    ) {
        let (before, whole) = (decimator.reach - 1, Self.stretch * decimator.factor)
        var index = 0
        if filled == nil {
            start = decimator.index(of: position)
            index = Int(start &* Int64(decimator.factor) &- position)
            sound.update(repeating: 0, count: before)
        }
        var filled = filled ?? 0
        while index < count {
            let length = min(count - index, whole - filled)
            (sound + (before + filled)).update(from: samples + index, count: length)
            index += length
            filled += length
            guard filled == whole else { break }
            filled = 0
            look(&reference, played: played)
            start &+= Int64(Self.stretch)
            sound.update(from: sound + whole, count: before)
        }
        self.filled = filled
    }

    /// The stretch is full.
    private mutating func look(_ reference: inout EchoReference, played: Int64) {
        let tie = tie(end: start &+ Int64(Self.stretch), played: played)
        let first = start &+ tie &- Int64(Self.delays - 1)
        guard reference.hasSound(from: first) else { return }
        if isResting, sinceSighting / Self.restingTurn % (sinceSighting > Self.longPatience ? 8 : 4) != 0 {
            sinceSighting &+= 1
            return
        }
        guard correlate(reference.coarse(from: first, count: Self.delays - 1 + Self.stretch)) else { return }
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
    private mutating func tie(end: Int64, played: Int64) -> Int64 {
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
    /// - Parameter far: what was played, from the longest delay on
    /// - Returns: false when nothing was played that it could be the echo of.
    private func correlate(_ far: UnsafePointer<Int16>) -> Bool {
        let near = near
        var loudest: Float = 0
        var place = 0
        while place + Self.stretch < Self.delays + Self.stretch {
            loudest = max(loudest, tandem_energy(far + place, Self.stretch))
            place += Self.stretch
        }
        let length = Float(Self.stretch)
        guard loudest > Self.audible * length else { return false }
        decimator.process(sound, into: near, count: Self.stretch)
        let energy = tandem_energy(near, Self.stretch)
        guard !isTone, energy > length || !isLoud else { return false }
        var weight = 1 / (loudest * (energy + Self.codecNoise * length)).squareRoot()
        // Whole numbers, of which no sum with what was played leaves 32 bits, and the weakest stretch's are as exact as others.
        if energy > 0 {
            let scale = Self.wholeScale / energy.squareRoot()
            var index = 0
            while index < Self.stretch {
                near[index] = Int16(Float(near[index]) * scale)
                index &+= 1
            }
            weight /= scale
        }
        tandem_correlate(correlation, Self.delays, near, Self.stretch, far, Self.forgetting, weight)
        return true
    }

    /// Whether what came in is a single tone, which two samples foretell the next of: it is alike at every delay, and the beginning
    /// of one looks like an echo of whatever else begins.
    private var isTone: Bool {
        var (r00, r01, r11, r02, r12, energy): (Float, Float, Float, Float, Float, Float) = (0, 0, 0, 0, 0, 0)
        var index = 2
        while index < Self.stretch {
            let (now, one, two) = (Float(near[index]), Float(near[index &- 1]), Float(near[index &- 2]))
            energy += now * now
            r00 += one * one
            r01 += one * two
            r11 += two * two
            r02 += now * one
            r12 += now * two
            index &+= 1
        }
        let determinant = r00 * r11 - r01 * r01
        // Two equations that are one: the samples only change their sign.
        guard determinant > 1e-4 * r00 * r11 else { return energy > 0 }
        let first = (r02 * r11 - r12 * r01) / determinant
        let second = (r12 * r00 - r02 * r01) / determinant
        return energy - first * r02 - second * r12 < Self.foretold * energy
    }

    /// Whether something came in, whatever the coarse sound has of it: of a tone that it meets at its zeros nothing, and what the sound
    /// before left would be found again and again.
    private var isLoud: Bool {
        let samples = Self.stretch * decimator.factor
        return tandem_energy(sound + (decimator.reach - 1), samples) > Self.codecNoise * Float(samples)
    }

    private mutating func search(tie: Int64) {
        let correlation = correlation
        var sums = SIMD4<Float>.zero
        var highests = SIMD4<Float>.zero
        var index = 0
        while index < Self.delays {
            let four = SIMD4(correlation[index], correlation[index &+ 1], correlation[index &+ 2], correlation[index &+ 3])
            let squares = four * four
            sums += squares
            highests = pointwiseMax(highests, squares)
            index &+= 4
        }
        let highest = highests.max()
        guard highest * Float(Self.delays) > Self.certain * sums.sum() else {
            sightings = 0
            return
        }
        var place = 0
        while place < Self.delays - 1, correlation[place] * correlation[place] < highest { place += 1 }
        let found = tie &- Int64(Self.delays - 1 - place)
        sightings = sightings > 0 && (found &- candidate).magnitude <= Self.sameness ? sightings + 1 : 1
        candidate = found
        guard sightings >= Self.sightingsNeeded else { return }
        offset = found
        sinceSighting = 0
    }
}
