import Glibc

/// Sound at 2 kHz, flattened, as the search of an echo's delay wants it: exact enough to aim a filter, and cheap.
///
/// A coarse sample stands for every `factor`-th place of the stream, so that two streams' coarse samples are as far apart as the
/// streams are.
final class EchoDecimator {
    /// Samples of a coarse one.
    let factor: Int

    private let taps: Int
    private let response: UnsafeMutablePointer<Float>
    /// The last `taps - 1` samples and, behind them, those at hand.
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
        response = .allocate(capacity: taps)
        window = .allocate(capacity: taps - 1 + Self.chunk)
        window.initialize(repeating: 0, count: taps - 1 + Self.chunk)
        let middle = Double(taps - 1) / 2
        for tap in 0..<taps {
            let time = Double(tap) - middle
            let angle = 2 * Double.pi * Self.cutoff / Double(rate)
            let sinc = time == 0 ? angle / Double.pi : sin(angle * time) / (Double.pi * time)
            let hamming = 0.54 + 0.46 * cos(Double.pi * time / middle)
            (response + tap).initialize(to: Float(sinc * hamming))
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
        window.update(repeating: 0, count: taps - 1 + Self.chunk)
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
        let (window, response, taps) = (window, response, taps)
        var index = 0
        while index < count {
            window[taps - 1 + index] = Float(samples[index])
            index &+= 1
        }
        var coarse = self.index(of: position)
        var place = Int(coarse &* Int64(factor) &- position)
        while place < count {
            var sum: Float = 0
            var tap = 0
            while tap < taps {
                sum += window[place &+ tap] * response[tap]
                tap &+= 1
            }
            output(coarse, sum - Self.flattening * last)
            last = sum
            coarse &+= 1
            place &+= factor
        }
        window.update(from: window + count, count: taps - 1)
    }
}
