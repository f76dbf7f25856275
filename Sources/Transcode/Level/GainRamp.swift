/// Samples under a gain that goes from one value to another without a step.
enum GainRamp {
    /// Bits behind the point of a gain, and of its way to another one.
    private static let bits: Int32 = 12
    private static let finer: Int32 = 8

    /// Evenly over all samples, none of which becomes larger than 32767. Gains are 0 to 15.
    static func scale(_ samples: UnsafeMutablePointer<Int16>, _ count: Int, from start: Float, to end: Float) {
        guard count > 0, start != 1 || end != 1 else { return }
        let one = Float(1 << (bits + finer))
        let first = Int32(start * one)
        let step = Int32((end - start) * one / Float(count))
        let half = Int32(1) << (bits - 1)
        var index = 0
        while index < count {
            // 15 times 2^20, and 15 times 2^12 times 2^15 where it does not overflow by what was promised of the samples.
            let factor = (first &+ step &* Int32(truncatingIfNeeded: index &+ 1)) &>> finer
            samples[index] = Int16(truncatingIfNeeded: (Int32(samples[index]) &* factor &+ half) &>> bits)
            index &+= 1
        }
    }

    /// Within the first `length` samples, for those that are about to become too large; what still does is bent instead of cut off.
    static func limit(_ samples: UnsafeMutablePointer<Int16>, _ count: Int, from start: Float, to end: Float, over length: Int) {
        let length = max(1, min(length, count))
        var index = 0
        while index < count {
            let share = min(1, Float(index + 1) / Float(length))
            samples[index] = bent(Float(samples[index]) * (start + (end - start) * share))
            index &+= 1
        }
    }

    /// Up to the knee as it is, beyond it ever flatter toward full scale.
    private static func bent(_ sample: Float) -> Int16 {
        let knee: Float = 28000
        let room: Float = 32767 - knee
        let size = sample.magnitude
        guard size > knee else { return Int16(sample) }
        let beyond = size - knee
        let value = knee + room * beyond / (room + beyond)
        return Int16(sample < 0 ? -value : value)
    }
}

extension GainControl {
    /// What one pass over some samples says of them.
    struct Piece {
        var sum = 0
        var energy = 0
        /// The largest magnitude.
        var peak: Float

        init(_ samples: UnsafePointer<Int16>, _ count: Int) {
            var (sum, energy) = (Int32(0), 0)
            var (lowest, highest) = (Int16(0), Int16(0))
            var index = 0
            while index < count {
                // 480 samples at most: their sum fits.
                let sample = Int32(samples[index])
                sum &+= sample
                energy &+= Int(sample &* sample)
                lowest = min(lowest, samples[index])
                highest = max(highest, samples[index])
                index &+= 1
            }
            self.sum = Int(sum)
            self.energy = energy
            peak = max(-Float(lowest), Float(highest))
        }
    }
}
