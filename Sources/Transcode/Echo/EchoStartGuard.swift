/// Stands in for a filter that knows nothing of the line yet, in a call's first two and a half seconds of sound: what comes while something
/// is played, and is clearly weaker than that, is taken for its echo and lowered. Else an agent that stops when it hears a voice
/// would stop at its own first word, and the line would never be learnt. A caller about as loud as what is played is let through.
struct EchoStartGuard {
    private var blocksLeft = 250
    private var gain: Float = 1
    private let span: Int
    private var played = 0
    /// Mean squares of the loudest frame played in this span and in the one before.
    private var loudest: (now: Float, before: Float) = (0, 0)

    /// An echo is weaker than what is played by this much at least: 6 dB (ITU-T G.168 expects no worse hybrid).
    private static let weaker: Float = 0.25
    /// Mean square of what counts as played: -50 dBFS.
    private static let audible: Float = 10_700
    /// -26 dB.
    private static let lowered: Float = 0.05

    /// - Parameter rate: samples a second
    init(rate: Int) {
        // Two spans hold what may still come back.
        span = rate / 5
    }

    var isOn: Bool { blocksLeft > 0 }

    mutating func play(_ samples: UnsafeBufferPointer<Int16>) {
        guard isOn, let base = samples.baseAddress, !samples.isEmpty else { return }
        loudest.now = max(loudest.now, SumOfSquares.of(base, samples.count) / Float(samples.count))
        played += samples.count
        guard played >= span else { return }
        played = 0
        loudest = (0, loudest.now)
    }

    /// Takes a block that came from the line.
    mutating func apply(to samples: UnsafeMutablePointer<Int16>, count: Int) {
        let far = max(loudest.now, loudest.before)
        if far > Self.audible { blocksLeft -= 1 }
        let near = SumOfSquares.of(samples, count) / Float(count)
        let wanted = isOn && far > Self.audible && near < Self.weaker * far ? Self.lowered : 1
        guard gain != 1 || wanted != 1 else { return }
        let step = (wanted - gain) / Float(count)
        var index = 0
        while index < count {
            gain += step
            samples[index] = Int16(clamping: Int(Float(samples[index]) * gain))
            index &+= 1
        }
        gain = wanted
    }
}
