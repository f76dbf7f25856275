/// A set of numbers from 0 to 255: the bytes an automaton's position takes, or the positions it may be at.
struct BitSet256: Hashable, Sendable {
    private var words: SIMD4<UInt64>

    static let empty = BitSet256()
    static let all = BitSet256(words: SIMD4(repeating: .max))

    init() {
        words = .zero
    }

    private init(words: SIMD4<UInt64>) {
        self.words = words
    }

    init(_ range: ClosedRange<UInt8>) {
        self.init()
        for value in range { insert(value) }
    }

    init(_ value: UInt8) {
        self.init()
        insert(value)
    }

    var isEmpty: Bool { words == .zero }

    mutating func insert(_ value: UInt8) {
        words[Int(value >> 6)] |= 1 << UInt64(value & 63)
    }

    func contains(_ value: UInt8) -> Bool {
        words[Int(value >> 6)] & (1 << UInt64(value & 63)) != 0
    }

    mutating func formUnion(_ other: BitSet256) {
        words |= other.words
    }

    func union(_ other: BitSet256) -> BitSet256 { BitSet256(words: words | other.words) }
    func intersection(_ other: BitSet256) -> BitSet256 { BitSet256(words: words & other.words) }
    func subtracting(_ other: BitSet256) -> BitSet256 { BitSet256(words: words & ~other.words) }
    func isSubset(of other: BitSet256) -> Bool { words & ~other.words == .zero }
    func overlaps(_ other: BitSet256) -> Bool { words & other.words != .zero }

    var inverted: BitSet256 { BitSet256(words: ~words) }

    /// The smallest member.
    var first: UInt8? {
        for index in 0..<4 where words[index] != 0 { return UInt8(index * 64 + words[index].trailingZeroBitCount) }
        return nil
    }

    var count: Int {
        (0..<4).reduce(0) { $0 + words[$1].nonzeroBitCount }
    }

    /// In rising order.
    func forEach(_ body: (UInt8) -> Void) {
        for index in 0..<4 {
            var word = words[index]
            while word != 0 {
                body(UInt8(index * 64 + word.trailingZeroBitCount))
                word &= word - 1
            }
        }
    }
}
