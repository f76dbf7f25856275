import Foundation
import Logging
import Testing

@testable import Gateway

@Suite("Log: lines")
struct LogLineTests {
    /// 2026-11-22T18:00:00.123Z
    private static let time = LogTime(milliseconds: 1_795_370_400_123)

    private static func line(
        _ message: String, context: Logger.Metadata = [:], details: Logger.Metadata = [:], level: Logger.Level = .info,
        format: Configuration.Log.Format = .text
    ) -> String {
        let line = LogLine(time: time, level: level, label: "tandem", context: context, message: message, details: details)
        return String(decoding: line.bytes(format), as: UTF8.self)
    }

    /// The members of a JSON line.
    private static func members(_ line: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    @Test("text: time, level, context, message, details, each sorted")
    func text() {
        #expect(Self.line("hello") == "2026-11-22T18:00:00.123Z info: hello\n")
        #expect(
            Self.line("hold", context: ["leg": "a", "call": "7f"], details: ["to": "b", "from": "a"], level: .warning)
                == "2026-11-22T18:00:00.123Z warning call=7f leg=a: hold from=a to=b\n")
    }

    @Test("text: a detail stands for the context's value of its name")
    func override() {
        #expect(Self.line("x", context: ["call": "1"], details: ["call": "2"]) == "2026-11-22T18:00:00.123Z info: x call=2\n")
    }

    @Test("text: what is not one plain word is quoted", arguments: [
        ("", #""""#), ("two words", #""two words""#), (#"say "x""#, #""say \"x\"""#), ("a=b", #""a=b""#), (#"a\b"#, #""a\\b""#),
        ("plain-1.2:3", "plain-1.2:3"), ("Zürich", "Zürich"),
    ])
    func quoting(_ value: String, _ written: String) {
        #expect(Self.line("m", details: ["v": .string(value)]) == "2026-11-22T18:00:00.123Z info: m v=\(written)\n")
    }

    @Test("nested values")
    func nested() throws {
        let details: Logger.Metadata = ["tried": ["a", "b"], "leg": ["rate": .stringConvertible(8000), "codec": "PCMU"]]
        #expect(Self.line("m", details: details) == #"2026-11-22T18:00:00.123Z info: m leg={"codec":"PCMU","rate":"8000"} tried=["a","b"]"# + "\n")
        let members = try Self.members(Self.line("m", details: details, format: .json))
        #expect(members["tried"] as? [String] == ["a", "b"])
        #expect(members["leg"] as? [String: String] == ["codec": "PCMU", "rate": "8000"])
    }

    static let hostile = [
        "\n2026-11-22T18:00:00.123Z error: forged", "\r\n{\"level\":\"error\"}", "\u{2028}x\u{2029}y\u{85}z", "\u{1B}[2J\u{9B}31m\u{0}\u{7}",
        "\u{202E}gpj.exe\u{2066}", "\"},{\"a\":\"", "\\", "\\\"", "\u{7F}\u{FEFF}\u{200F}", "\u{B}\u{C}",
    ]

    @Test("no value, key or message breaks out of its line", arguments: hostile, [Configuration.Log.Format.text, .json])
    func forging(_ text: String, format: Configuration.Log.Format) throws {
        let line = Self.line(
            text, context: [text: .string(text), "call": .string(text)], details: ["list": [.string(text), .dictionary([text: "v"])]],
            format: format)
        #expect(line.hasSuffix("\n"))
        for scalar in line.unicodeScalars.dropLast() {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: Issue.record("U+\(String(scalar.value, radix: 16)) got through")
            default: break
            }
        }
        if format == .json {
            let members = try Self.members(line)
            // A direction mark at the start of a text is data to JSON: what was put in comes out.
            #expect(members["message"] as? String == text)
            #expect(members["call"] as? String == text)
            #expect(members["level"] as? String == "info")
        }
    }

    @Test("JSON: one object, and metadata cannot take the place of its own members")
    func json() throws {
        #expect(
            Self.line("hi", context: ["call": "7f"], format: .json)
                == #"{"time":"2026-11-22T18:00:00.123Z","level":"info","label":"tandem","message":"hi","call":"7f"}"# + "\n")
        let members = try Self.members(Self.line("hi", details: ["level": "critical", "message": "x", "time": "0"], format: .json))
        #expect(members["level"] as? String == "info")
        #expect(members["level_"] as? String == "critical")
        #expect(members["message"] as? String == "hi")
    }

    @Test("a value of megabytes is cut")
    func cut() {
        let long = String(repeating: "a", count: 4 << 20)
        for format in [Configuration.Log.Format.text, .json] {
            let line = Self.line(long, details: ["v": .string(long)], format: format)
            #expect(line.utf8.count < 2 * LogText.longest + 200)
            #expect(line.contains("a…"))
        }
        let exact = String(repeating: "a", count: LogText.longest)
        #expect(Self.line(exact) == "2026-11-22T18:00:00.123Z info: \(exact)\n")
    }

    @Test("times", arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (951_782_400_007, "2000-02-29T00:00:00.007Z"), (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
    ])
    func times(_ milliseconds: Int64, _ text: String) {
        #expect(LogTime(milliseconds: milliseconds).description == text)
    }
}
