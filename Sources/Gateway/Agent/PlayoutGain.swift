/// Makes an agent's speech softer or silent without a click: the factor moves by small steps.
struct PlayoutGain {
    private(set) var factor: Float = 1
    private let step: Float

    /// Milliseconds from full to silent.
    static let length = 20

    init(rate: Int) { step = 1 / Float(rate / 1000 * Self.length) }

    mutating func apply(_ samples: UnsafeMutableBufferPointer<Int16>, toward target: Float) {
        guard factor != target || target != 1 else { return }
        for index in samples.indices {
            factor = factor < target ? min(target, factor + step) : max(target, factor - step)
            samples[index] = Int16(max(-32768, min(32767, Float(samples[index]) * factor)))
        }
    }
}
