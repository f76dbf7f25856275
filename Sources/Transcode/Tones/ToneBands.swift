import CShims
import Glibc

/// Finds sounds nearly all of which lies in one of the bands of call-progress tones, by what they hold at the multiples of 50 Hz in
/// them: over 20 ms these are orthogonal, so that it adds up. Nothing is allocated after `init`.
///
/// A Fourier transform of 160 samples, a few of its places only. A cosine is the same from either end of them and from either side of
/// a quarter but for its sign, and so is a sine: so each place takes two products for four samples.
struct ToneBands: ~Copyable {
    private typealias Four = SIMD4<Float>

    /// Samples of one look: 20 ms at 8000 samples a second.
    static let window = 160
    /// Hertz. First the tones of all countries but those of special information, then these one by one.
    static let ranges = [300...700, 850...1000, 1300...1500, 1700...1850]
    static let lastOfSpecialInformation = 3
    /// The share of the energy that a band must hold. A tone between two multiples of 50 Hz has a tenth outside at worst.
    private static let share: Float = 0.85
    private static let spacing = 50
    private static let quarter = window / 4

    /// One place of the transform.
    private struct Place {
        /// Its index into `ranges`.
        let band: Int
        let isOdd: Bool
        /// What the cosine is at the quarter, where no two samples fold.
        let middle: Float
    }

    private static let frequencies = ranges.enumerated().flatMap { band, range in
        stride(from: range.lowerBound, through: range.upperBound, by: spacing).map { (band: band, number: $0 / spacing) }
    }
    /// Built once and never freed, as is the next.
    nonisolated(unsafe) private static let allPlaces = makePlaces()
    /// A quarter of cosine and one of sine for each place.
    nonisolated(unsafe) private static let allWaves = makeWaves()

    private let places = ToneBands.allPlaces
    private let waves = ToneBands.allWaves
    private let count = ToneBands.frequencies.count
    /// The samples folded: what even places multiply by cosine and by sine, and then odd ones.
    private let folded: UnsafeMutablePointer<Float>
    /// The sum of the two samples at the quarters.
    private var middle: Float = 0
    private var energy: Float = 0

    init() {
        folded = .allocate(capacity: Self.window)
        folded.initialize(repeating: 0, count: Self.window)
    }

    deinit { folded.deallocate() }

    private static func makePlaces() -> UnsafePointer<Place> {
        let places = UnsafeMutablePointer<Place>.allocate(capacity: frequencies.count)
        for (index, (band, number)) in frequencies.enumerated() {
            let isOdd = !number.isMultiple(of: 2)
            (places + index).initialize(to: Place(band: band, isOdd: isOdd, middle: isOdd ? 0 : number.isMultiple(of: 4) ? 1 : -1))
        }
        return UnsafePointer(places)
    }

    private static func makeWaves() -> UnsafePointer<Float> {
        let waves = UnsafeMutablePointer<Float>.allocate(capacity: frequencies.count * 2 * quarter)
        for (index, (_, number)) in frequencies.enumerated() {
            let step = 2 * Double.pi * Double(number) / Double(window)
            for sample in 0..<quarter {
                let wave = waves + 2 * quarter * index + sample
                wave.initialize(to: Float(cos(step * Double(sample))))
                // Sines begin with the first sample that folds: they are 0 at 0, and at the quarter where cosines are not.
                (wave + quarter).initialize(to: Float(sin(step * Double(sample + 1))))
            }
        }
        return UnsafePointer(waves)
    }

    /// Takes the next `window` samples.
    /// - Returns: the mean of their squares
    mutating func take(_ source: UnsafePointer<Int16>) -> Float {
        let (quarter, half) = (Self.quarter, 2 * Self.quarter)
        let (evenCosine, evenSine, oddCosine, oddSine) = (folded, folded + quarter, folded + half, folded + half + quarter)
        evenCosine[0] = Float(source[0]) + Float(source[half])
        oddCosine[0] = Float(source[0]) - Float(source[half])
        var index = 1
        while index < quarter {
            let (a, b) = (Float(source[index]), Float(source[half &- index]))
            let (c, d) = (Float(source[half &+ index]), Float(source[4 &* quarter &- index]))
            evenCosine[index] = a + d + (b + c)
            oddCosine[index] = a + d - (b + c)
            evenSine[index &- 1] = a - d - (b - c)
            oddSine[index &- 1] = a - d + (b - c)
            index &+= 1
        }
        evenSine[quarter - 1] = 0
        oddSine[quarter - 1] = Float(source[quarter]) - Float(source[half + quarter])
        middle = Float(source[quarter]) + Float(source[half + quarter])
        var squares = Four.zero
        index = 0
        while index < Self.window {
            let raw = UnsafeRawPointer(source + index).loadUnaligned(as: SIMD4<Int16>.self)
            let samples = Four(SIMD4<Int32>(truncatingIfNeeded: raw))
            squares += samples * samples
            index &+= 4
        }
        energy = squares.sum()
        return energy / Float(Self.window)
    }

    /// The band that holds nearly all of the samples last taken; nil when none does.
    var dominant: Int? {
        guard energy > 0 else { return nil }
        var (place, all, here): (Int, Float, Float) = (0, 0, 0)
        while place < count {
            here += held(place)
            let band = places[place].band
            place &+= 1
            guard place == count || places[place].band != band else { continue }
            if here >= Self.share * energy { return band }
            all += here
            // Too much lies in these to leave another its share.
            if all > (1 - Self.share) * energy { return nil }
            here = 0
        }
        return nil
    }

    /// What of the energy is at one place, in the measure of `energy`.
    private func held(_ index: Int) -> Float {
        let (wave, samples) = (waves + 2 * Self.quarter * index, folded + (places[index].isOdd ? 2 * Self.quarter : 0))
        let real = tandem_dot(wave, samples, Self.quarter) + places[index].middle * middle
        let imaginary = tandem_dot(wave + Self.quarter, samples + Self.quarter, Self.quarter)
        return (real * real + imaginary * imaginary) * (2 / Float(Self.window))
    }
}
