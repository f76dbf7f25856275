/// Whether every text one pattern matches is matched by others: proved, not sampled.
enum Containment {
    /// Work left, so that no plan takes longer to check than it is worth: an inclusion that cannot be shown in time is not
    /// claimed. One unit is one automaton moved by one byte.
    struct Budget {
        var units: Int
    }

    /// What it costs to make an automaton of a pattern.
    private static let automatonUnits = 100

    /// Whether one pattern matches all that the other does.
    static func isContained(_ inner: Pattern, in outer: Pattern, _ budget: inout Budget) -> Bool {
        switch (inner.form, outer.form) {
        case (.name, .name): return inner.text.utf8.elementsEqual(outer.text.utf8)
        case (.name, _): return outer.matches(inner.text)
        case (.number(let plus, let positions, let tail), .number(let outerPlus, let outerPositions, let outerTail)):
            return plus == outerPlus && isContained(positions, tail, in: outerPositions, outerTail)
        default: return isContained(inner, in: [outer], &budget)
        }
    }

    private static func isContained(
        _ inner: [UInt16], _ innerTail: Pattern.Tail, in outer: [UInt16], _ outerTail: Pattern.Tail
    ) -> Bool {
        let allDigits: UInt16 = 0b11_1111_1111
        let shortest = inner.count + (innerTail == .oneOrMoreDigits ? 1 : 0)
        guard shortest >= outer.count + (outerTail == .oneOrMoreDigits ? 1 : 0) else { return false }
        if outerTail == .none, innerTail != .none || inner.count != outer.count { return false }
        return outer.enumerated().allSatisfy { index, set in
            (index < inner.count ? inner[index] : allDigits) & ~set == 0
        }
    }

    /// Whether every text the pattern matches is matched by at least one of the others. Walks the pattern's automaton beside
    /// those of the others, determinised as far as needed; false also if the budget ends or a pattern is too long.
    static func isContained(_ inner: Pattern, in outers: [Pattern], _ budget: inout Budget) -> Bool {
        budget.units -= outers.count * automatonUnits
        guard budget.units > 0, let automaton = inner.automaton else { return false }
        var others: [Automaton] = []
        for outer in outers {
            guard let other = outer.automaton else { return false }
            others.append(other)
        }
        var search = Search(inner: automaton, outers: others)
        return search.run(&budget)
    }

    private struct Search {
        /// One state of the inner automaton, and of every outer one that is still alive all its states.
        struct Place: Hashable {
            let state: UInt8
            let others: [Other]
        }

        struct Other: Hashable {
            let index: Int
            let states: BitSet256
        }

        let inner: Automaton
        let outers: [Automaton]
        private var seen: Set<Place> = []

        init(inner: Automaton, outers: [Automaton]) {
            self.inner = inner
            self.outers = outers
        }

        /// False at the first text that only the inner one takes.
        mutating func run(_ budget: inout Budget) -> Bool {
            var open = [Place(state: 0, others: outers.indices.map { Other(index: $0, states: BitSet256(0)) })]
            while let place = open.popLast() {
                guard seen.insert(place).inserted else { continue }
                if inner.accepting.contains(place.state),
                    !place.others.contains(where: { $0.states.overlaps(outers[$0.index].accepting) })
                {
                    return false
                }
                for byte in representatives(place) {
                    budget.units -= place.others.count + 1
                    guard budget.units > 0 else { return false }
                    let others = place.others.compactMap { other -> Other? in
                        let states = outers[other.index].step(other.states, byte)
                        return states.isEmpty ? nil : Other(index: other.index, states: states)
                    }
                    // Every state leads to an end: with nobody left beside it, there is a text nobody else takes.
                    if others.isEmpty { return false }
                    inner.step(BitSet256(place.state), byte).forEach { open.append(Place(state: $0, others: others)) }
                }
            }
            return true
        }

        /// One byte of each set of bytes that lead to the same places.
        private func representatives(_ place: Place) -> [UInt8] {
            var pieces: [BitSet256] = []
            inner.follow[Int(place.state)].forEach { pieces = split(pieces, by: inner.bytes[Int($0)], adding: true) }
            var cuts: Set<BitSet256> = []
            for other in place.others {
                let outer = outers[other.index]
                outer.reachable(from: other.states).forEach { cuts.insert(outer.bytes[Int($0)]) }
            }
            for cut in cuts { pieces = split(pieces, by: cut, adding: false) }
            return pieces.compactMap(\.first)
        }

        /// Cuts disjoint pieces along the border of a set; with `adding`, what none of them has becomes one more.
        private func split(_ pieces: [BitSet256], by set: BitSet256, adding: Bool) -> [BitSet256] {
            var result: [BitSet256] = []
            var rest = set
            for piece in pieces {
                let inside = piece.intersection(set), outside = piece.subtracting(set)
                if !inside.isEmpty { result.append(inside) }
                if !outside.isEmpty { result.append(outside) }
                rest = rest.subtracting(piece)
            }
            if adding, !rest.isEmpty { result.append(rest) }
            return result
        }
    }
}

extension Pattern {
    /// The pattern as an automaton, nil if it is longer than one may be.
    var automaton: Automaton? {
        switch form {
        case .regex(let expression): return expression.automaton
        case .name: return Automaton(.sequence(text.utf8.map { .set(BitSet256($0)) }))
        case .number(let plus, let positions, let tail):
            var parts: [Automaton.Expression] = plus ? [.set(BitSet256(UInt8(ascii: "+")))] : []
            parts += positions.map { .set(Pattern.digits($0)) }
            let digit = Automaton.Expression.set(BitSet256(0x30...0x39))
            switch tail {
            case .none: break
            case .oneOrMoreDigits: parts.append(.repetition(digit, minimum: 1, maximum: nil))
            case .anyDigits: parts.append(.repetition(digit, minimum: 0, maximum: nil))
            }
            return Automaton(.sequence(parts))
        }
    }
}
