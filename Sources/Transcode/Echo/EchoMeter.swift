import Glibc

/// How much of what is played comes back, and how much of that is taken out.
struct EchoMeter {
    /// In decibels, over the last second of sound.
    struct Figures: Sendable, Equatable {
        /// How much weaker the echo is than what is played (echo return loss).
        var returnLoss: Double
        /// How much weaker what is left is than the echo (echo return loss enhancement).
        var enhancement: Double
    }

    private(set) var figures: Figures?
    /// For so many seconds of sound in a row nothing was gained.
    private(set) var uselessSeconds = 0

    private var sums = (far: Float(0), echo: Float(0), near: Float(0), left: Float(0))
    private var blocks = 0

    /// Blocks of sound of a figure: a second.
    private static let window = 100
    /// A voice at the line hides what is taken out: the figure falls by so much a second, in dB, until it is quiet there.
    private static let falling = 0.5
    /// Where less is taken out, nothing is known of an echo, in dB.
    private static let highestLoss = 60.0
    /// Less than this in dB is no use.
    private static let worthwhile = 1.0

    /// One block in which something is played. `left` is the sum of squares of what goes on.
    mutating func observe(_ powers: EchoFilter.Powers, left: Float) {
        sums.far += powers.far
        sums.echo += powers.echo
        sums.near += powers.near
        sums.left += left
        blocks += 1
        if blocks == Self.window { close() }
    }

    private mutating func close() {
        let gained = Self.decibels(sums.near, sums.left)
        uselessSeconds = gained < Self.worthwhile ? uselessSeconds + 1 : 0
        let before = figures?.enhancement ?? 0
        let loss = Self.decibels(sums.far, sums.echo)
        if loss < Self.highestLoss { figures = Figures(returnLoss: loss, enhancement: max(gained, before - Self.falling, 0)) }
        sums = (0, 0, 0, 0)
        blocks = 0
    }

    private static func decibels(_ power: Float, _ reference: Float) -> Double {
        10 * log10(Double(max(1, power)) / Double(max(1, reference)))
    }
}
