import Glibc

/// How loud samples are. 0 dBFS is a square wave of full scale (as RFC 6464's dBov): a full-scale sine is at -3.01.
public enum Level {
    /// What silence measures: less than the smallest sample that is not zero.
    public static let floor: Float = -96

    /// Root mean square of the samples, 0 to 32768; 0 when there are none.
    public static func rms(_ samples: UnsafeBufferPointer<Int16>) -> Float {
        guard let source = samples.baseAddress, !samples.isEmpty else { return 0 }
        return Float((Double(energy(source, samples.count)) / Double(samples.count)).squareRoot())
    }

    /// Root mean square of the samples in decibels, `floor` to 0.
    public static func dBFS(_ samples: UnsafeBufferPointer<Int16>) -> Float {
        dBFS(rms: rms(samples))
    }

    /// A root mean square in decibels, `floor` to 0.
    public static func dBFS(rms: Float) -> Float {
        rms > 0 ? max(floor, 20 * log10f(rms / 32768)) : floor
    }

    /// Mean squares in decibels, `floor` to 0, four at once and within a thousandth.
    static func dBFS(powers: SIMD4<Float>) -> SIMD4<Float> {
        // Exponent and mantissa, 1 to 2, and of this a polynomial.
        let bits = unsafeBitCast(powers, to: SIMD4<UInt32>.self)
        let exponents = SIMD4<Float>(SIMD4<Int32>(truncatingIfNeeded: bits &>> 23) &- 127)
        let mantissas = unsafeBitCast(bits & 0x7F_FFFF | 0x3F80_0000, to: SIMD4<Float>.self)
        var logarithms = -0.08001 * mantissas + 0.63551
        logarithms = logarithms * mantissas - 2.0994
        logarithms = logarithms * mantissas + 4.04962
        logarithms = logarithms * mantissas - 2.50561
        // Decibels of a power are 3.01 times its binary logarithm; full scale is 2 to the power of 30.
        return ((exponents + logarithms - 30) * 3.010_299_96).atLeast(floor)
    }

    /// The root mean square that `dBFS` names, 0 to 32768.
    public static func rms(dBFS: Float) -> Float {
        dBFS <= floor ? 0 : 32768 * powf(10, dBFS / 20)
    }

    /// The largest magnitude among the samples, 0 to 32768.
    public static func peak(_ samples: UnsafeBufferPointer<Int16>) -> Int {
        guard let source = samples.baseAddress else { return 0 }
        var highest = 0
        var index = 0
        while index < samples.count {
            highest = max(highest, abs(Int(source[index])))
            index &+= 1
        }
        return highest
    }

    private static func energy(_ source: UnsafePointer<Int16>, _ count: Int) -> Int {
        var sum = 0
        var index = 0
        while index < count {
            // A square is at most 2^30: 2^33 samples fit, a day and more at 48 kHz.
            let sample = Int32(source[index])
            sum &+= Int(sample &* sample)
            index &+= 1
        }
        return sum
    }
}
