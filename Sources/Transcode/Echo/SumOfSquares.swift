/// Plain loops, which the compiler turns into vector code where it may.
enum SumOfSquares {
    static func of(_ samples: UnsafePointer<Int16>, _ count: Int) -> Float {
        // 2^30 a sample at most, and never more than some thousands of them.
        var sum = 0
        var index = 0
        while index < count {
            let sample = Int32(samples[index])
            sum &+= Int(sample &* sample)
            index &+= 1
        }
        return Float(sum)
    }

    /// Four sums side by side, for the order of additions of numbers with fractions is fixed.
    static func of(_ samples: UnsafePointer<Float>, _ count: Int) -> Float {
        var sums = SIMD4<Float>.zero
        var index = 0
        while index &+ 4 <= count {
            let four = SIMD4(samples[index], samples[index &+ 1], samples[index &+ 2], samples[index &+ 3])
            sums += four * four
            index &+= 4
        }
        var sum = sums.sum()
        while index < count {
            sum += samples[index] * samples[index]
            index &+= 1
        }
        return sum
    }
}
