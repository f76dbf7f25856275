/// The high pass (127 Hz) that speexdsp's echo canceller puts before its filter: a telephone line carries nothing below. What is
/// compared with the filter's output has to pass the same.
struct EchoNotch {
    private let radius: Float
    private let damping: Float
    private var first: Float = 0
    private var second: Float = 0

    init(rate: Int) {
        radius = rate < 12_000 ? 0.9 : 0.982
        damping = radius * radius + 0.7 * (1 - radius) * (1 - radius)
    }

    mutating func process(_ samples: UnsafePointer<Int16>, count: Int, into output: UnsafeMutablePointer<Float>) {
        var index = 0
        while index < count {
            let input = Float(samples[index])
            let sum = first + input
            first = second + 2 * (radius * sum - input)
            second = input - damping * sum
            output[index] = radius * sum
            index &+= 1
        }
    }
}
