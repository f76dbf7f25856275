/// Soft noise as loud as a line's own background, so that a pause does not sound like a dead line.
///
/// White noise through a gentle low-pass. Loop-confined; its randomness is the seed it is given.
public final class ComfortNoise {
    /// Never louder than this, whatever was observed: it must not be taken for speech.
    public static let loudest: Float = -45
    /// What a line that was never heard is taken to sound like.
    public static let initial: Float = -65
    /// The background rises this slowly, in decibels per observed frame, so that speech hardly moves it.
    private static let rise: Float = 0.1
    /// And falls by this share of the difference at once.
    private static let fall: Float = 0.5

    /// The level it sounds at, in dBFS.
    public private(set) var level = ComfortNoise.initial
    private var random: UInt64
    private var smoothed: Float = 0

    /// - Parameter seed: start of the pseudo-random sequence.
    public init(seed: UInt64) {
        random = seed | 1
    }

    /// Learns the background from a frame of real audio: its quiet frames count, its loud ones hardly.
    public func observe(_ samples: UnsafeBufferPointer<Int16>) {
        guard !samples.isEmpty else { return }
        let heard = Level.dBFS(samples)
        let next = heard < level ? level + (heard - level) * Self.fall : min(heard, level + Self.rise)
        set(level: next)
    }

    /// Sets the level in dBFS, as a comfort-noise payload tells it (RFC 3389: its byte negated).
    public func set(level: Float) {
        self.level = max(Level.floor, min(Self.loudest, level))
    }

    /// Fills a frame with noise.
    public func fill(_ output: UnsafeMutableBufferPointer<Int16>) {
        guard let destination = output.baseAddress else { return }
        // Uniform noise of ±1 has an RMS of 1/√3; y = x/2 + y/2 keeps a third of its power.
        let scale = Level.rms(dBFS: level) * 3
        var (random, smoothed) = (random, smoothed)
        var index = 0
        while index < output.count {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            let uniform = Float(Int32(truncatingIfNeeded: random >> 32)) / 2_147_483_648
            smoothed = 0.5 * smoothed + 0.5 * uniform
            destination[index] = Int16(max(-32768, min(32767, smoothed * scale)))
            index &+= 1
        }
        (self.random, self.smoothed) = (random, smoothed)
    }
}
