import CShims
import Glibc

/// Hears DTMF (ITU-T Q.23, Q.24) in the sound of a line where telephone-event was not negotiated. 8000 samples a second. Loop-confined;
/// nothing is allocated after `init` but by the array of events.
///
/// Goertzel's algorithm on the eight frequencies, in blocks of 13 ms: a key is two blocks that show it, and it ends with two that do
/// not. Off until `isEnabled` is set: speech can imitate a key, so it listens only where nothing better is to be had.
public final class DTMFDetector {
    /// What was heard.
    public enum Event: Sendable, Equatable {
        case began(Character)
        case ended(Character)
    }

    private typealias Eight = SIMD8<Float>

    /// Samples a second it must be given.
    public static let rate = 8000
    /// Long enough to tell the frequencies apart, and short enough that a key of 35 ms holds two.
    private static let block = 102
    /// How many decibels the low tone may be louder than the high one, and the high one than the low one: beyond what ITU-T Q.24
    /// table A-1 (AT&T) asks for, 8 and 4, so that what is at these limits and off its frequency too is heard.
    private static let lowLouder: Float = 10
    private static let highLouder: Float = 5
    /// How many decibels a tone must be above the others of its group.
    private static let lead: Float = 8
    /// Below this in dBFS a tone is none.
    private static let quietest: Float = -48
    /// The share of the energy that two tones hold at least, and how far off their frequencies (by 1.5 % they must be heard, by 3.5 %
    /// they must not) they may be if in this block they then hold less: the higher ones do.
    private static let share: Float = 0.82
    private static let deviation: Float = 0.019

    /// Whether `process` listens at all.
    public var isEnabled = false

    private let coefficients: UnsafeMutablePointer<Eight>
    /// The share of each key, in the order of `Tone.keypad`.
    private let shares: [Float]
    /// What the filters hold: the newer values and the older ones.
    private let state: UnsafeMutablePointer<Eight>
    private var energy: Float = 0
    private var filled = 0
    /// The key of the last block, and the one that is being heard.
    private var last: Int?
    private var current: Int?

    public init() {
        var frequencies = Eight.zero
        for (index, hertz) in (Tone.lowGroup + Tone.highGroup).enumerated() { frequencies[index] = Float(hertz) }
        var coefficients = Eight.zero
        var held = Eight.zero
        for index in 0..<Eight.scalarCount {
            coefficients[index] = 2 * cosf(2 * Float.pi * frequencies[index] / Float(Self.rate))
            let angle = Float.pi * frequencies[index] * Self.deviation * Float(Self.block) / Float(Self.rate)
            held[index] = sinf(angle) / angle * sinf(angle) / angle
        }
        self.coefficients = .allocate(capacity: 1)
        self.coefficients.initialize(to: coefficients)
        state = .allocate(capacity: 2)
        state.initialize(repeating: .zero, count: 2)
        shares = Tone.keypad.indices.map { min(Self.share, (held[$0 / 4] + held[4 + $0 % 4]) / 2) }
    }

    deinit {
        coefficients.deallocate()
        state.deallocate()
    }

    /// Hears the next samples, any number of them, and appends what began or ended in them.
    public func process(_ samples: UnsafeBufferPointer<Int16>, into events: inout [Event]) {
        guard isEnabled, let source = samples.baseAddress else { return }
        var index = 0
        while index < samples.count {
            let count = min(Self.block - filled, samples.count - index)
            energy += tandem_resonate(
                UnsafeMutableRawPointer(state).assumingMemoryBound(to: Float.self),
                UnsafeRawPointer(coefficients).assumingMemoryBound(to: Float.self), source + index, count)
            index += count
            filled += count
            if filled == Self.block { judge(into: &events) }
        }
    }

    /// Ends a block.
    private func judge(into events: inout [Event]) {
        let key = key
        state.update(repeating: .zero, count: 2)
        (energy, filled) = (0, 0)
        if key != current, last != current {
            let next = key == last ? key : nil
            if let current { events.append(.ended(Tone.keypad[current])) }
            if let next { events.append(.began(Tone.keypad[next])) }
            current = next
        }
        last = key
    }

    /// What the block shows, by its place in `Tone.keypad`.
    private var key: Int? {
        let (coefficients, newer, older) = (coefficients[0], state[0], state[1])
        let held = (newer * newer + older * older - coefficients * newer * older) * (2 / Float(Self.block))
        guard let row = leader(held.lowHalf), let column = leader(held.highHalf) else { return nil }
        let (low, high, key) = (held[row], held[4 + column], 4 * row + column)
        let least = Level.rms(dBFS: Self.quietest)
        guard min(low, high) >= least * least * Float(Self.block), low + high >= shares[key] * energy else { return nil }
        let twist = 10 * log10f(low / high)
        return twist <= Self.lowLouder && -twist <= Self.highLouder ? key : nil
    }

    /// The tone of a group that stands out.
    private func leader(_ group: SIMD4<Float>) -> Int? {
        let most = group.max()
        let near = group .> most * powf(10, -Self.lead / 10)
        var found: Int?
        for index in 0..<4 where near[index] {
            guard found == nil else { return nil }
            found = index
        }
        return found
    }
}
