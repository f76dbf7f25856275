/// Which of the latest indices were seen (RFC 3711 section 3.3.2): a bit each, in a ring of `words` times 64.
struct ReplayWindow<let words: Int> {
    /// The highest index seen; 0 before the first.
    private(set) var highest: UInt64 = 0
    private var seen = InlineArray<words, UInt64>(repeating: 0)

    private static var size: UInt64 { UInt64(words) * 64 }

    /// Whether an index is neither a repetition nor older than the window.
    func isFresh(_ index: UInt64) -> Bool {
        if index > highest { return true }
        guard highest - index < Self.size else { return false }
        return seen[word(index)] & bit(index) == 0
    }

    /// Remembers an index that is fresh.
    mutating func insert(_ index: UInt64) {
        if index > highest {
            if index - highest >= Self.size {
                for word in 0..<words { seen[word] = 0 }
            } else {
                var passed = highest + 1
                while passed < index {
                    seen[word(passed)] &= ~bit(passed)
                    passed += 1
                }
            }
            highest = index
        }
        seen[word(index)] |= bit(index)
    }

    private func word(_ index: UInt64) -> Int { Int(truncatingIfNeeded: index / 64 % UInt64(words)) }

    private func bit(_ index: UInt64) -> UInt64 { 1 << (index % 64) }
}
