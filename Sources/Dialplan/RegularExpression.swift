/// A regular expression that matches a text as a whole, in time linear in the text.
///
/// The syntax is what finite automata can do: characters, `.`, classes `[a-z]` `[^0-9]` `\d` `\w` `\s` and their capitals,
/// groups `( )` and `(?: )`, `|`, `*`, `+`, `?`, `{2}`, `{2,}`, `{2,4}`; `^` at the very start and `$` at the very end change
/// nothing. It works on bytes: `.` is any one byte, a character outside ASCII is several and cannot stand in a class.
/// Back references, look-around, lazy repetition and flags are refused.
struct RegularExpression: Sendable, Hashable {
    /// Why text is no expression of ours, and where.
    struct Malformed: Error, Equatable {
        let reason: String
        /// From 1, in Unicode scalars.
        let character: Int
    }

    let source: String
    let automaton: Automaton
    /// What every match begins with; the index of routes looks no further.
    let prefix: [UInt8]

    init(_ source: String) throws(Malformed) {
        self.source = source
        var parser = RegularExpressionParser(source)
        let expression = try parser.parse()
        guard let automaton = Automaton(expression) else {
            throw Malformed(reason: "is too large: its repetitions written out, it has more than \(Automaton.maximumPositions) characters", character: 1)
        }
        self.automaton = automaton
        prefix = RegularExpression.prefix(automaton)
    }

    func matches(_ text: String) -> Bool {
        automaton.matches(text.utf8)
    }

    static func == (left: RegularExpression, right: RegularExpression) -> Bool { left.source == right.source }

    func hash(into hasher: inout Hasher) { hasher.combine(source) }

    /// Follows the automaton as long as there is one way on, by one byte.
    private static func prefix(_ automaton: Automaton) -> [UInt8] {
        var prefix: [UInt8] = []
        var states = BitSet256(0)
        while !states.overlaps(automaton.accepting), prefix.count < Automaton.maximumPositions {
            var bytes = BitSet256.empty
            automaton.reachable(from: states).forEach { bytes.formUnion(automaton.bytes[Int($0)]) }
            guard bytes.count == 1, let byte = bytes.first else { break }
            prefix.append(byte)
            states = automaton.step(states, byte)
        }
        return prefix
    }
}
