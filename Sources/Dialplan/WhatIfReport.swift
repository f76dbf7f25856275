/// What `WhatIf.compare` found. As JSON its keys are its properties' names.
public struct WhatIfReport: Sendable, Equatable, Codable {
    /// Where calls of one group go, without the numbers.
    public struct Side: Sendable, Hashable, Codable {
        /// Nil if no route takes them.
        public let route: String?
        /// `agent demo, then trunk acme`, `refused with 404: no route takes the call`, or `not recorded`.
        public let target: String
    }

    public struct Example: Sendable, Equatable, Codable {
        public let id: String
        public let via: String
        public let from: String
        public let to: String
        /// How the call ended then.
        public let outcome: String
        /// What trunk steps dial, in order.
        public let before: [String]
        public let after: [String]

        init(_ call: PastCall, _ before: [String], _ after: [String]) {
            id = call.id
            via = call.via
            from = call.from
            to = call.to
            outcome = call.outcome
            self.before = before
            self.after = after
        }
    }

    /// Calls that change in the same way.
    public struct Change: Sendable, Equatable, Codable {
        public let before: Side
        public let after: Side
        /// What is different: `route`, `target`, `number`, `host`, `caller_id`, `headers`, `ring_seconds`, `parameters`, `max_minutes`.
        public let differs: [String]
        public let count: Int
        /// The first few of them.
        public let examples: [Example]
    }

    /// Calls looked at.
    public let total: Int
    /// Calls with which the plan does the very same.
    public let unchanged: Int
    /// The largest first.
    public let changes: [Change]

    /// For people. Several lines, without a line break at the end.
    public var text: String {
        let changed = total - unchanged
        var lines = ["\(WhatIfReport.calls(total)) looked at: \(unchanged) unchanged, \(changed) would change"]
        for change in changes {
            lines.append("")
            lines.append("\(WhatIfReport.calls(change.count)): \(change.differs.joined(separator: ", "))")
            lines.append("  from \(WhatIfReport.text(change.before))")
            lines.append("  to   \(WhatIfReport.text(change.after))")
            for example in change.examples {
                var line = "    \(example.via): \(OneLine.text(example.from)) to \(OneLine.text(example.to))"
                if example.before != example.after {
                    line += ", dialled \(WhatIfReport.text(example.before)), then \(WhatIfReport.text(example.after))"
                }
                lines.append(line)
            }
            if change.count > change.examples.count { lines.append("    and \(change.count - change.examples.count) more") }
        }
        return lines.joined(separator: "\n")
    }

    private static func calls(_ count: Int) -> String {
        "\(count) call\(count == 1 ? "" : "s")"
    }

    private static func text(_ side: Side) -> String {
        "\(side.route.map { "“\($0)”" } ?? "no route") (\(side.target))"
    }

    private static func text(_ numbers: [String]) -> String {
        numbers.isEmpty ? "nothing" : numbers.joined(separator: ", ")
    }
}
