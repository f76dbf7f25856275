/// How loud the last seconds were, step by step, so that it can be asked how loud the quiet ones of them are. Made of bins of a
/// decibel; nothing is allocated after `init`.
struct LevelHistory: ~Copyable {
    /// Steps that are remembered: three seconds.
    private static let memory = 300
    private static let bins = 96

    /// Where a share of the steps ends. It moves with what is added and forgotten: to look for it anew would be most of the work.
    private struct Mark {
        let share: Float
        var bin = 0
        /// Steps in the bins before it.
        var below = 0

        mutating func count(_ change: Int, in bin: Int) {
            if bin < self.bin { below += change }
        }

        /// The level in dBFS that the share stays below, of `total` steps in all.
        mutating func level(_ counts: UnsafePointer<UInt16>, total: Int) -> Float {
            let wanted = share * Float(total)
            while bin > 0, Float(below) >= wanted {
                bin -= 1
                below -= Int(counts[bin])
            }
            while bin < LevelHistory.bins - 1, Float(below + Int(counts[bin])) < wanted || counts[bin] == 0 {
                below += Int(counts[bin])
                bin += 1
            }
            return Level.floor + Float(bin) + (wanted - Float(below)) / Float(max(1, counts[bin]))
        }
    }

    private let counts: UnsafeMutablePointer<UInt16>
    /// The bins of the steps, a ring.
    private let steps: UnsafeMutablePointer<UInt8>
    private var count = 0
    private var next = 0
    private var quietMark: Mark
    private var middleMark = Mark(share: 0.5)

    /// - Parameters:
    ///   - level: what is taken for heard in dBFS before anything was.
    ///   - weight: for so many steps, at least one.
    ///   - quietShare: of the steps, those that `quiet` is asked of
    init(assuming level: Float, weight: Int, quietShare: Float) {
        counts = .allocate(capacity: Self.bins)
        counts.initialize(repeating: 0, count: Self.bins)
        steps = .allocate(capacity: Self.memory)
        steps.initialize(repeating: 0, count: Self.memory)
        quietMark = Mark(share: quietShare)
        for _ in 0..<max(1, weight) { add(level) }
    }

    deinit {
        counts.deallocate()
        steps.deallocate()
    }

    /// Takes the level of the next step, in dBFS.
    mutating func add(_ level: Float) {
        let bin = Int(max(0, min(Float(Self.bins - 1), level - Level.floor)))
        if count == Self.memory { change(Int(steps[next]), by: -1) } else { count += 1 }
        steps[next] = UInt8(bin)
        change(bin, by: 1)
        next = next + 1 == Self.memory ? 0 : next + 1
    }

    /// The level in dBFS that the quiet share of the steps stay below.
    mutating func quiet() -> Float { quietMark.level(counts, total: count) }

    /// The level in dBFS that half of the steps stay below.
    mutating func middle() -> Float { middleMark.level(counts, total: count) }

    private mutating func change(_ bin: Int, by step: Int) {
        counts[bin] = UInt16(truncatingIfNeeded: Int(counts[bin]) &+ step)
        quietMark.count(step, in: bin)
        middleMark.count(step, in: bin)
    }
}
