import Glibc

/// The best sine of a known frequency through a recording, and what it leaves over.
struct SineFit {
    /// RMS of the sine in dBFS.
    let level: Double
    /// Everything that is not the sine, in decibels against it (THD+N).
    let distortion: Double

    init(_ samples: [Int16], hertz: Double, rate: Int) {
        let step = 2 * Double.pi * hertz / Double(rate)
        var (cc, cs, ss, xc, xs) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for (index, sample) in samples.enumerated() {
            let (c, s) = (cos(step * Double(index)), sin(step * Double(index)))
            cc += c * c
            cs += c * s
            ss += s * s
            xc += Double(sample) * c
            xs += Double(sample) * s
        }
        let determinant = cc * ss - cs * cs
        let a = (xc * ss - xs * cs) / determinant
        let b = (xs * cc - xc * cs) / determinant
        var left = 0.0
        for (index, sample) in samples.enumerated() {
            let rest = Double(sample) - a * cos(step * Double(index)) - b * sin(step * Double(index))
            left += rest * rest
        }
        let power = (a * a + b * b) / 2
        level = 10 * log10(power / (32768 * 32768))
        distortion = 10 * log10(left / Double(samples.count) / power)
    }
}
