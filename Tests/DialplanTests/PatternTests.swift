import Testing

@testable import Dialplan

@Suite("Patterns")
struct PatternTests {
    @Test("what matches", arguments: [
        ("+1415555XXXX", "+14155550123"), ("+1NXXNXXXXXX", "+12125550100"), ("[2-57]", "5"), ("[2-57]", "7"), ("[13579]", "9"),
        ("911", "911"), ("+44.", "+441"), ("+44!", "+44"), ("+44!", "+44123"), ("!", ""), (".", "0"), ("Z", "1"), ("N", "2"),
        ("+1-415-555-XXXX", "+14155550123"), ("demo", "demo"), ("100*", "100*"), ("ａ", "ａ"),
    ])
    func matches(pattern: String, text: String) throws {
        #expect(try Pattern(pattern).matches(text))
    }

    @Test("what does not", arguments: [
        ("+1415555XXXX", "+1415555012"), ("+1415555XXXX", "+141555501234"), ("+1415555XXXX", "14155550123"), ("+1NXXNXXXXXX", "+11125550100"),
        ("[2-57]", "6"), ("[2-57]", "1"), ("911", "9111"), ("+44.", "+44"), ("+44.", "+44a"), (".", ""), ("Z", "0"), ("N", "1"), ("X", "a"),
        ("X", "٣"), ("XXX", "١٢٣"), ("X", "５"), ("X", "5\u{FE0F}\u{20E3}"), ("!", "+"), ("X", "+"), ("demo", "Demo"), ("demo", "demo "), ("demo", ""),
        // Equal to the eye and to Swift's ==, but not the same bytes.
        ("caf\u{E9}", "cafe\u{301}"),
    ])
    func doesNotMatch(pattern: String, text: String) throws {
        #expect(try !Pattern(pattern).matches(text))
    }

    @Test("what is a name", arguments: [("demo", true), ("X", false), ("x", true), ("+1415555xxxx", true), ("12#", true), ("NXZ", false), ("a.b", true)])
    func names(text: String, isName: Bool) throws {
        #expect(try Pattern(text).isName == isName)
    }

    @Test("what is refused", arguments: [
        ("", "is empty"), ("[", "has a [ without its ]"), ("12]", "has a ] without its ["), ("[]", "has nothing between [ and ]"),
        ("[5-2]", "has the range 5-2, which is backwards"), ("[2-]", "has a range without an end"), ("[X]", "has something else than digits and ranges between [ and ]"),
        ("[-3]", "has something else than digits and ranges between [ and ]"), ("[[1]]", "has something else than digits and ranges between [ and ]"),
        ("1+", "has a + that is not its first character"), ("++1", "has a + that is not its first character"), ("1.2", "goes on after its final . or !"),
        ("1!.", "goes on after its final . or !"), ("+", "matches no number"), ("-", "matches no number"),
    ])
    func refused(text: String, reason: String) {
        #expect(throws: Pattern.Malformed(reason: reason)) { try Pattern(text) }
    }

    @Test("agrees with writing out every text a pattern stands for")
    func agreesWithBruteForce() throws {
        var generator = SeededGenerator(seed: 42)
        let digits = (0...9).map(String.init)
        let longest = 3
        let candidates = allTexts(of: digits + ["+"], upTo: longest)
        for _ in 0..<40 {
            var text = Bool.random(using: &generator) ? "+" : ""
            var expected: Set<String> = [text]
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let (token, choices) = randomToken(&generator)
                text += token
                expected = Set(expected.flatMap { start in choices.map { start + $0 } })
            }
            switch Int.random(in: 0...3, using: &generator) {
            case 0:
                text += "!"
                expected = Set(expected.flatMap { start in allTexts(of: digits, upTo: longest).map { start + $0 } })
            case 1:
                text += "."
                expected = Set(expected.flatMap { start in allTexts(of: digits, upTo: longest).filter { !$0.isEmpty }.map { start + $0 } })
            default: break
            }
            let pattern = try Pattern(text)
            for candidate in candidates where pattern.matches(candidate) != expected.contains(candidate) {
                Issue.record("\(text) and \(candidate)")
            }
        }
    }

    @Test("200 digits, and a megabyte of them, are looked at once")
    func longNumbers() throws {
        let long = "+" + String(repeating: "7", count: 200)
        #expect(try Pattern("+7.").matches(long))
        #expect(try !Pattern("+7X").matches(long))
        #expect(try Pattern("+" + String(repeating: "X", count: 200)).matches(long))
        #expect(try !Pattern("+7.").matches("+" + String(repeating: "7", count: 1_000_000) + "x"))
    }

    private func allTexts(of characters: [String], upTo length: Int) -> [String] {
        var result = [""], last = [""]
        for _ in 0..<length {
            last = last.flatMap { start in characters.map { start + $0 } }
            result += last
        }
        return result
    }

    private func randomToken(_ generator: inout SeededGenerator) -> (String, [String]) {
        switch Int.random(in: 0...4, using: &generator) {
        case 0: return ("X", (0...9).map(String.init))
        case 1: return ("Z", (1...9).map(String.init))
        case 2: return ("N", (2...9).map(String.init))
        case 3:
            let low = Int.random(in: 0...9, using: &generator), high = Int.random(in: low...9, using: &generator)
            let single = Int.random(in: 0...9, using: &generator)
            return ("[\(low)-\(high)\(single)]", Set((low...high) + [single]).map(String.init))
        default:
            let digit = String(Int.random(in: 0...9, using: &generator))
            return (digit, [digit])
        }
    }
}
