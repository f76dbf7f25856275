/// How loud the last seconds were, step by step, so that it can be asked how loud the quiet ones of them are. Made of bins of a
/// decibel; nothing is allocated after `init`.
struct LevelHistory: ~Copyable {
    /// Steps that are remembered: three seconds.
    private static let memory = 300
    private static let bins = 96

    private let counts: UnsafeMutablePointer<UInt16>
    /// The bins of the steps, a ring.
    private let steps: UnsafeMutablePointer<UInt8>
    private var count = 0
    private var next = 0

    /// - Parameters:
    ///   - level: what is taken for heard in dBFS before anything was.
    ///   - weight: for so many steps.
    init(assuming level: Float, weight: Int) {
        counts = .allocate(capacity: Self.bins)
        counts.initialize(repeating: 0, count: Self.bins)
        steps = .allocate(capacity: Self.memory)
        steps.initialize(repeating: 0, count: Self.memory)
        for _ in 0..<weight { add(level) }
    }

    deinit {
        counts.deallocate()
        steps.deallocate()
    }

    /// Takes the level of the next step, in dBFS.
    mutating func add(_ level: Float) {
        let bin = Int(max(0, min(Float(Self.bins - 1), level - Level.floor)))
        if count == Self.memory { counts[Int(steps[next])] &-= 1 } else { count += 1 }
        steps[next] = UInt8(bin)
        counts[bin] &+= 1
        next = next + 1 == Self.memory ? 0 : next + 1
    }

    /// The level in dBFS that `share` of the steps stay below.
    func quantile(_ share: Float) -> Float {
        let wanted = share * Float(count)
        var below: Float = 0
        var bin = 0
        while bin < Self.bins {
            let here = Float(counts[bin])
            if here > 0, below + here >= wanted { return Level.floor + Float(bin) + (wanted - below) / here }
            below += here
            bin &+= 1
        }
        return 0
    }
}
