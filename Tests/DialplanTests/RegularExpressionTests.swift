import Testing

@testable import Dialplan

@Suite("Regular expressions")
struct RegularExpressionTests {
    @Test("what matches, as a whole", arguments: [
        ("abc", "abc"), ("^abc$", "abc"), ("a|bc", "bc"), ("a*", ""), ("a*", "aaa"), ("a+b?", "aab"), ("(ab){2}", "abab"), ("a{2,}", "aaaa"),
        ("a{2,3}", "aaa"), ("a{0,1}", ""), ("[a-c]+", "abc"), ("[^a]", "b"), ("[]a]", "]"), ("[a-]", "-"), (#"\d{3}"#, "123"), (#"\w\s\S\D\W"#, "a bc-"),
        (#"\+1\(2\)"#, "+1(2)"), (#"[\d.]+"#, "1.2"), ("(?:a|b)c", "bc"), ("café", "café"), ("é+", "éé"), (".*", "any\u{0}thing"), ("(|a)b", "b"),
        ("()", ""), ("(a*)*b", "aab"), (#"\+1(415|650)\d{7}"#, "+16505550100"), (#"\$\^"#, "$^"),
    ])
    func matches(source: String, text: String) throws {
        #expect(try RegularExpression(source).matches(text))
    }

    @Test("what does not", arguments: [
        ("abc", "abcd"), ("abc", "xabc"), ("^abc$", "ab"), ("a|bc", "abc"), ("a+", ""), ("(ab){2}", "ab"), ("a{2,3}", "aaaa"), ("a{2,3}", "a"), ("[^a]", "a"),
        ("[^a]", ""), (#"\d"#, "٣"), (#"\w"#, "é"), (".", "é"), ("café", "cafe\u{301}"), (#"\+1(415|650)\d{7}"#, "+17505550100"),
    ])
    func doesNotMatch(source: String, text: String) throws {
        #expect(try !RegularExpression(source).matches(text))
    }

    @Test("what is refused, and where", arguments: [
        ("", "is empty", 1), ("a(b", "has a ( without its )", 2), ("a)b", "has a ) without its (", 2), ("[a", "has a [ without its ]", 1), ("*a", "has a * with nothing before it to repeat", 1),
        ("a|+", "has a + with nothing before it to repeat", 3), ("a**", "repeats what is already repeated, which is not read here", 3),
        ("a*?", "repeats what is already repeated, which is not read here", 3), ("a{2}{3}", "repeats what is already repeated, which is not read here", 5),
        ("a{3,2}", "has the repetition {3,2}, which is backwards", 2), ("a{", "has a { that begins no {2}, {2,} or {2,4}", 2), ("a{,2}", "has a { that begins no {2}, {2,} or {2,4}", 2),
        ("a{0}", "repeats something no times", 2), ("a^b", "has a ^ within; an expression matches as a whole anyway (a literal one is \\^)", 2),
        ("a$b", "has a $ within; an expression matches as a whole anyway (a literal one is \\$)", 2), (#"(a)\1"#, #"has the escape \1, which is not read here"#, 4),
        (#"\bx"#, #"has the escape \b, which is not read here"#, 1), ("(?=a)", "has a group that looks ahead, is named or has flags, which is not read here", 1),
        ("(?i)a", "has a group that looks ahead, is named or has flags, which is not read here", 1), ("[é]", "has a character outside ASCII in a class", 2),
        ("[z-a]", "has a range that does not go from one character up to another", 2), ("a\\", "ends with a single \\", 2),
        ("(a{100}){3}", "is too large: its repetitions written out, it has more than 255 characters", 1),
        ("a{200}b{200}", "is too large: its repetitions written out, it has more than 255 characters", 1),
        ("((((a{99}){99}){99}){99})", "is too large: its repetitions written out, it has more than 255 characters", 4),
        (String(repeating: "(", count: 40) + "a", "is nested deeper than 32 groups", 33),
        (String(repeating: "a", count: 2000), "is longer than 1000 characters", 1001),
    ])
    func refused(source: String, reason: String, character: Int) {
        #expect(throws: RegularExpression.Malformed(reason: reason, character: character)) { try RegularExpression(source) }
    }

    @Test("expressions that make backtracking engines hang look at each byte once", arguments: ["(a*)*b", "(a|a)*b", "(a|aa)+b", "(.*a){20}", "(a?){100}a{100}"])
    func linear(source: String) throws {
        let expression = try RegularExpression(source)
        #expect(!expression.matches(String(repeating: "a", count: 20_000) + "c"))
    }

    @Test("the prefix of all matches", arguments: [
        (#"\+1415.*"#, "+1415"), ("abc", "abc"), ("ab?c", "a"), ("a|b", ""), ("(ab|ac)d", "a"), (".*", ""), ("(ab)+", "ab"), ("a{3}b*", "aaa"),
    ])
    func prefix(source: String, expected: String) throws {
        #expect(String(decoding: try RegularExpression(source).prefix, as: UTF8.self) == expected)
    }

    @Test("agrees with a matcher that tries everything")
    func agreesWithBruteForce() throws {
        var generator = SeededGenerator(seed: 7)
        let texts = SmallExpression.texts(of: ["a", "b"], upTo: 6)
        for _ in 0..<150 {
            let expression = SmallExpression.random(depth: 3, &generator)
            let compiled = try RegularExpression(expression.source)
            for text in texts where compiled.matches(text) != expression.matches(text) { Issue.record("\(expression.source) and \(text)") }
        }
    }
}

/// Expressions over a and b, matched by trying every way to cut the text.
indirect enum SmallExpression {
    case one(String)
    case sequence(SmallExpression, SmallExpression)
    case choice(SmallExpression, SmallExpression)
    case repeated(SmallExpression, Int, Int?)

    static func random(depth: Int, _ generator: inout SeededGenerator) -> SmallExpression {
        guard depth > 0 else { return .one(["a", "b", "[ab]"].randomElement(using: &generator) ?? "a") }
        switch Int.random(in: 0...4, using: &generator) {
        case 0: return .one(["a", "b", "[ab]"].randomElement(using: &generator) ?? "a")
        case 1, 2: return .sequence(random(depth: depth - 1, &generator), random(depth: depth - 1, &generator))
        case 3: return .choice(random(depth: depth - 1, &generator), random(depth: depth - 1, &generator))
        default:
            let bounds: [(Int, Int?)] = [(0, nil), (1, nil), (0, 1), (2, 2), (1, 2), (0, 2)]
            let (low, high) = bounds.randomElement(using: &generator) ?? (0, nil)
            return .repeated(random(depth: depth - 1, &generator), low, high)
        }
    }

    var source: String {
        switch self {
        case .one(let text): text
        case .sequence(let left, let right): "(\(left.source))(\(right.source))"
        case .choice(let left, let right): "(\(left.source)|\(right.source))"
        case .repeated(let part, let low, let high): "(\(part.source)){\(low),\(high.map(String.init) ?? "")}"
        }
    }

    func matches(_ text: String) -> Bool {
        ends(Array(text.utf8), 0).contains(text.utf8.count)
    }

    private func ends(_ text: [UInt8], _ begin: Int) -> Set<Int> {
        switch self {
        case .one(let set):
            guard begin < text.count, set == "[ab]" || Array(set.utf8) == [text[begin]] else { return [] }
            return [begin + 1]
        case .sequence(let left, let right):
            return Set(left.ends(text, begin).flatMap { right.ends(text, $0) })
        case .choice(let left, let right):
            return left.ends(text, begin).union(right.ends(text, begin))
        case .repeated(let part, let low, let high):
            var current: Set<Int> = [begin]
            for _ in 0..<low { current = Set(current.flatMap { part.ends(text, $0) }) }
            var all = current
            var rounds = high.map { $0 - low } ?? text.count + 1
            while rounds > 0, !current.isEmpty {
                current = Set(current.flatMap { part.ends(text, $0) }).subtracting(all)
                all.formUnion(current)
                rounds -= 1
            }
            return all
        }
    }

    static func texts(of letters: [String], upTo length: Int) -> [String] {
        var result = [""], last = [""]
        for _ in 0..<length {
            last = last.flatMap { start in letters.map { start + $0 } }
            result += last
        }
        return result
    }
}
