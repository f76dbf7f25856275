import Glibc

/// Says cheaply whether sound may hold a certain tone, so that a detector need not hear all that surely does not. It opens where a
/// good part of the energy lies near the tone, and stays open for a while, in which the detector sees that the tone is over.
struct ToneGate: ~Copyable {
    private typealias Four = SIMD4<Float>

    /// Samples of a look, 5 ms at 8000 a second: so short that a tone some 40 Hz off its place still counts.
    private static let look = 40
    /// The share of the energy that makes a look count.
    private static let share: Float = 0.4
    /// Looks for which it stays open: 200 ms.
    private static let staying = 40

    /// A look's cosine of the tone, and then its sine.
    private let waves: UnsafeMutablePointer<Four>
    private var left = 0

    /// - Parameters:
    ///   - frequency: of the tone, in Hz
    ///   - rate: samples a second
    init(frequency: Float, rate: Int) {
        waves = .allocate(capacity: Self.look / 2)
        waves.initialize(repeating: .zero, count: Self.look / 2)
        let step = 2 * Double.pi * Double(frequency) / Double(rate)
        for index in 0..<Self.look {
            waves[index / 4][index % 4] = Float(cos(step * Double(index)))
            waves[(index + Self.look) / 4][index % 4] = Float(sin(step * Double(index)))
        }
    }

    deinit { waves.deallocate() }

    /// Whether the detector is to hear these samples. What is too short for a look opens it.
    mutating func opens(for samples: UnsafeBufferPointer<Int16>) -> Bool {
        guard let source = samples.baseAddress, samples.count >= Self.look else { return true }
        let wasOpen = left > 0
        var isOpen = false
        var place = 0
        // The last look perhaps over some samples of the one before.
        while place < samples.count, !isOpen {
            isOpen = hasTone(source + min(place, samples.count - Self.look))
            place += Self.look
        }
        left = isOpen ? Self.staying : max(0, left - samples.count / Self.look)
        return isOpen || wasOpen
    }

    /// What of a look's energy is at the tone's frequency.
    private func hasTone(_ source: UnsafePointer<Int16>) -> Bool {
        let waves = waves
        var (cosines, sines, squares) = (Four.zero, Four.zero, Four.zero)
        var four = 0
        while four < Self.look / 4 {
            let raw = UnsafeRawPointer(source + 4 * four).loadUnaligned(as: SIMD4<Int16>.self)
            let samples = Four(SIMD4<Int32>(truncatingIfNeeded: raw))
            cosines += samples * waves[four]
            sines += samples * waves[Self.look / 4 &+ four]
            squares += samples * samples
            four &+= 1
        }
        return Self.holds(cosines, sines, squares)
    }

    /// A function of its own, for with these sums in sight the compiler shuffles what the loop above adds up.
    @inline(never)
    private static func holds(_ cosines: Four, _ sines: Four, _ squares: Four) -> Bool {
        let (real, imaginary, energy) = (cosines.sum(), sines.sum(), squares.sum())
        // Silence has none; a single step of the codec is no tone either.
        return energy > Float(look) && (real * real + imaginary * imaginary) * (2 / Float(look)) > share * energy
    }
}
