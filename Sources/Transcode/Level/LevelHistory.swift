/// How loud the last seconds were in four bands, step by step, so that it can be asked how loud the quiet ones of them are. Made of
/// bins of a decibel; nothing is allocated after `init`.
struct LevelHistory: ~Copyable {
    /// A value of each band, in dBFS where nothing else is said.
    typealias Bands = SIMD4<Float>

    /// Steps that are remembered: three seconds.
    private static let memory = 300
    private static let bins = 96

    /// Where a share of the steps ends. It moves with what is added and forgotten: to look for it anew would be most of the work.
    private struct Mark {
        let share: Float
        var bins = SIMD4<Int32>.zero
        /// Steps in the bins before it.
        var below = SIMD4<Int32>.zero

        mutating func count(_ change: Int32, in bins: SIMD4<Int32>) {
            below.replace(with: below &+ change, where: bins .< self.bins)
        }

        /// The levels that the share stays below, of `total` steps in all.
        mutating func levels(_ counts: UnsafePointer<UInt16>, total: Int) -> Bands {
            let wanted = share * Float(total)
            let least = Int32(wanted.rounded(.up))
            var here = counted(counts)
            // A whole number is less than what is wanted if it is less than that rounded up.
            if any(below .>= least .| below &+ here .< least .| here .== 0) {
                for band in 0..<Bands.scalarCount { settle(band, counts + band * LevelHistory.bins, least) }
                here = counted(counts)
            }
            let rest = wanted - Bands(below)
            return Level.floor + Bands(bins) + rest / Bands(here).atLeast(1)
        }

        private func counted(_ counts: UnsafePointer<UInt16>) -> SIMD4<Int32> {
            var here = SIMD4<Int32>.zero
            for band in 0..<Bands.scalarCount { here[band] = Int32(counts[band * LevelHistory.bins + Int(bins[band])]) }
            return here
        }

        private mutating func settle(_ band: Int, _ counts: UnsafePointer<UInt16>, _ least: Int32) {
            var (bin, below) = (Int(bins[band]), below[band])
            while bin > 0, below >= least {
                bin -= 1
                below -= Int32(counts[bin])
            }
            while bin < LevelHistory.bins - 1, below + Int32(counts[bin]) < least || counts[bin] == 0 {
                below += Int32(counts[bin])
                bin += 1
            }
            (bins[band], self.below[band]) = (Int32(bin), below)
        }
    }

    /// Of each band the steps in each bin, band by band.
    private let counts: UnsafeMutablePointer<UInt16>
    /// The bins of the steps, a ring.
    private let steps: UnsafeMutablePointer<SIMD4<UInt8>>
    private var count = 0
    private var next = 0
    private var quietMark: Mark
    private var middleMark: Mark

    /// - Parameters:
    ///   - level: what is taken for heard in dBFS before anything was.
    ///   - weight: for so many steps, at least one.
    ///   - quietShare: of the steps, those that `quiet` is asked of
    ///   - middleShare: those that `middle` is asked of
    init(assuming level: Float, weight: Int, quietShare: Float, middleShare: Float) {
        counts = .allocate(capacity: Self.bins * Bands.scalarCount)
        counts.initialize(repeating: 0, count: Self.bins * Bands.scalarCount)
        steps = .allocate(capacity: Self.memory)
        steps.initialize(repeating: .zero, count: Self.memory)
        quietMark = Mark(share: quietShare)
        middleMark = Mark(share: middleShare)
        for _ in 0..<max(1, weight) { add(Bands(repeating: level)) }
    }

    deinit {
        counts.deallocate()
        steps.deallocate()
    }

    /// Takes the levels of the next step.
    mutating func add(_ levels: Bands) {
        let places = (levels - Level.floor).atLeast(0).atMost(Float(Self.bins - 1))
        let bins = SIMD4(UInt8(places[0]), UInt8(places[1]), UInt8(places[2]), UInt8(places[3]))
        if count == Self.memory { change(steps[next], by: -1) } else { count += 1 }
        steps[next] = bins
        change(bins, by: 1)
        next = next + 1 == Self.memory ? 0 : next + 1
    }

    /// The levels that the quiet share of the steps stay below.
    mutating func quiet() -> Bands { quietMark.levels(counts, total: count) }

    /// The levels that the middle share of the steps stay below.
    mutating func middle() -> Bands { middleMark.levels(counts, total: count) }

    private mutating func change(_ bins: SIMD4<UInt8>, by step: Int32) {
        let wide = SIMD4<Int32>(truncatingIfNeeded: bins)
        for band in 0..<Bands.scalarCount {
            let count = counts + (band * Self.bins + Int(bins[band]))
            count.pointee = UInt16(truncatingIfNeeded: Int32(count.pointee) &+ step)
        }
        quietMark.count(step, in: wide)
        middleMark.count(step, in: wide)
    }
}
