/// A finite automaton over bytes without empty steps (Glushkov's): state 0 is the start, every other state is a position of
/// the expression and is entered by a byte of that position's set. All states that may be current fit in one `BitSet256`,
/// so a match looks at each byte once, whatever the expression and the text are.
struct Automaton: Sendable {
    /// The states beside the start are numbered by one byte.
    static let maximumPositions = 255

    /// What enters each state; empty for the start.
    private(set) var bytes: [BitSet256] = [.empty]
    /// The states each state leads to.
    private(set) var follow: [BitSet256] = [.empty]
    private(set) var accepting = BitSet256.empty

    /// Bytes that no position tells apart share a class, and a row of `entered`.
    private var classes: [UInt8] = []
    /// The positions that a byte of each class may enter.
    private var entered: [BitSet256] = []

    /// The language of an expression, nil if it has more positions than fit.
    init?(_ expression: Expression) {
        guard expression.positions <= Self.maximumPositions else { return nil }
        let whole = add(expression)
        follow[0] = whole.first
        accepting = whole.last
        if whole.isNullable { accepting.insert(0) }
        makeClasses()
    }

    /// Whether the whole text belongs to the language.
    func matches(_ text: some Sequence<UInt8>) -> Bool {
        var current = BitSet256(0)
        for byte in text {
            current = step(current, byte)
            if current.isEmpty { return false }
        }
        return current.overlaps(accepting)
    }

    /// The states after one more byte.
    func step(_ states: BitSet256, _ byte: UInt8) -> BitSet256 {
        reachable(from: states).intersection(entered[Int(classes[Int(byte)])])
    }

    /// Every state some byte leads to.
    func reachable(from states: BitSet256) -> BitSet256 {
        var next = BitSet256.empty
        states.forEach { next.formUnion(follow[Int($0)]) }
        return next
    }

    /// Whether texts of any length belong to the language: a state comes back to itself. Every state of ours is reachable
    /// and leads to the end, for no expression has an empty set in it.
    var isInfinite: Bool {
        (1..<follow.count).contains { state in
            var seen = follow[state]
            var previous = BitSet256.empty
            while seen != previous {
                previous = seen
                seen = seen.union(reachable(from: seen))
            }
            return seen.contains(UInt8(state))
        }
    }

    // MARK: Construction

    private struct Part {
        var first = BitSet256.empty
        var last = BitSet256.empty
        var isNullable = true
    }

    private mutating func add(_ expression: Expression) -> Part {
        switch expression {
        case .set(let set):
            bytes.append(set)
            follow.append(.empty)
            let position = BitSet256(UInt8(bytes.count - 1))
            return Part(first: position, last: position, isNullable: false)
        case .sequence(let parts):
            var whole = Part()
            for part in parts { whole = join(whole, add(part)) }
            return whole
        case .choice(let parts):
            var whole = Part(isNullable: false)
            for part in parts {
                let next = add(part)
                whole.first.formUnion(next.first)
                whole.last.formUnion(next.last)
                whole.isNullable = whole.isNullable || next.isNullable
            }
            return whole
        case .repetition(let part, let minimum, let maximum):
            return addRepetition(part, minimum, maximum)
        }
    }

    private mutating func addRepetition(_ part: Expression, _ minimum: Int, _ maximum: Int?) -> Part {
        var whole = Part()
        let copies = maximum ?? max(1, minimum)
        for copy in 0..<copies {
            var next = add(part)
            if maximum == nil, copy == copies - 1 { link(next.last, next.first) }
            if copy >= minimum { next.isNullable = true }
            whole = join(whole, next)
        }
        return whole
    }

    private mutating func join(_ left: Part, _ right: Part) -> Part {
        link(left.last, right.first)
        return Part(
            first: left.isNullable ? left.first.union(right.first) : left.first,
            last: right.isNullable ? left.last.union(right.last) : right.last,
            isNullable: left.isNullable && right.isNullable)
    }

    private mutating func link(_ states: BitSet256, _ targets: BitSet256) {
        var follow = follow
        self.follow = []
        states.forEach { follow[Int($0)].formUnion(targets) }
        self.follow = follow
    }

    private mutating func makeClasses() {
        var classOf = [UInt8](repeating: 0, count: 256)
        var rows: [BitSet256: UInt8] = [:]
        for byte in UInt8.min...UInt8.max {
            var row = BitSet256.empty
            for (state, set) in bytes.enumerated() where set.contains(byte) { row.insert(UInt8(state)) }
            if let known = rows[row] {
                classOf[Int(byte)] = known
            } else {
                let number = UInt8(entered.count)
                rows[row] = number
                entered.append(row)
                classOf[Int(byte)] = number
            }
        }
        classes = classOf
    }
}

extension Automaton {
    /// What an automaton is made of.
    indirect enum Expression {
        case set(BitSet256)
        /// Empty: the empty text.
        case sequence([Expression])
        case choice([Expression])
        /// - maximum: nil for no limit.
        case repetition(Expression, minimum: Int, maximum: Int?)

        /// Positions once repetitions are written out, at most some thousands: more is as good as too many.
        var positions: Int {
            let many = 10_000
            switch self {
            case .set: return 1
            case .sequence(let parts), .choice(let parts): return min(many, parts.reduce(0) { $0 + $1.positions })
            case .repetition(let part, let minimum, let maximum): return min(many, part.positions * (maximum ?? max(1, minimum)))
            }
        }
    }
}
