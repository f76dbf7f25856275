/// Reads a regular expression by recursive descent; groups are the only recursion and their depth is limited.
struct RegularExpressionParser {
    typealias Malformed = RegularExpression.Malformed
    typealias Expression = Automaton.Expression

    /// Nobody reads deeper nesting, and the parser's stack is bounded by it.
    static let maximumDepth = 32
    /// A path to some other text is a mistake, not an expression.
    static let maximumLength = 1000

    private let scalars: [Unicode.Scalar]
    private var index = 0
    private var depth = 0

    init(_ source: String) {
        scalars = Array(source.unicodeScalars.prefix(Self.maximumLength + 1))
    }

    /// The whole expression.
    mutating func parse() throws(Malformed) -> Expression {
        guard !scalars.isEmpty else { throw Malformed(reason: "is empty", character: 1) }
        guard scalars.count <= Self.maximumLength else {
            throw Malformed(reason: "is longer than \(Self.maximumLength) characters", character: Self.maximumLength + 1)
        }
        if scalars.first == "^" { index = 1 }
        let expression = try choice()
        if index < scalars.count { throw malformed("has a ) without its (") }
        return expression
    }

    private func malformed(_ reason: String, at place: Int? = nil) -> Malformed {
        Malformed(reason: reason, character: (place ?? index) + 1)
    }

