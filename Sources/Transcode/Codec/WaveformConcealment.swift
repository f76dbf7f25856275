/// Hides lost packets of G.711, G.722 and L16: goes on with the last pitch period, after 10 ms with the last two, faded from then on
/// to nothing at 60 ms, and blends into what follows. After the idea of G.711 Appendix I, at any rate and without its delay of
/// 3.75 ms: where Appendix I holds sound back to blend it into the first period, here the first period is bent to where the sound
/// broke off. Loop-confined.
public final class WaveformConcealment {
    /// Sound that is kept, in milliseconds: two of the longest periods and the overlap before them.
    private static let kept = 34
    /// One period repeated for longer than this buzzes: from then on there are more of them, and they fade.
    private static let fadeFrom = 10
    private static let fadeTo = 60
    private static let mostPeriods = 2
    /// Where the sound comes back, at most.
    private static let longestBlend = 10

    /// Samples in a millisecond.
    private let scale: Int
    private let capacity: Int
    /// The last sound, in a ring: `next` is where the oldest sample is.
    private let ring: UnsafeMutablePointer<Int16>
    private var next = 0
    /// What was heard before the loss, in order.
    private let past: UnsafeMutablePointer<Float>
    private let search: PitchSearch

    /// Samples made up since the loss began; counted to the end of the fade.
    private var missing = 0
    private var period = 0
    /// Of two pieces that meet: a quarter of a period.
    private var overlap = 0
    private var periods = 1
    /// Where in the periods repeated the next sample is, and where it would be in one fewer.
    private var phase = 0
    private var earlierPhase = 0

    /// - Parameter rate: samples a second, a multiple of 8000
    public init(rate: Int) {
        scale = rate / 1000
        capacity = Self.kept * scale
        ring = .allocate(capacity: capacity)
        ring.initialize(repeating: 0, count: capacity)
        past = .allocate(capacity: capacity)
        past.initialize(repeating: 0, count: capacity)
        search = PitchSearch(rate: rate)
    }

    deinit {
        ring.deallocate()
        past.deallocate()
    }

    /// Shows good audio to the concealer. The first samples after a loss are blended in place.
    public func received(_ samples: UnsafeMutableBufferPointer<Int16>) {
        guard let base = samples.baseAddress, !samples.isEmpty else { return }
        if missing > 0 {
            blend(base, samples.count)
            missing = 0
        }
        remember(base, samples.count)
    }

    /// Writes audio in place of a lost packet.
    /// - Returns: the samples written: all of `output`.
    public func fill(_ output: UnsafeMutableBufferPointer<Int16>) -> Int {
        guard let base = output.baseAddress, !output.isEmpty else { return 0 }
        if missing == 0 { begin() }
        for index in 0..<output.count { base[index] = Self.sample(nextSample()) }
        remember(base, output.count)
        return output.count
    }

    /// Forgets the stream so far.
    public func reset() {
        ring.update(repeating: 0, count: capacity)
        next = 0
        missing = 0
    }

    private func remember(_ samples: UnsafePointer<Int16>, _ count: Int) {
        let samples = samples + max(0, count - capacity)
        let count = min(count, capacity)
        let first = min(count, capacity - next)
        (ring + next).update(from: samples, count: first)
        ring.update(from: samples + first, count: count - first)
        next = first < count || next + first == capacity ? count - first : next + first
    }

    private func begin() {
        for index in next..<capacity { past[index - next] = Float(ring[index]) }
        for index in 0..<next { past[capacity - next + index] = Float(ring[index]) }
        period = search.period(before: past + capacity)
        overlap = period / 4
        periods = 1
        phase = 0
    }

    /// The next sample made up.
    private func nextSample() -> Float {
        guard missing < Self.fadeTo * scale else { return 0 }
        if missing == periods * Self.fadeFrom * scale, periods < Self.mostPeriods {
            periods += 1
            earlierPhase = phase
            phase %= period
        }
        var sample = repeated(periods, phase)
        phase += 1
        if phase == periods * period { phase = 0 }
        let since = missing - (periods - 1) * Self.fadeFrom * scale
        if since < overlap {
            let weight = Float(overlap - since) / Float(overlap + 1)
            sample += weight * (periods == 1 ? mismatch(since) : earlier() - sample)
        }
        let fading = missing - Self.fadeFrom * scale
        missing += 1
        return fading <= 0 ? sample : sample * (1 - Float(fading) / Float((Self.fadeTo - Self.fadeFrom) * scale))
    }

    /// The sample after the one before, with one period fewer.
    private func earlier() -> Float {
        defer { earlierPhase = (earlierPhase + 1) % ((periods - 1) * period) }
        return repeated(periods - 1, earlierPhase)
    }

    /// By how much the sound, mirrored where it broke off, differs from the period before it: it goes on so that there is no step.
    private func mismatch(_ offset: Int) -> Float {
        let place = capacity - 1 - offset
        return past[place] - past[place - period]
    }

    /// A sample of the last `periods`, the end of which is blended into what comes before their beginning.
    private func repeated(_ periods: Int, _ phase: Int) -> Float {
        let length = periods * period
        let sample = past[capacity - length + phase]
        let intoOverlap = phase - (length - overlap)
        guard intoOverlap >= 0 else { return sample }
        let weight = Float(intoOverlap + 1) / Float(overlap + 1)
        return sample + weight * (past[capacity - 2 * length + phase] - sample)
    }

    /// What is bent may go beyond what there is room for.
    private static func sample(_ value: Float) -> Int16 { Int16(max(-32768, min(32767, value.rounded()))) }

    /// Longer the longer the loss was: the voice has changed meanwhile.
    private func blend(_ samples: UnsafeMutablePointer<Int16>, _ count: Int) {
        let tens = (missing - 1) / (10 * scale)
        let length = min(overlap + 4 * tens * scale, Self.longestBlend * scale, count)
        for index in 0..<length {
            let weight = Float(index + 1) / Float(length + 1)
            let made = nextSample()
            samples[index] = Self.sample(made + weight * (Float(samples[index]) - made))
        }
    }
}
