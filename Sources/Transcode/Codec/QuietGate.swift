/// Whether a stream is so quiet, and has been for so long, that a pause in it takes nothing away.
///
/// Asked beside libopus's own judgement, which alone does not do: below complexity 7 it is that of SILK's detector, for which a
/// steady sound is background noise at any level. A full-scale tone, a chord or a ringback tone counts as silence after 0.8 to
/// 1.2 s (libopus 1.3.1).
struct QuietGate {
    /// Samples of it that were quiet, in a row.
    private var quiet = 0
    private let rate: Int

    /// Mean square of the samples at -50 dBFS: a phone line's own noise is below it, a quiet word is not.
    private static let loudest: Float = 10_737
    /// As long as libopus waits for itself; what it holds of the sound before is out by then.
    private static let patienceMilliseconds = 200

    /// - Parameter rate: samples a second
    init(rate: Int) { self.rate = rate }

    /// Takes the next frame.
    /// - Returns: whether the frame may be left out.
    mutating func isOpen(_ samples: UnsafeBufferPointer<Int16>) -> Bool {
        guard let source = samples.baseAddress, SumOfSquares.of(source, samples.count) <= Self.loudest * Float(samples.count) else {
            quiet = 0
            return false
        }
        let isLong = quiet >= rate / 1000 * Self.patienceMilliseconds
        if !isLong { quiet += samples.count }
        return isLong
    }
}
