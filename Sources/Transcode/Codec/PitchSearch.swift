/// Finds the period of a voice at the end of its sound: the lag at which the last 10 ms are most like what went before, by normalised
/// cross-correlation (G.711 Appendix I). Searched at 8000 samples a second, then made exact at the sound's own rate.
struct PitchSearch: ~Copyable {
    /// Samples a second.
    private let rate: Int
    /// Samples of the sound in one of the coarse ones.
    private let step: Int
    private let coarse: UnsafeMutablePointer<Float>

    private static let coarseRate = 8000
    /// From 333 Hz, two periods and more of a higher voice, …
    private static let shortestMilliseconds = 3
    /// … down to 67 Hz.
    static let longestMilliseconds = 15
    /// What is compared. Twice as much, as in Appendix I, finds the period the voice had rather than the one it has (measured by PESQ).
    private static let windowMilliseconds = 10

    /// What `period` looks at, in milliseconds.
    private static let reachMilliseconds = windowMilliseconds + longestMilliseconds

    /// - Parameter rate: in Hz, a multiple of 8000
    init(rate: Int) {
        self.rate = rate
        step = rate / Self.coarseRate
        coarse = .allocate(capacity: Self.coarseRate / 1000 * Self.reachMilliseconds)
    }

    deinit { coarse.deallocate() }

    /// - Parameter end: behind the sound's last sample; 26 ms before it are there
    /// - Returns: samples in a period, from 3 to 15 ms
    func period(before end: UnsafePointer<Float>) -> Int {
        let scale = Self.coarseRate / 1000
        let lags = Self.shortestMilliseconds * scale...Self.longestMilliseconds * scale
        let count = Self.reachMilliseconds * scale
        if step == 1 { return Self.best(lags, window: Self.windowMilliseconds * scale, before: end) }
        let weight = 1 / Float(step)
        var source = end - count * step
        for index in 0..<count {
            var sum: Float = 0
            for offset in 0..<step { sum += source[offset] }
            coarse[index] = sum * weight
            source += step
        }
        let found = step * Self.best(lags, window: Self.windowMilliseconds * scale, before: coarse + count)
        let shortest = max(Self.shortestMilliseconds * rate / 1000, found - step)
        let longest = min(Self.longestMilliseconds * rate / 1000, found + step)
        return Self.best(shortest...longest, window: Self.windowMilliseconds * rate / 1000, before: end)
    }

    private static func best(_ lags: ClosedRange<Int>, window: Int, before end: UnsafePointer<Float>) -> Int {
        let start = end - window
        var energy = product(start - lags.lowerBound, start - lags.lowerBound, window)
        var best = (lag: lags.lowerBound, score: -Float.infinity)
        for lag in lags {
            let earlier = start - lag
            if lag > lags.lowerBound { energy += earlier[0] * earlier[0] - earlier[window] * earlier[window] }
            let score = product(start, earlier, window) / max(energy, 1).squareRoot()
            if score > best.score { best = (lag, score) }
        }
        return best.lag
    }

    /// In eight sums, which the compiler turns into vectors; every window is a multiple of eight.
    private static func product(_ one: UnsafePointer<Float>, _ other: UnsafePointer<Float>, _ count: Int) -> Float {
        var sum = SIMD8<Float>()
        var index = 0
        while index < count {
            let left = UnsafeRawPointer(one + index).loadUnaligned(as: SIMD8<Float>.self)
            let right = UnsafeRawPointer(other + index).loadUnaligned(as: SIMD8<Float>.self)
            sum += left * right
            index &+= 8
        }
        return sum.sum()
    }
}
