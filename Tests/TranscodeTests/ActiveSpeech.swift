import Glibc

/// How loud speech is while there is any, measured apart from what is tested: as in ITU-T P.56, what is 15.9 dB weaker than the result is a
/// pause, unless it lasts less than 200 ms.
enum ActiveSpeech {
    private static let margin = 15.9
    private static let hangover = 20

    /// dBFS, by steps of 10 ms.
    static func level(_ samples: ArraySlice<Int16>, rate: Int) -> Double {
        let powers = Array(samples).chunks(of: rate / 100).map { step in
            step.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(step.count) / (32768 * 32768)
        }
        var level = decibels(powers.reduce(0, +) / Double(max(1, powers.count)))
        for _ in 0..<20 { level = (level + active(powers, above: level - margin)) / 2 }
        return level
    }

    /// Samples whose active level is `dBFS`; what does not fit is cut off.
    static func brought(_ samples: [Int16], to dBFS: Double, rate: Int) -> [Int16] {
        let factor = pow(10, (dBFS - level(samples[...], rate: rate)) / 20)
        return samples.map { Int16(max(-32768, min(32767, (Double($0) * factor).rounded()))) }
    }

    private static func active(_ powers: [Double], above threshold: Double) -> Double {
        var (sum, count, left) = (0.0, 0, 0)
        for power in powers {
            if decibels(power) > threshold { left = hangover }
            guard left > 0 else { continue }
            left -= 1
            sum += power
            count += 1
        }
        return decibels(sum / Double(max(1, count)))
    }

    private static func decibels(_ power: Double) -> Double { 10 * log10(power + 1e-12) }
}
