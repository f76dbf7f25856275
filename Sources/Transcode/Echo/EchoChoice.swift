/// Which of three sounds goes on: the adaptive filter's, what the kept response leaves, or what came. The weakest of late, for each
/// is what the line's own voice adds to some echo.
struct EchoChoice {
    enum Candidate: Int {
        case adaptive, kept, untouched
    }

    private(set) var current: Candidate
    /// The adaptive filter has been clearly better than the response kept of it for a while, and in this block too: a voice that
    /// began in it would already have led it astray.
    private(set) var isWorthKeeping = false
    /// The share of the sound's power that the adaptive filter leaves.
    var adaptiveLeaves: Float { powers.adaptive / max(1, powers.untouched) }
    /// Blocks in a row in which the adaptive filter added to the sound.
    private(set) var adaptiveIsLost = 0
    /// Blocks in a row in which the adaptive filter was better than the response kept of it.
    private var adaptiveLeads = 0
    private var powers = (adaptive: Float(0), kept: Float(0), untouched: Float(0), far: Float(0))

    /// Blocks for which the adaptive filter must do better than the response kept before it is kept.
    private static let proof = 15
    /// What a block counts towards the comparison.
    private static let weight: Float = 0.2
    /// The adaptive filter has to be so much better (3 dB) than the kept response: of a voice at the line it takes out a little too,
    /// and looks better than it is.
    private static let clearly: Float = 0.5
    /// Where nobody speaks at the line, which shows when this little is left (13 dB), a little better is better.
    private static let slightly: Float = 0.85
    /// A kept response that adds so much to the sound is no longer the line's; a voice that happens to be like the echo adds less.
    private static let harmful: Float = 1.3
    /// Of the power of what is played, what a kept response may add without harm (-40 dB): where a sound begins there is no echo yet to
    /// compare it with, and whoever lets go of it then hears the echo's beginning.
    private static let harmless: Float = 1e-4
    private static let mostlyEcho: Float = 0.05

    init(current: Candidate = .untouched) { self.current = current }

    /// - Parameters: sums of squares of the block; `kept` is nil while no response is kept
    mutating func observe(adaptive: Float, kept: Float?, untouched: Float, far: Float) {
        powers.adaptive += Self.weight * (adaptive - powers.adaptive)
        powers.kept += Self.weight * ((kept ?? untouched) - powers.kept)
        powers.untouched += Self.weight * (untouched - powers.untouched)
        powers.far += Self.weight * (far - powers.far)
        let isEchoAlone = powers.adaptive < Self.mostlyEcho * powers.untouched
        let clearly = isEchoAlone ? Self.slightly : Self.clearly
        adaptiveLeads = powers.adaptive < clearly * powers.kept ? adaptiveLeads + 1 : 0
        isWorthKeeping = adaptiveLeads >= Self.proof && adaptive < clearly * (kept ?? untouched) && adaptive < 2 * powers.adaptive
        adaptiveIsLost = powers.adaptive > 2 * powers.untouched + 100 ? adaptiveIsLost + 1 : 0
        let isKept = kept != nil && powers.kept < Self.harmful * powers.untouched + Self.harmless * powers.far
        if isKept, powers.adaptive > clearly * powers.kept {
            current = .kept
        } else {
            current = powers.adaptive < Self.clearly * powers.untouched ? .adaptive : .untouched
        }
    }

    /// A response was kept anew.
    mutating func hasKept() { adaptiveLeads = 0 }
}
