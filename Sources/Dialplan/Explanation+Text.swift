/// The explanation as people read it on a terminal or in a log.
extension Explanation {
    /// The call, a table of the routes tried, and what happens then. Several lines, without a line break at the end.
    public var text: String {
        var lines = [
            "via    \(via)", "from   \(Explanation.both(from))", "to     \(Explanation.both(to))", "time   \(time)", "",
        ]
        lines += table
        lines.append("")
        if let route { lines.append("route  \(route)") }
        if let refusal { lines.append("refused with \(refusal.code): \(refusal.sentence)") }
        if let maxMinutes { lines.append("ends after \(maxMinutes) minute\(maxMinutes == 1 ? "" : "s")") }
        for (index, step) in steps.enumerated() {
            lines.append("\(index + 1). \(step.sentence)")
            lines += Explanation.details(step).map { "   \($0)" }
        }
        return lines.joined(separator: "\n")
    }

    /// The whole decision in one line, for logs: where the call goes, then every route that did not take it and why.
    public var line: String {
        let outcome = route.map { "route “\($0)”" } ?? "no route"
        let refused = refusal.map { ", refused with \($0.code): \($0.sentence)" } ?? ""
        let steps = steps.map { "; \($0.sentence)" }.joined()
        let failed = tried.filter { $0.field != nil }.map { "; not \($0.sentence)" }.joined()
        return outcome + refused + steps + failed
    }

    /// A row for every route tried: its name, the field that failed, what the plan wants and what the call has.
    private var table: [String] {
        let rows = [["route", "failed at", "wanted", "the call has"]] + tried.map { attempt in
            guard let field = attempt.field else { return [attempt.route, "matches", "", ""] }
            return [attempt.route, field, OneLine.text(attempt.wanted ?? ""), attempt.found.map { OneLine.text($0) } ?? "nothing"]
        }
        let widths = (0..<3).map { column in min(Explanation.widest, rows.map { $0[column].count }.max() ?? 0) }
        return rows.map { row in
            let cells = zip(row, widths).map { cell, width in cell + String(repeating: " ", count: max(0, width - cell.count)) }
            let line = (cells + [row[3]]).joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// One long name must not push every other row off the screen.
    private static let widest = 40

    private static func both(_ number: Number) -> String {
        let e164 = OneLine.text(number.e164)
        return number.given == number.e164 ? e164 : "\(e164) (given as \(OneLine.text(number.given)))"
    }

    /// What an INVITE would carry.
    private static func details(_ step: ExplainedStep) -> [String] {
        guard step.number != nil else { return [] }
        var lines: [String] = []
        for dial in step.dial ?? [] {
            if dial.targets.isEmpty { lines.append("\(dial.trunk) has no host to dial") }
            lines += dial.targets.map { "INVITE \($0)" }
        }
        lines.append("caller id \(OneLine.text(step.callerID ?? ""))")
        lines += (step.headers ?? [:]).sorted { $0.key < $1.key }.map { "header \($0.key): \($0.value)" }
        if let seconds = step.ringSeconds { lines.append("rings \(seconds) seconds at most") }
        return lines
    }
}
