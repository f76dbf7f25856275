import Glibc

/// Finds sounds nearly all of which lies in one of the bands of call-progress tones, by Goertzel's algorithm on the multiples of
/// 50 Hz in them: over 20 ms these are orthogonal, so that what they hold adds up. Nothing is allocated after `init`.
final class ToneBands {
    /// Samples of one look: 20 ms at 8000 samples a second.
    static let window = 160
    /// Hertz. First the tones of all countries but those of special information, then these one by one.
    static let ranges = [300...700, 850...1000, 1300...1500, 1700...1850]
    static let lastOfSpecialInformation = 3
    /// The share of the energy that a band must hold. A tone between two multiples of 50 Hz has a tenth outside at worst.
    private static let share: Float = 0.85
    private static let spacing = 50

    private let coefficients: UnsafeMutablePointer<Float>
    private let newer: UnsafeMutablePointer<Float>
    private let older: UnsafeMutablePointer<Float>
    private let count: Int

    init() {
        let frequencies = Self.ranges.flatMap { stride(from: $0.lowerBound, through: $0.upperBound, by: Self.spacing) }
        count = frequencies.count
        coefficients = .allocate(capacity: count)
        newer = .allocate(capacity: count)
        older = .allocate(capacity: count)
        for (index, frequency) in frequencies.enumerated() {
            coefficients[index] = 2 * cosf(2 * Float.pi * Float(frequency) / 8000)
        }
        newer.initialize(repeating: 0, count: count)
        older.initialize(repeating: 0, count: count)
    }

    deinit {
        coefficients.deallocate()
        newer.deallocate()
        older.deallocate()
    }

    /// The band that holds nearly all of `window` samples; nil when none does.
    func dominant(in samples: UnsafeBufferPointer<Int16>) -> Int? {
        guard samples.count == Self.window, let source = samples.baseAddress else { return nil }
        let energy = filter(source)
        guard energy > 0 else { return nil }
        var first = 0
        for (band, range) in Self.ranges.enumerated() {
            let next = first + (range.upperBound - range.lowerBound) / Self.spacing + 1
            if held(first..<next) >= Self.share * energy { return band }
            first = next
        }
        return nil
    }

    /// Runs the samples through all filters; their energy.
    private func filter(_ source: UnsafePointer<Int16>) -> Float {
        let (coefficients, newer, older, count) = (coefficients, newer, older, count)
        newer.update(repeating: 0, count: count)
        older.update(repeating: 0, count: count)
        var energy: Float = 0
        var index = 0
        while index < Self.window {
            let sample = Float(source[index])
            energy += sample * sample
            var filter = 0
            while filter < count {
                let next = sample + coefficients[filter] * newer[filter] - older[filter]
                older[filter] = newer[filter]
                newer[filter] = next
                filter &+= 1
            }
            index &+= 1
        }
        return energy
    }

    /// The energy at the frequencies of some filters, in the measure of `filter`.
    private func held(_ filters: Range<Int>) -> Float {
        var sum: Float = 0
        for filter in filters {
            let (a, b) = (newer[filter], older[filter])
            sum += a * a + b * b - coefficients[filter] * a * b
        }
        return sum * 2 / Float(Self.window)
    }
}
