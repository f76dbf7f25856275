import CShims

/// Tells who spoke first where what comes from a line and what is played to it are alike: the line, if what was played is what came
/// before, as of an agent that says everything back. That is no echo of the line, however alike a later part of the voice is to it.
/// Nor is what comes as loud as it was played, as where both ends say the same at once.
///
/// What was played last is compared with all that came in the third of a second before it, and what came with that whose echo it
/// would be. Nothing is allocated after `init`.
final class EchoOrigin {
    private let decimator: EchoDecimator
    /// What came, coarse.
    private let near: UnsafeMutablePointer<Int16>
    /// What is looked for, in whole numbers small enough for sums of products.
    private let wanted: UnsafeMutablePointer<Int16>
    private let products: UnsafeMutablePointer<Float>

    /// Coarse samples that are compared: 200 ms.
    private static let length = 400
    /// Those by which what is played may be later than what came, and none: up to 300 ms.
    private static let delays = 600
    private static let reach = length + delays - 1
    /// Delays at a time.
    private static let piece = 40
    /// Those about an echo's delay.
    private static let about = 4
    /// Square of the correlation from which it may be the same sound. Of echoes of recorded speech it was below 0.3, of what is said
    /// back above 0.7.
    private static let same: Float = 0.5
    /// Of the power that was played, what an echo has at most (-3 dB; a hybrid returns -6 dB at worst). Where both ends say the same at
    /// the same time, as machines do, each would else be taken for the other's echo.
    private static let loudest: Float = 0.5
    /// The root of the sum of squares of what is looked for: times the highest one of other sound, 2^15 * 400^0.5, it stays below 2^31.
    private static let scale: Float = 3200
    /// Mean square of coarse samples below which nothing could be told apart: about -50 dBFS.
    private static let audible: Float = 3000

    init(decimator: EchoDecimator) {
        self.decimator = decimator
        // One more, which leaves the energy with the last delay and is not used.
        (near, wanted) = (.allocate(capacity: Self.reach + 1), .allocate(capacity: Self.length))
        near.initialize(repeating: 0, count: Self.reach + 1)
        wanted.initialize(repeating: 0, count: Self.length)
        products = .allocate(capacity: Self.piece)
        products.initialize(repeating: 0, count: Self.piece)
    }

    deinit {
        near.deallocate()
        wanted.deallocate()
        products.deallocate()
    }

    /// Whether what was found is an echo: it is weaker than what was played, and what was played last had not come from the line before.
    /// While nothing is played that is not known.
    /// - Parameters:
    ///   - end: the place behind the last sample of `past`
    ///   - offset: of what was found, as `EchoDelayEstimator.offset`
    func isEcho(_ past: EchoPast, end: Int64, offset: Int64, reference: inout EchoReference) -> Bool {
        guard let played = reference.end, past.decimate(by: decimator, count: Self.reach, end: end, into: near) else { return true }
        let begun = decimator.index(of: end) &- Int64(Self.length) &+ offset &- Int64(Self.about / 2)
        let heard = tandem_energy(near + (Self.reach - Self.length), Self.length)
        guard heard <= Self.loudest * tandem_energy(reference.coarse(from: begun, count: Self.length), Self.length) else { return false }
        let far = reference.coarse(from: decimator.index(of: played) &- Int64(Self.length), count: Self.length)
        guard want(far) else { return false }
        let line = highest(in: near, delays: Self.delays)
        guard line > Self.same else { return true }
        guard want(near + (Self.reach - Self.length)) else { return false }
        return line <= highest(in: reference.coarse(from: begun, count: Self.length + Self.about), delays: Self.about)
    }

    /// - Returns: false if it is too weak
    private func want(_ sound: UnsafePointer<Int16>) -> Bool {
        let energy = tandem_energy(sound, Self.length)
        guard energy > Self.audible * Float(Self.length) else { return false }
        let factor = Self.scale / energy.squareRoot()
        for index in 0..<Self.length { wanted[index] = Int16(Float(sound[index]) * factor) }
        return true
    }

    /// The square of the highest correlation of what is looked for with `sound` from each of its first samples on.
    private func highest(in sound: UnsafePointer<Int16>, delays: Int) -> Float {
        let products = products
        var highest: Float = 0
        var energy = tandem_energy(sound, Self.length)
        var delay = 0
        while delay < delays {
            let count = min(Self.piece, delays - delay)
            tandem_correlate(products, count, wanted, Self.length, sound + delay, 0, 1 / Self.scale)
            for place in 0..<count {
                highest = max(highest, products[place] * products[place] / max(energy, Self.audible))
                let (old, new) = (Float(sound[delay + place]), Float(sound[delay + place + Self.length]))
                energy += new * new - old * old
            }
            delay += count
        }
        return highest
    }
}
