import Glibc

/// The low-pass prototype of a rational resampler, cut into phases.
///
/// A windowed sinc (Kaiser): flat to 0.42 of the lower rate within 0.05 dB, 89 dB down from 0.58 of it, that is,
/// telephone speech (to 3360 Hz at 8000) passes whole and every image and alias of it is below a 16-bit sample's noise.
/// 32 periods of the lower rate long, hence a delay of just under 16 of them: 2 ms at 8000, 1 ms at 16000.
struct ResamplerFilter {
    /// Prototype length in periods of the lower rate: the shortest with which the transition band above is 80 dB deep.
    static let periods = 32
    /// The Kaiser window's shape and the -6 dB point (of the lower rate), found by search for the deepest stop band
    /// with a ripple of at most 0.05 dB.
    private static let shape = 8.9
    private static let cutoff = 0.49

    /// Phases: the factor by which the rate is raised first.
    let interpolation: Int
    /// The factor by which it is lowered then.
    let decimation: Int
    /// Coefficients in each phase; a multiple of four.
    let taps: Int
    /// Phase after phase, `taps` each, newest sample first.
    let coefficients: [Float]

    init(from inputRate: Int, to outputRate: Int) {
        let divisor = Self.greatestCommonDivisor(inputRate, outputRate)
        interpolation = outputRate / divisor
        decimation = inputRate / divisor
        let factor = max(interpolation, decimation)
        let length = Self.periods * factor
        taps = length / interpolation

        var prototype = [Double](repeating: 0, count: length)
        let middle = Double(length - 1) / 2
        for index in 0..<length {
            let offset = Double(index) - middle
            let angle = 2 * Double.pi * Self.cutoff / Double(factor) * offset
            let sinc = offset == 0 ? 1 : sin(angle) / angle
            let across = offset / middle
            prototype[index] = sinc * Self.bessel(Self.shape * (1 - across * across).squareRoot())
        }
        // Unity gain at zero frequency after zeros were put between the input's samples.
        let gain = Double(interpolation) / prototype.reduce(0, +)
        var phases = [Float](repeating: 0, count: length)
        for phase in 0..<interpolation {
            for tap in 0..<taps {
                phases[phase * taps + tap] = Float(prototype[phase + tap * interpolation] * gain)
            }
        }
        coefficients = phases
    }

    /// Modified Bessel function of the first kind, order zero, by its power series.
    private static func bessel(_ x: Double) -> Double {
        var sum = 1.0
        var term = 1.0
        var order = 1.0
        while term > sum * 1e-12 {
            let factor = x / (2 * order)
            term *= factor * factor
            sum += term
            order += 1
        }
        return sum
    }

    private static func greatestCommonDivisor(_ first: Int, _ second: Int) -> Int {
        second == 0 ? first : greatestCommonDivisor(second, first % second)
    }
}
