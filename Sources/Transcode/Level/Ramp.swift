/// Short fades that take the click out of a start or a stop.
public enum Ramp {
    /// Length of a fade in milliseconds: long enough to be no click, short enough to sound immediate.
    public static let milliseconds = 5

    /// Samples in a fade at `rate`.
    public static func samples(at rate: Int) -> Int {
        rate * milliseconds / 1000
    }

    /// Fades the first `length` samples out and silences the rest (`clear` on a frame that is being sent).
    public static func fadeOut(_ samples: UnsafeMutableBufferPointer<Int16>, over length: Int) {
        let length = min(length, samples.count)
        for index in 0..<length {
            samples[index] = scaled(samples[index], 1 - curve(index, of: length))
        }
        for index in length..<samples.count { samples[index] = 0 }
    }

    /// 0 to 1 over `length` steps, flat at both ends (3x² - 2x³).
    static func curve(_ index: Int, of length: Int) -> Float {
        let x = Float(index) / Float(max(1, length))
        return x * x * (3 - 2 * x)
    }

    private static func scaled(_ sample: Int16, _ factor: Float) -> Int16 {
        Int16(Float(sample) * factor)
    }
}
