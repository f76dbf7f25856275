import Testing

@testable import Dialplan

/// Reads text and returns its tree and the problems as they would be printed.
private func read(_ text: String) -> (root: YAMLNode?, problems: [String]) {
    let problems = ProblemList(file: "f")
    let root = YAMLReader.read(text: text, problems: problems)
    return (root, problems.sorted.map(\.description))
}

private func entry(_ node: YAMLNode?, _ key: String) -> YAMLNode? {
    guard case .mapping(let entries) = node?.content else { return nil }
    return entries.first { $0.key == key }?.value
}

@Suite("YAML with places")
struct YAMLReaderTests {
    @Test("scalars keep their text, whatever YAML would make of it")
    func scalarsAreText() {
        let (root, problems) = read("a: off\nb: 012\nc: 12:30\nd: +1415\ne: ~\nf: '#1'\ng: \"x\\ty\"\nh: 1e3\n")
        #expect(problems.isEmpty)
        let texts = ["a", "b", "c", "d", "e", "f", "g", "h"].map { entry(root, $0)?.text }
        #expect(texts == ["off", "012", "12:30", "+1415", "~", "#1", "x\ty", "1e3"])
    }

    @Test("places are 1-based lines and columns, also with CRLF and wide characters", arguments: ["\n", "\r\n", "\r"])
    func places(lineBreak: String) throws {
        let (root, problems) = read(["é: ü", "list:", "  - one", "  - { two: x }", ""].joined(separator: lineBreak))
        #expect(problems.isEmpty)
        let first = try #require(entry(root, "é"))
        #expect((first.line, first.column) == (1, 4))
        guard case .sequence(let items) = entry(root, "list")?.content else {
            Issue.record("no list")
            return
        }
        #expect(items.map(\.line) == [3, 4])
        #expect(items.map(\.column) == [5, 5])
        #expect(entry(items[1], "two")?.column == 12)
    }

    @Test("nothing at all is an empty mapping", arguments: ["", "\n", "# only a comment\n", "---\n"])
    func empty(text: String) {
        let (root, problems) = read(text)
        #expect(problems.isEmpty)
        #expect(root?.isEmpty == true)
    }

    @Test("an empty value is told from an empty string")
    func emptyValue() {
        let root = read("a:\nb: ''\n").root
        #expect(entry(root, "a")?.isEmpty == true)
        #expect(entry(root, "b")?.isEmpty == false)
    }

