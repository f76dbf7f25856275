/// Takes the keys of one mapping one after the other and reports whatever is left over as unknown.
///
///     let reader = MappingReader(node, "http", problems)
///     let listen = reader.take("listen")
///     reader.finish()
///
/// Every value read is typed here, from its text; a value that does not fit is reported at its own place and read as nil.
public final class MappingReader {
    public let problems: ProblemList
    /// The mapping itself, for problems that have no key.
    public let node: YAMLNode
    /// How messages call this mapping, such as `http` or `trunk acme`.
    public let name: String
    private var entries: [String: YAMLNode.Entry] = [:]
    private var known: [String] = []

    /// Reads a mapping; nil stands for one that is absent, so that every key takes its default.
    public init(_ node: YAMLNode?, _ name: String, _ problems: ProblemList) {
        self.problems = problems
        self.name = name
        self.node = node ?? YAMLNode(.mapping([]), line: 1, column: 1, isEmpty: true)
        guard let node else { return }
        switch node.content {
        case .mapping(let list):
            for entry in list { entries[entry.key] = entry }
        case .scalar where node.isEmpty:
            break
        default:
            problems.error("\(name) must be a mapping of keys to values, not \(node.quoted)", at: node)
        }
    }

    /// The value of a key, nil if it is not there. Marks the key as known.
    public func take(_ key: String) -> YAMLNode? {
        known.append(key)
        return entries.removeValue(forKey: key)?.value
    }

    /// Reports every key that nobody took.
    public func finish() {
        for entry in entries.values {
            let guess = Spelling.nearest(to: entry.key, among: known)
            let help = guess.map { "did you mean \($0)?" } ?? "known here: \(known.joined(separator: ", "))"
            problems.error(
                "unknown key \(YAMLNode.quote(entry.key)) in \(name) (\(help))", line: entry.line, column: entry.column)
        }
        entries = [:]
    }

    // MARK: Typed values. Each takes a key; nil means absent or already reported.

    /// Non-empty text.
    public func text(_ key: String) -> String? {
        take(key).flatMap { text(of: $0, key) }
    }

    /// `true` or `false`.
    public func flag(_ key: String) -> Bool? {
        word(key, ["true": true, "false": false])
    }

    /// A whole number in decimal digits.
    public func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        take(key).flatMap { integer(of: $0, key, in: range) }
    }

    /// One word of a list.
    public func word<Value>(_ key: String, _ words: [String: Value]) -> Value? {
        guard let node = take(key), let text = text(of: node, key) else { return nil }
        guard let value = words[text] else {
            problems.error("\(key) must be \(MappingReader.either(words.keys.sorted())), not \(node.quoted)", at: node)
            return nil
        }
        return value
    }

    /// One case of an enumeration, by its raw value.
    public func word<Value: RawRepresentable & CaseIterable>(_ key: String, _: Value.Type) -> Value? where Value.RawValue == String {
        guard let node = take(key), let text = text(of: node, key) else { return nil }
        guard let value = Value(rawValue: text) else {
            problems.error("\(key) must be \(MappingReader.either(Value.allCases.map(\.rawValue))), not \(node.quoted)", at: node)
            return nil
        }
        return value
    }

    /// A list, empty if nothing follows the key; nil if absent.
    public func list(_ key: String) -> [YAMLNode]? {
        guard let node = take(key) else { return nil }
        switch node.content {
        case .sequence(let items): return items
        case .scalar where node.isEmpty: return []
        default:
            problems.error("\(key) must be a list, not \(node.quoted)", at: node)
            return nil
        }
    }

    /// A mapping of names to values in the order of the file, empty if nothing follows the key; nil if absent.
    public func entries(_ key: String) -> [YAMLNode.Entry]? {
        guard let node = take(key) else { return nil }
        switch node.content {
        case .mapping(let entries): return entries
        case .scalar where node.isEmpty: return []
        default:
            problems.error("\(key) must be a mapping of names to values, not \(node.quoted)", at: node)
            return nil
        }
    }

    /// The non-empty text of a node, reported if it is none.
    public func text(of node: YAMLNode, _ key: String) -> String? {
        guard let text = node.text else {
            problems.error("\(key) must be a single value, not \(node.quoted)", at: node)
            return nil
        }
        guard !text.isEmpty else {
            problems.error("\(key) has no value", at: node)
            return nil
        }
        return text
    }

    /// The whole number of a node, reported if it is none or outside the range.
    public func integer(of node: YAMLNode, _ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(of: node, key) else { return nil }
        guard let value = Decimal.integer(text) else {
            problems.error("\(key) must be a whole number, not \(node.quoted)", at: node)
            return nil
        }
        guard range.contains(value) else {
            problems.error("\(key) must be \(range.lowerBound) to \(range.upperBound), not \(node.quoted)", at: node)
            return nil
        }
        return value
    }

    /// `a, b or c`
    public static func either(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }
}

/// Numbers as they are written in configuration files.
public enum Decimal {
    /// ASCII digits without sign, separators or leading zeros (which elsewhere mean octal); nil for anything else.
    public static func integer(_ text: some StringProtocol) -> Int? {
        let digits = text.utf8
        guard let first = digits.first, digits.count <= 18, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        guard first != 0x30 || digits.count == 1 else { return nil }
        return Int(text)
    }
}
