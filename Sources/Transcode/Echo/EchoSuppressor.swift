/// Lowers what the filter leaves of an echo while nobody speaks at the line, down to the line's own noise and no further, so that
/// the noise does not come and go. Works on blocks; a voice opens it within the block in which it begins.
struct EchoSuppressor {
    private var gain: Float = 1
    /// The share of an echo's power that the filter leaves.
    private var leak: Float = 1
    /// Sum of squares of a block of the line's noise.
    private var noise: Float

    /// What the filter leaves of an echo is known and lowered.
    var isUsable: Bool { leak < Self.usableLeak }

    /// -26 dB.
    private static let least: Float = 0.05
    /// What is left may be so much more than the usual (6 dB), and is still the echo.
    private static let margin: Float = 4
    /// A filter that leaves more than this (8 dB) is no judge of what is echo.
    private static let usableLeak: Float = 0.16
    /// By which the known share grows with a block, for lines change; and the noise, towards what is heard.
    private static let growth: Float = 1.002
    /// Of the way to a lower gain that a sample goes, so that nothing clicks.
    private static let closing: Float = 0.02

    init(block: Int) { noise = Float(block) * 400 }

    /// - Parameters:
    ///   - powers: of this block
    ///   - isFarActive: something was played whose echo may be in it
    mutating func apply(to samples: UnsafeMutablePointer<Int16>, count: Int, powers: EchoFilter.Powers, isFarActive: Bool) {
        if powers.residual > 0 { noise = min(noise * Self.growth + 1, max(powers.residual, Float(count))) }
        if isFarActive, powers.echo > 30 * noise {
            let share = powers.residual / powers.echo
            leak = share < leak ? leak + 0.2 * (share - leak) : min(1, leak * Self.growth)
        }
        let isEcho = isFarActive && isUsable && powers.residual < Self.margin * leak * powers.echo + noise
        let wanted = isEcho ? min(1, max(Self.least, (noise / max(1, powers.residual)).squareRoot())) : 1
        guard gain != 1 || wanted != 1 else { return }
        scale(samples, count: count, to: wanted)
    }

    /// A higher gain is reached within the block's first half, a lower one smoothly.
    private mutating func scale(_ samples: UnsafeMutablePointer<Int16>, count: Int, to wanted: Float) {
        let rise = wanted > gain ? 2 * (wanted - gain) / Float(count) : 0
        var index = 0
        while index < count {
            gain = rise > 0 ? min(wanted, gain + rise) : gain + (wanted - gain) * Self.closing
            samples[index] = Int16(clamping: Int(Float(samples[index]) * gain))
            index &+= 1
        }
        if rise > 0 || gain > 0.999 { gain = wanted }
    }
}
