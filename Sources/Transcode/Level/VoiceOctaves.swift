import CShims

/// Parts sound into four octaves: what is above 2 kHz, above 1 kHz, above 500 Hz, and the rest down to some 100 Hz.
///
/// By sums and differences (Haar's wavelets): the mean of two neighbours holds what is slow, their difference the rest, and of the means
/// it is the same an octave lower. That is rough and leaks, but loses nothing, and costs a fraction of what filters do.
struct VoiceOctaves: ~Copyable {
    /// Sums a step holds: one for every quarter of a millisecond.
    private static let sums = 40
    /// And of the lowest octave.
    private static let lowestSums = sums / 4

    private let unit: Int
    /// What `tandem_octaves` makes: three energies, and then the lowest octave's sums.
    private let parts: UnsafeMutablePointer<Float>
    /// What the lowest octave's high-pass of one pole remembers, and by how much it multiplies that: a DC offset and mains hum are
    /// kept out.
    private var (input, output): (Float, Float) = (0, 0)
    private let highPass: Float

    /// Samples of 10 ms.
    var stepSamples: Int { Self.sums * unit }

    /// - Parameters:
    ///   - rate: samples a second, a multiple of 4000
    ///   - lowest: hertz below which little passes
    init(rate: Int, lowest: Float) {
        unit = max(1, rate / 4000)
        highPass = 1 - 2 * Float.pi * lowest / 1000
        parts = .allocate(capacity: 3 + Self.lowestSums)
        parts.initialize(repeating: 0, count: 3 + Self.lowestSums)
    }

    deinit { parts.deallocate() }

    /// Hears 10 ms.
    /// - Returns: the mean squares of the octaves, the highest first
    mutating func powers(_ source: UnsafePointer<Int16>) -> SIMD4<Float> {
        let (parts, highPass) = (parts, highPass)
        tandem_octaves(source, unit, parts, parts + 3)
        var (input, output, lowest) = (input, output, Float(0))
        var index = 0
        while index < Self.lowestSums {
            output = parts[3 &+ index] - input + highPass * output
            input = parts[3 &+ index]
            lowest += output * output
            index &+= 1
        }
        (self.input, self.output) = (input, output)
        // Sums of so many samples, and squares: each octave in the measure of the mean square of samples. The high-pass makes louder
        // what it lets through.
        let (scale, gain) = (1 / Float(unit * unit * Self.sums), (1 + highPass) / 2)
        return SIMD4(parts[0], parts[1] / 2, parts[2] / 4, lowest / 4 * gain * gain) * scale
    }
}
