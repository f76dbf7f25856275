import Foundation
import Testing

@testable import Dialplan

/// Every example of `docs/dialplan.md`: plans load, commands print what the page says they print.
@Suite("docs/dialplan.md")
struct DocumentationTests {
    struct Block {
        /// What follows the three backticks: `yaml plan`, `yaml wrong`, `yaml new`, `problems`, `console`, `what-if`, `diff`.
        let kind: String
        let text: String
        let line: Int
    }

    /// The configuration the page begins with.
    private static let context = PlanContext(
        trunks: ["acme": "1", "british": "44"], agents: ["demo", "assistant"],
        hosts: [
            "acme": [TrunkTarget(host: "198.51.100.7"), TrunkTarget(host: "198.51.100.8", port: 5070, transport: "tcp")],
            "british": [TrunkTarget(host: "pbx.example", isSecure: true)],
        ],
        ownAddresses: ["127.0.0.1:5060"])

    private static let calls = [("+14155550199", "out"), ("+14155550123", "out"), ("+12125550100", "out"), ("demo", "demo"), ("999", nil)]
        .enumerated().map { index, call in
            PastCall(
                id: "c\(index)", via: "browser", from: "visitor", to: call.0, time: Date(timeIntervalSince1970: 0), route: call.1,
                outcome: call.1 == nil ? "no_route" : "caller_hangup")
        }

    @Test("every example does what the page says")
    func examples() throws {
        var plan: Plan?
        var new: Plan?
        var problems: [String] = []
        var seen: Set<String> = []
        for block in try blocks() {
            seen.insert(block.kind)
            switch block.kind {
            case "yaml plan":
                (plan, problems) = load(block)
                #expect(plan != nil && problems.isEmpty, "line \(block.line): \(problems)")
            case "yaml wrong":
                problems = load(block).problems
                #expect(!problems.isEmpty, "line \(block.line)")
            case "yaml new":
                new = load(block).plan
            case "problems":
                #expect(problems.joined(separator: "\n") + "\n" == block.text, "line \(block.line)")
            case "console":
                #expect(try output(of: block, try #require(plan)) + "\n" == block.text.drop { $0 != "\n" }.dropFirst(), "line \(block.line)")
            case "what-if":
                let report = WhatIf.compare(calls: Self.calls, before: plan, after: try #require(new))
                #expect(report.text + "\n" == block.text, "line \(block.line)")
            case "diff":
                let diff = PlanDiff(old: try #require(plan), new: try #require(new))
                #expect(diff.lines.joined(separator: "\n") + "\n" == block.text, "line \(block.line)")
            default:
                #expect(block.kind == "yaml tandem", "line \(block.line)")
            }
        }
        #expect(seen == ["yaml tandem", "yaml plan", "yaml wrong", "yaml new", "problems", "console", "what-if", "diff"])
    }

    private func load(_ block: Block) -> (plan: Plan?, problems: [String]) {
        let (plan, problems) = Plan.load(text: block.text, file: "dialplan.yaml", context: Self.context)
        return (plan, problems.map(\.description))
    }

    /// What `tandem route` prints for the command in the block's first line.
    private func output(of block: Block, _ plan: Plan) throws -> String {
        let words = split(block.text.prefix { $0 != "\n" })
        #expect(words.prefix(5) == ["$", "tandem", "route", "--config", "tandem.yaml"], "line \(block.line)")
        func value(_ option: String) throws -> String {
            let index = try #require(words.firstIndex(of: option), "line \(block.line)")
            return words[index + 1]
        }
        let query = CallQuery(
            via: Source(try value("--via")), from: try value("--from"), to: try value("--to"), time: try #require(RFC3339.parse(try value("--at"))))
        let explanation = Explanation(plan.route(query))
        return words.contains("--json") ? try explanation.json() : explanation.text
    }

    /// Words as a shell takes them, with double quotes only.
    private func split(_ line: Substring) -> [String] {
        line.split(separator: "\"", omittingEmptySubsequences: false).enumerated().flatMap { index, part in
            index.isMultiple(of: 2) ? part.split(separator: " ").map(String.init) : [String(part)]
        }
    }

    private func blocks() throws -> [Block] {
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/dialplan.md")
        var blocks: [Block] = []
        var open: (kind: String, line: Int, lines: [Substring])?
        for (index, line) in try String(contentsOf: page, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if let block = open {
                if line == "```" {
                    blocks.append(Block(kind: block.kind, text: block.lines.joined(separator: "\n") + "\n", line: block.line))
                    open = nil
                } else {
                    open?.lines.append(line)
                }
            } else if line.hasPrefix("```") {
                open = (String(line.dropFirst(3)), index + 1, [])
            }
        }
        #expect(open == nil)
        return blocks
    }
}