    @Test("every duplicate key is reported at its second place, and the rest is read")
    func duplicates() {
        let (root, problems) = read("port: 1\nname: x\nport: 2\n\"name\": y\nin: { a: 1, a: 2, a: 3 }\n")
        #expect(problems == [
            "f:3:1: error: duplicate key “port”, first given in line 1",
            "f:4:1: error: duplicate key “name”, first given in line 2",
            "f:5:13: error: duplicate key “a”, first given in line 5",
            "f:5:19: error: duplicate key “a”, first given in line 5",
        ])
        #expect(entry(root, "port")?.text == "1")
    }

    @Test("a key written with an escape still counts as its twin")
    func duplicateWithEscape() {
        #expect(read("\"\\x61b\": 1\nab: 2\n").problems.count == 1)
    }

    @Test("hundreds of duplicates end in a refusal, not in hundreds of parses")
    func manyDuplicates() {
        let text = (0..<300).map { "k\($0): 1\nk\($0): 2\n" }.joined()
        #expect(!read(text).problems.isEmpty)
    }

    @Test("anchors and aliases are refused where they stand", arguments: [
        ("a: &x 1\nb: *x\n", ["f:1:4", "f:2:4"]),
        ("a: [&x 1, *x]\n", ["f:1:5", "f:1:11"]),
        ("&k a: 1\n", ["f:1:1"]),
        ("*k : 1\n", ["f:1:1"]),
        ("base: &b\n  a: 1\nuse:\n  <<: *b\n", ["f:1:7"]),
    ])
    func references(text: String, places: [String]) {
        #expect(read(text).problems == places.map { "\($0): error: \(YAMLScreen.referenceRefusal)" })
    }

    @Test("ampersands and stars within text stay as they are")
    func ampersands() {
        let (root, problems) = read("a: AT&T *bold*\nb: '*9'\nc: \"&c\"\n# &x *y\nd: |\n  *one\n  &two\n'*': e\n")
        #expect(problems.isEmpty)
        #expect(["a", "b", "c", "d", "*"].map { entry(root, $0)?.text } == ["AT&T *bold*", "*9", "&c", "*one\n&two\n", "e"])
    }

    @Test("private-use characters of the file itself survive beside ampersands")
    func privateUse() {
        let root = read("a: \"\u{E000}&\u{E001}*\u{F8FF}\"\n").root
        #expect(entry(root, "a")?.text == "\u{E000}&\u{E001}*\u{F8FF}")
    }

    @Test("a billion laughs stay nine lines of text")
    func billionLaughs() {
        var text = "a0: &a0 [lol, lol]\n"
        for level in 1..<40 { text += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ","))]\n" }
        let (_, problems) = read(text)
        #expect(problems.first?.hasPrefix("f:1:5: error: anchors and aliases") == true)
    }

    @Test("aliases as keys do not expand either")
    func bombOfKeys() {
        var text = "a0: &a0 {x: y}\n"
        for level in 1..<60 { text += "a\(level): &a\(level) { ? {*a\(level - 1) : 1, z: *a\(level - 1) } : 2 }\n" }
        #expect(!read(text).problems.isEmpty)
    }

    @Test("depth is limited, in flow and in block style", arguments: [33, 900, 100_000])
    func depth(levels: Int) {
        let flow = read(String(repeating: "[", count: levels) + String(repeating: "]", count: levels))
        #expect(flow.problems.count == 1)
        let block = read(String(repeating: "- ", count: levels) + "x")
        #expect(block.problems.count == 1)
        let keys = read(String(repeating: "{a: ", count: levels) + "x" + String(repeating: "}", count: levels))
        #expect(keys.problems.count == 1)
    }

    @Test("32 levels are allowed")
    func allowedDepth() {
        #expect(read(String(repeating: "[", count: 32) + String(repeating: "]", count: 32)).problems.isEmpty)
    }

    @Test("a file over the size limit is refused unread, one of exactly the limit is not")
    func size() {
        let problems = ProblemList(file: "f")
        let full = [UInt8](repeating: UInt8(ascii: "#"), count: YAMLReader.maximumBytes)
        #expect(YAMLReader.read(full, problems: problems) != nil)
        #expect(YAMLReader.read(full + [10], problems: problems) == nil)
        #expect(problems.sorted.map(\.description) == ["f:1:1: error: the file is larger than 4 MiB"])
    }

    @Test("what is no text is refused where it begins", arguments: [
        ([97, 58, 32, 0xFF, 10], "f:1:4: error: the file is not UTF-8 text"),
        ([97, 10, 98, 0xC3], "f:2:2: error: the file is not UTF-8 text"),
        ([97, 58, 32, 0, 10], "f:1:4: error: the control character U+0 is not allowed"),
        ([35, 10, 35, 0x1B], "f:2:2: error: the control character U+1B is not allowed"),
    ] as [([UInt8], String)])
    func noText(bytes: [UInt8], expected: String) {
        let problems = ProblemList(file: "f")
        #expect(YAMLReader.read(bytes, problems: problems) == nil)
        #expect(problems.sorted.map(\.description) == [expected])
    }

    @Test("syntax errors carry their place", arguments: [
        ("a: [1, 2\nb: 3\n", "f:2:2"), ("a: 1\n\tb: 2\n", "f:2:1"), ("a: \"x\n", "f:2:1"), ("a: b: c\n", "f:1:5"),
        ("a: 1\n---\nb: 2\n", "f:2:1"), ("a: 'x' y\n", "f:1:8"), ("a: \"\\q\"\n", "f:1:5"),
    ])
    func syntax(text: String, place: String) {
        let (root, problems) = read(text)
        #expect(root == nil)
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("\(place): error: not valid YAML: ") == true, "\(problems)")
    }

    @Test("tags are refused", arguments: ["a: !secret x\n", "a: !!binary eA==\n", "a: !!set {x}\n", "a: !list [x]\n"])
    func tags(text: String) {
        #expect(read(text).problems.map { String($0.prefix(36)) } == ["f:1:4: error: tags are not read here"])
    }

    @Test("a key that is no word is refused, the others are read")
    func complexKeys() {
        let (root, problems) = read("? [a]\n: 1\nb: 2\n")
        #expect(problems == ["f:1:3: error: a key must be a single word"])
        #expect(entry(root, "b")?.text == "2")
    }

    @Test("seeded garbage never traps")
    func garbage() {
        var generator = SeededGenerator(seed: 7)
        let pieces = ["a", ":", " ", "\n", "- ", "[", "]", "{", "}", "&", "*", "!", "\"", "'", "|", ">", "#", ",", "?", "\\", "%", "é", "\r"]
        for _ in 0..<3000 {
            let text = (0..<Int.random(in: 1...24, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            let problems = ProblemList(file: "f")
            let root = YAMLReader.read(text: text, problems: problems)
            #expect(root != nil || problems.hasErrors, "\(text)")
        }
    }
}

/// SplitMix64: the same sequence on every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
