import CShims
import Glibc

/// Sound at 2 kHz, flattened, as the search of an echo's delay wants it: exact enough to aim a filter, and cheap. It has no state of
/// its own: a coarse sample is made of the `reach` samples that end with its place.
///
/// A coarse sample stands for every `factor`-th place of the stream, so that two streams' coarse samples are as far apart as the
/// streams are.
struct EchoDecimator {
    /// Samples of a coarse one.
    let factor: Int
    /// Samples that a coarse one is made of, the last of them at its place.
    let reach: Int
    /// One for all calls, so that it stays in the processor's cache.
    private let response: UnsafePointer<Int16>

    /// Samples a second of the coarse sound.
    static let rate = 2000
    /// Highest frequency kept, in Hz.
    private static let cutoff = 850.0
    /// Of a sample that is taken off the next one: speech has little at the upper end, and a flat sound has a sharp correlation.
    private static let flattening = 0.7
    /// Never written after it was made.
    nonisolated(unsafe) private static let narrow = response(factor: 4)
    nonisolated(unsafe) private static let wide = response(factor: 8)

    /// - Parameter rate: 8000 or 16000 Hz
    init(rate: Int) {
        factor = rate / Self.rate
        reach = Self.reach(factor)
        response = factor == 4 ? Self.narrow : Self.wide
    }

    /// A low pass of four coarse samples to either side and, one behind, what is taken off; whole vectors of eight.
    private static func reach(_ factor: Int) -> Int { 10 * factor }

    private static func response(factor: Int) -> UnsafePointer<Int16> {
        let lowPass = 8 * factor + 1
        let middle = Double(lowPass - 1) / 2
        var taps = [Double](repeating: 0, count: reach(factor))
        for tap in 0..<lowPass {
            let time = Double(tap) - middle
            let angle = 2 * Double.pi * cutoff / Double(rate * factor)
            let sinc = time == 0 ? angle / Double.pi : sin(angle * time) / (Double.pi * time)
            let value = sinc * (0.54 + 0.46 * cos(Double.pi * time / middle))
            taps[taps.count - 1 - tap] += value
            taps[taps.count - 1 - tap - factor] -= flattening * value
        }
        let response = UnsafeMutablePointer<Int16>.allocate(capacity: taps.count)
        for (index, tap) in taps.enumerated() { (response + index).initialize(to: Int16((tap * 8192).rounded())) }
        return UnsafePointer(response)
    }

    /// The place of the first coarse sample at or behind `position`.
    func index(of position: Int64) -> Int64 {
        let (quotient, remainder) = position.quotientAndRemainder(dividingBy: Int64(factor))
        return remainder > 0 ? quotient + 1 : quotient
    }

    /// Coarse samples, of which the first is made of the `reach` samples from `samples` on.
    func process(_ samples: UnsafePointer<Int16>, into output: UnsafeMutablePointer<Int16>, count: Int) {
        tandem_decimate(samples, factor, response, reach, output, count)
    }
}
