/// Patterns by their characters: a text, or another pattern, walks down and meets every pattern it may match.
struct PatternTree: Sendable {
    private struct Node: Sendable {
        /// Children by one character, and by a set of several.
        var exact: [(byte: UInt8, node: Int)] = []
        var sets: [(bytes: BitSet256, node: Int)] = []
        /// Patterns that end here, and those after which more may come.
        var ending: [Int] = []
        var open: [Int] = []
    }

    private var nodes = [Node()]

    mutating func insert(_ pattern: Pattern, _ value: Int) {
        let outline = pattern.outline
        var node = 0
        for set in outline.sets { node = child(of: node, set) }
        if outline.isOpen { nodes[node].open.append(value) } else { nodes[node].ending.append(value) }
    }

    private mutating func child(of node: Int, _ set: BitSet256) -> Int {
        let next = nodes.count
        if set.count == 1, let byte = set.first {
            if let known = nodes[node].exact.first(where: { $0.byte == byte }) { return known.node }
            nodes[node].exact.append((byte, next))
        } else {
            if let known = nodes[node].sets.first(where: { $0.bytes == set }) { return known.node }
            nodes[node].sets.append((set, next))
        }
        nodes.append(Node())
        return next
    }

    /// Adds the values of all patterns that may match the text, and no order to them.
    func collect(_ text: String.UTF8View, into found: inout [Int]) {
        guard nodes.count > 1 || !nodes[0].ending.isEmpty || !nodes[0].open.isEmpty else { return }
        var active = [0]
        found += nodes[0].open
        for byte in text {
            var next: [Int] = []
            for node in active {
                if let child = nodes[node].exact.first(where: { $0.byte == byte }) { next.append(child.node) }
                for child in nodes[node].sets where child.bytes.contains(byte) { next.append(child.node) }
            }
            if next.isEmpty { return }
            active = next
            for node in active { found += nodes[node].open }
        }
        for node in active { found += nodes[node].ending }
    }

    /// Adds the values of all patterns that may have a match in common with this one, and no order to them.
    func collect(overlapping pattern: Pattern, into found: inout [Int]) {
        let outline = pattern.outline
        var active = [0]
        found += nodes[0].open
        for set in outline.sets {
            var next: [Int] = []
            for node in active {
                for child in nodes[node].exact where set.contains(child.byte) { next.append(child.node) }
                for child in nodes[node].sets where set.overlaps(child.bytes) { next.append(child.node) }
            }
            active = next
            for node in active { found += nodes[node].open }
        }
        for node in active { found += nodes[node].ending }
        guard outline.isOpen else { return }
        var below = active.flatMap(children)
        while let node = below.popLast() {
            found += nodes[node].open
            found += nodes[node].ending
            below += children(node)
        }
    }

    private func children(_ node: Int) -> [Int] {
        nodes[node].exact.map(\.node) + nodes[node].sets.map(\.node)
    }
}

extension Pattern {
    /// The sets of characters a match begins with, and whether anything may follow them.
    struct Outline {
        var sets: [BitSet256]
        var isOpen: Bool
    }

    var outline: Outline {
        switch form {
        case .name:
            return Outline(sets: text.utf8.map { BitSet256($0) }, isOpen: false)
        case .number(let plus, let positions, let tail):
            let plusSet = plus ? [BitSet256(UInt8(ascii: "+"))] : []
            return Outline(sets: plusSet + positions.map(Pattern.digits), isOpen: tail != .none)
        case .regex(let expression):
            return Outline(sets: expression.prefix.map { BitSet256($0) }, isOpen: true)
        }
    }

    /// A set of digits (bit 0 is the digit 0) as a set of characters.
    static func digits(_ set: UInt16) -> BitSet256 {
        var result = BitSet256.empty
        for digit in UInt8(0)...9 where set & (1 << UInt16(digit)) != 0 { result.insert(0x30 + digit) }
        return result
    }
}