    private var current: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard current == scalar else { return false }
        index += 1
        return true
    }

    private mutating func choice() throws(Malformed) -> Expression {
        var parts = [try sequence()]
        while take("|") { parts.append(try sequence()) }
        return parts.count == 1 ? parts[0] : .choice(parts)
    }

    private mutating func sequence() throws(Malformed) -> Expression {
        var parts: [Expression] = []
        while let scalar = current, scalar != "|", scalar != ")" {
            if scalar == "$", index == scalars.count - 1, depth == 0 {
                index += 1
                break
            }
            let begin = index
            parts.append(try repeated(try atom(), begin))
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    // MARK: Repetition

    private mutating func repeated(_ atom: Expression, _ begin: Int) throws(Malformed) -> Expression {
        guard let scalar = current else { return atom }
        let bounds: (Int, Int?)
        switch scalar {
        case "*": bounds = (0, nil)
        case "+": bounds = (1, nil)
        case "?": bounds = (0, 1)
        case "{": bounds = try counts()
        default: return atom
        }
        index += 1
        if let next = current, next == "?" || next == "+" || next == "*" || next == "{" {
            throw malformed("repeats what is already repeated, which is not read here")
        }
        let result = Expression.repetition(atom, minimum: bounds.0, maximum: bounds.1)
        guard result.positions <= Automaton.maximumPositions else {
            throw malformed("is too large: its repetitions written out, it has more than \(Automaton.maximumPositions) characters", at: begin)
        }
        return result
    }

    /// `{2}`, `{2,}` or `{2,4}`; stops at the closing brace.
    private mutating func counts() throws(Malformed) -> (Int, Int?) {
        let begin = index
        index += 1
        let minimum = number()
        var maximum = minimum
        if take(",") { maximum = current == "}" ? nil : number() ?? -1 }
        guard let minimum, current == "}", maximum != -1 else { throw malformed("has a { that begins no {2}, {2,} or {2,4}", at: begin) }
        if let maximum {
            guard minimum <= maximum else { throw malformed("has the repetition {\(minimum),\(maximum)}, which is backwards", at: begin) }
            guard maximum > 0 else { throw malformed("repeats something no times", at: begin) }
        }
        return (minimum, maximum)
    }

    /// Up to three digits: more is beyond every limit here.
    private mutating func number() -> Int? {
        var value: Int?
        while let scalar = current, ("0"..."9").contains(scalar), (value ?? 0) < 1000 {
            value = (value ?? 0) * 10 + Int(scalar.value - 0x30)
            index += 1
        }
        return value
    }

    // MARK: Atoms

    private mutating func atom() throws(Malformed) -> Expression {
        let begin = index
        guard let scalar = current else { throw malformed("ends too early") }
        index += 1
        switch scalar {
        case ".": return .set(.all)
        case "(": return try group(begin)
        case "[": return .set(try characterClass(begin))
        case "\\": return try escape(begin)
        case "*", "+", "?", "{": throw malformed("has a \(scalar) with nothing before it to repeat", at: begin)
        case "^", "$": throw malformed("has a \(scalar) within; an expression matches as a whole anyway (a literal one is \\\(scalar))", at: begin)
        default: return RegularExpressionParser.literal(scalar)
        }
    }

    /// A character outside ASCII is the sequence of its bytes.
    private static func literal(_ scalar: Unicode.Scalar) -> Expression {
        if scalar.isASCII { return .set(BitSet256(UInt8(scalar.value))) }
        return .sequence(String(scalar).utf8.map { .set(BitSet256($0)) })
    }

    private mutating func group(_ begin: Int) throws(Malformed) -> Expression {
        if take("?"), !take(":") { throw malformed("has a group that looks ahead, is named or has flags, which is not read here", at: begin) }
        depth += 1
        guard depth <= Self.maximumDepth else { throw malformed("is nested deeper than \(Self.maximumDepth) groups", at: begin) }
        let inner = try choice()
        guard take(")") else { throw malformed("has a ( without its )", at: begin) }
        depth -= 1
        return inner
    }

    private mutating func escape(_ begin: Int) throws(Malformed) -> Expression {
        guard let scalar = current else { throw malformed("ends with a single \\", at: begin) }
        index += 1
        return .set(try RegularExpressionParser.escaped(scalar, malformed("has the escape \\\(scalar), which is not read here", at: begin)))
    }

    private static func escaped(_ scalar: Unicode.Scalar, _ unknown: Malformed) throws(Malformed) -> BitSet256 {
        switch scalar {
        case "d": return digits
        case "D": return digits.inverted
        case "w": return words
        case "W": return words.inverted
        case "s": return spaces
        case "S": return spaces.inverted
        default:
            let isLetterOrDigit = scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
            guard scalar.isASCII, !isLetterOrDigit else { throw unknown }
            return BitSet256(UInt8(scalar.value))
        }
    }

    private static let digits = BitSet256(0x30...0x39)
    private static let words = digits.union(BitSet256(0x41...0x5A)).union(BitSet256(0x61...0x7A)).union(BitSet256(0x5F))
    private static let spaces = BitSet256(0x09...0x0D).union(BitSet256(0x20))

    // MARK: Classes

    private mutating func characterClass(_ begin: Int) throws(Malformed) -> BitSet256 {
        let isNegated = take("^")
        var set = BitSet256.empty
        var isFirst = true
        while let scalar = current, scalar != "]" || isFirst {
            let place = index
            index += 1
            isFirst = false
            let low = try member(scalar, place)
            if current == "-", index + 1 < scalars.count, scalars[index + 1] != "]" {
                index += 2
                let high = try member(scalars[index - 1], index - 1)
                guard let from = low.first, let to = high.first, low.count == 1, high.count == 1, from <= to else {
                    throw malformed("has a range that does not go from one character up to another", at: place)
                }
                set.formUnion(BitSet256(from...to))
            } else {
                set.formUnion(low)
            }
        }
        guard take("]") else { throw malformed("has a [ without its ]", at: begin) }
        let result = isNegated ? set.inverted : set
        guard !result.isEmpty else { throw malformed("has a class that nothing belongs to", at: begin) }
        return result
    }

    private mutating func member(_ scalar: Unicode.Scalar, _ place: Int) throws(Malformed) -> BitSet256 {
        guard scalar.isASCII else { throw malformed("has a character outside ASCII in a class", at: place) }
        guard scalar == "\\" else { return BitSet256(UInt8(scalar.value)) }
        guard let escaped = current else { throw malformed("ends with a single \\", at: place) }
        index += 1
        return try RegularExpressionParser.escaped(escaped, malformed("has the escape \\\(escaped), which is not read here", at: place))
    }
}
