import Glibc

/// Sound at 2 kHz, flattened, as the search of an echo's delay wants it: exact enough to aim a filter, and cheap.
///
/// A coarse sample stands for every `factor`-th place of the stream, so that two streams' coarse samples are as far apart as the
/// streams are.
final class EchoDecimator {
    /// Samples of a coarse one.
    let factor: Int

    private let taps: Int
    /// `taps` of them, then zeros up to a multiple of four.
    private let padded: Int
    private let response: UnsafeMutablePointer<Float>
    /// The last `taps - 1` samples, behind them those at hand, and room for the padding.
    private let window: UnsafeMutablePointer<Float>
    private var last: Float = 0

    /// Samples a second of the coarse sound.
    static let rate = 2000
    /// Highest frequency kept, in Hz.
    private static let cutoff = 850.0
    /// Of a sample that is taken off the next one: speech has little at the upper end, and a flat sound has a sharp correlation.
    private static let flattening: Float = 0.7
    private static let chunk = 160

    /// - Parameter rate: a multiple of 2000 in Hz
    init(rate: Int) {
        factor = rate / Self.rate
        taps = 8 * factor + 1
        padded = (taps + 3) / 4 * 4
        response = .allocate(capacity: padded)
        response.initialize(repeating: 0, count: padded)
        window = .allocate(capacity: padded + Self.chunk)
        window.initialize(repeating: 0, count: padded + Self.chunk)
        let middle = Double(taps - 1) / 2
        for tap in 0..<taps {
            let time = Double(tap) - middle
            let angle = 2 * Double.pi * Self.cutoff / Double(rate)
            let sinc = time == 0 ? angle / Double.pi : sin(angle * time) / (Double.pi * time)
            let hamming = 0.54 + 0.46 * cos(Double.pi * time / middle)
            response[tap] = Float(sinc * hamming)
        }
    }

    deinit {
        response.deallocate()
        window.deallocate()
    }

    /// The place of the first coarse sample at or behind `position`.
    func index(of position: Int64) -> Int64 {
        let (quotient, remainder) = position.quotientAndRemainder(dividingBy: Int64(factor))
        return remainder > 0 ? quotient + 1 : quotient
    }

    func reset() {
        window.update(repeating: 0, count: padded + Self.chunk)
        last = 0
    }

    /// Takes the stream's next samples, which begin at `position`, and hands over the coarse ones with their places.
    func process(_ samples: UnsafePointer<Int16>, count: Int, at position: Int64, output: (Int64, Float) -> Void) {
        var start = 0
        while start < count {
            let length = min(Self.chunk, count - start)
            processChunk(samples + start, count: length, at: position &+ Int64(start), output: output)
            start += length
        }
    }

    private func processChunk(_ samples: UnsafePointer<Int16>, count: Int, at position: Int64, output: (Int64, Float) -> Void) {
        let fresh = window + (taps - 1)
        var index = 0
        while index < count {
            fresh[index] = Float(samples[index])
            index &+= 1
        }
        var coarse = self.index(of: position)
        var place = Int(coarse &* Int64(factor) &- position)
        while place < count {
            let sum = filtered(window + place)
            output(coarse, sum - Self.flattening * last)
            last = sum
            coarse &+= 1
            place &+= factor
        }
        window.update(from: window + count, count: taps - 1)
    }

    /// Four products side by side: the order of additions of numbers with fractions is fixed.
    private func filtered(_ samples: UnsafePointer<Float>) -> Float {
        let response = response
        var sums = SIMD4<Float>.zero
        var tap = 0
        while tap < padded {
            let four = SIMD4(samples[tap], samples[tap &+ 1], samples[tap &+ 2], samples[tap &+ 3])
            sums += four * SIMD4(response[tap], response[tap &+ 1], response[tap &+ 2], response[tap &+ 3])
            tap &+= 4
        }
        return sums.sum()
    }
}
