import Testing

@testable import Dialplan

@Suite("Containment of patterns")
struct ContainmentTests {
    private func isContained(_ inner: Pattern, _ outers: [Pattern]) -> Bool {
        var budget = Containment.Budget(units: 1_000_000)
        if outers.count == 1 { return Containment.isContained(inner, in: outers[0], &budget) }
        return Containment.isContained(inner, in: outers, &budget)
    }

    @Test("proved", arguments: [
        ("+1415555XXXX", ["+1."]), ("+1N", ["+1Z"]), ("X", ["Z", "0"]), ("X.", ["X", "XX!"]), ("!", [".", "!"]), ("+1XX", ["+1[0-4]X", "+1[5-9]X"]),
        ("911", ["N11"]), ("demo", ["demo"]), ("+44.", ["+44!"]), ("XX!", ["X."]),
    ])
    func proved(inner: String, outers: [String]) throws {
        #expect(isContained(try Pattern(inner), try outers.map { try Pattern($0) }))
    }

    @Test("not so", arguments: [
        ("+1.", ["+1415555XXXX"]), ("+1Z", ["+1N"]), ("X", ["Z"]), ("X!", ["X."]), ("+1XX", ["+1[0-4]X", "+1[6-9]X"]), ("X.", ["X", "XX"]), ("demo", ["Demo"]), ("!", ["."]),
        ("X", ["+X"]),
    ])
    func notSo(inner: String, outers: [String]) throws {
        #expect(!isContained(try Pattern(inner), try outers.map { try Pattern($0) }))
    }

    @Test("patterns, names and regular expressions among each other")
    func mixed() throws {
        #expect(isContained(try Pattern("+1415555XXXX"), [try Pattern(regex: #"\+1\d+"#)]))
        #expect(isContained(try Pattern(regex: #"\+1(415|650)\d{7}"#), [try Pattern("+1NXXNXXXXXX"), try Pattern("+1NXX[01]XXXXXX")]))
        #expect(isContained(try Pattern("demo"), [try Pattern(regex: "demo|echo")]))
        #expect(isContained(try Pattern(regex: "demo|echo"), [try Pattern("echo"), try Pattern("demo")]))
        #expect(!isContained(try Pattern(regex: "demo|echo"), [try Pattern("echo")]))
        #expect(isContained(try Pattern(regex: "[a-z]{3}"), [try Pattern(regex: "[a-m].*"), try Pattern(regex: "[n-z].*")]))
    }

    @Test("without a budget nothing is claimed")
    func budget() throws {
        var budget = Containment.Budget(units: 103)
        #expect(!Containment.isContained(try Pattern("XXXX"), in: [try Pattern(regex: #"\d*"#)], &budget))
    }

    /// 0, 1, 5 and + stand for all that patterns of X, Z, N, 0 and 1 can tell apart.
    @Test("number patterns agree with trying every text")
    func numbers() throws {
        var generator = SeededGenerator(seed: 11)
        let texts = SmallExpression.texts(of: ["0", "1", "5"], upTo: 5).flatMap { [$0, "+" + $0] }
        for _ in 0..<300 {
            let inner = try randomNumber(&generator)
            let outers = try (0..<Int.random(in: 1...3, using: &generator)).map { _ in try randomNumber(&generator) }
            let expected = texts.allSatisfy { text in !inner.matches(text) || outers.contains { $0.matches(text) } }
            #expect(isContained(inner, outers) == expected, "\(inner) in \(outers)")
            var budget = Containment.Budget(units: 1_000_000)
            #expect(Containment.isContained(inner, in: outers, &budget) == expected, "\(inner) in \(outers), by automata")
        }
    }

    @Test("regular expressions agree with trying every text")
    func expressions() throws {
        var generator = SeededGenerator(seed: 12)
        let texts = SmallExpression.texts(of: ["a", "b"], upTo: 8)
        var contained = 0
        for _ in 0..<200 {
            let inner = SmallExpression.random(depth: 2, &generator)
            let outers = (0..<Int.random(in: 1...3, using: &generator)).map { _ in SmallExpression.random(depth: 3, &generator) }
            let compiled = try outers.map { try Pattern(regex: $0.source) }
            let innerPattern = try Pattern(regex: inner.source)
            let expected = texts.allSatisfy { text in !innerPattern.matches(text) || compiled.contains { $0.matches(text) } }
            #expect(isContained(innerPattern, compiled) == expected, "\(inner.source) in \(outers.map(\.source))")
            contained += expected ? 1 : 0
        }
        #expect((20...180).contains(contained))
    }

    @Test("endless languages are told from others", arguments: [
        ("a*", true), ("a+b", true), ("(ab|c)*d", true), ("a{3}", false), ("a?b?", false), ("(a{2,}|b)", true), (".", false),
    ])
    func infinite(source: String, expected: Bool) throws {
        #expect(try RegularExpression(source).automaton.isInfinite == expected)
    }

    private func randomNumber(_ generator: inout SeededGenerator) throws -> Pattern {
        var text = Int.random(in: 0...3, using: &generator) == 0 ? "+" : ""
        for _ in 0..<Int.random(in: 1...3, using: &generator) { text += ["X", "Z", "N", "0", "1"].randomElement(using: &generator) ?? "X" }
        text += ["", "", "!", "."].randomElement(using: &generator) ?? ""
        return try Pattern(text)
    }
}
