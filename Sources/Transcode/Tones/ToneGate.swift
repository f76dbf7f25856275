import Glibc

/// Says cheaply whether sound may hold a certain tone, so that a detector need not hear all that surely does not. It opens where a
/// good part of the energy lies near the tone, and stays open for a while, in which the detector sees that the tone is over.
struct ToneGate {
    /// Samples of a look, 5 ms at 8000 a second: so short that a tone some 40 Hz off its place still counts.
    private static let look = 40
    /// The share of the energy that makes a look count.
    private static let share: Float = 0.4
    /// Looks for which it stays open: 200 ms.
    private static let staying = 40

    private let coefficient: Float
    private var left = 0

    /// - Parameters:
    ///   - frequency: of the tone, in Hz
    ///   - rate: samples a second
    init(frequency: Float, rate: Int) {
        coefficient = 2 * cosf(2 * Float.pi * frequency / Float(rate))
    }

    /// Whether the detector is to hear these samples. What is too short for a look opens it.
    mutating func opens(for samples: UnsafeBufferPointer<Int16>) -> Bool {
        guard let source = samples.baseAddress, samples.count >= Self.look else { return true }
        let wasOpen = left > 0
        var isOpen = false
        var place = 0
        // Four looks side by side, the last ones perhaps over the same samples.
        while place < samples.count {
            isOpen = isOpen || hasTone(source, samples.count - Self.look, from: place)
            place += 4 * Self.look
        }
        left = isOpen ? Self.staying : max(0, left - samples.count / Self.look)
        return isOpen || wasOpen
    }

    /// Goertzel's algorithm on four looks at once, each of which begins at `last` at the latest.
    private func hasTone(_ source: UnsafePointer<Int16>, _ last: Int, from place: Int) -> Bool {
        let (a, b) = (source + min(place, last), source + min(place + Self.look, last))
        let (c, d) = (source + min(place + 2 * Self.look, last), source + min(place + 3 * Self.look, last))
        var (newer, older, energy) = (SIMD4<Float>.zero, SIMD4<Float>.zero, SIMD4<Float>.zero)
        var index = 0
        while index < Self.look {
            let four = SIMD4(Float(a[index]), Float(b[index]), Float(c[index]), Float(d[index]))
            energy += four * four
            let next = four + coefficient * newer - older
            older = newer
            newer = next
            index &+= 1
        }
        let held = (newer * newer + older * older - coefficient * newer * older) * (2 / Float(Self.look))
        // Silence has none; a single step of the codec is no tone either.
        let audible = energy - Float(Self.look)
        for lane in 0..<4 where audible[lane] > 0 && held[lane] > Self.share * energy[lane] { return true }
        return false
    }
}
