/// Past calls through another plan: which of them would go elsewhere.
public enum WhatIf {
    /// Enough to see what a group of calls has in common.
    public static let examplesPerChange = 5

    /// Decides every call again.
    /// - Parameters:
    ///   - before: the plan that is in force. Nil compares with the route in each call's record, which is all that is left
    ///     of older plans: then only the route's name can differ.
    ///   - after: the plan that is asked about.
    public static func compare(calls: [PastCall], before: Plan?, after: Plan) -> WhatIfReport {
        var groups: [Key: (count: Int, examples: [WhatIfReport.Example])] = [:]
        var order: [Key] = []
        var unchanged = 0
        for call in calls {
            let new = Outcome(after.route(call.query))
            let old = before.map { Outcome($0.route(call.query)) } ?? Outcome(recorded: call.route, of: new)
            let differs = new.differences(from: old)
            guard !differs.isEmpty else {
                unchanged += 1
                continue
            }
            let key = Key(before: old.side, after: new.side, differs: differs)
            if groups[key] == nil { order.append(key) }
            groups[key, default: (0, [])].count += 1
            if groups[key, default: (0, [])].examples.count < examplesPerChange {
                groups[key]?.examples.append(WhatIfReport.Example(call, old.numbers, new.numbers))
            }
        }
        let changes = order.map { key in
            let group = groups[key] ?? (0, [])
            return WhatIfReport.Change(
                before: key.before, after: key.after, differs: key.differs, count: group.count, examples: group.examples)
        }
        // The largest group first; equal ones in the order of the calls.
        let sorted = changes.enumerated().sorted { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }.map(\.element)
        return WhatIfReport(total: calls.count, unchanged: unchanged, changes: sorted)
    }

    private struct Key: Hashable {
        let before: WhatIfReport.Side
        let after: WhatIfReport.Side
        let differs: [String]
    }

    /// What a plan does with a call, reduced to what can be compared.
    private struct Outcome {
        let side: WhatIfReport.Side
        /// What trunk steps dial, in order.
        let numbers: [String]
        private let steps: [ExplainedStep]
        private let maxMinutes: Int?

        init(_ decision: RouteDecision) {
            steps = decision.steps.map { ExplainedStep($0, decision) }
            maxMinutes = decision.route?.maxMinutes
            numbers = steps.compactMap(\.number)
            side = WhatIfReport.Side(route: decision.route?.name, target: Outcome.target(decision, steps))
        }

        /// A record knows the route's name only; everything else is taken to be as it would be now.
        init(recorded route: String?, of new: Outcome) {
            steps = new.steps
            maxMinutes = new.maxMinutes
            numbers = []
            side = WhatIfReport.Side(route: route, target: route == new.side.route ? new.side.target : "not recorded")
        }

        /// `agent demo, then trunk acme`, without numbers, which would make a group of every call.
        private static func target(_ decision: RouteDecision, _ steps: [ExplainedStep]) -> String {
            if let refusal = decision.refusal { return "refused with \(refusal.code): \(refusal.sentence)" }
            return steps.map { step in
                switch step.kind {
                case "trunk": "trunk \((step.dial ?? []).map(\.trunk).joined(separator: ", then "))"
                default: step.kind + " " + (step.agent ?? step.user ?? step.file ?? step.code.map(String.init) ?? "")
                }
            }.joined(separator: ", then ")
        }

        func differences(from old: Outcome) -> [String] {
            var result: [String] = []
            if side.route != old.side.route { result.append("route") }
            if side.target != old.side.target { result.append("target") }
            let differs: [(String, Bool)] = [
                ("number", steps.map(\.number) != old.steps.map(\.number)),
                ("host", steps.map(\.hosts) != old.steps.map(\.hosts)),
                ("caller_id", steps.map(\.callerID) != old.steps.map(\.callerID)),
                ("headers", steps.map(\.headers) != old.steps.map(\.headers)),
                ("ring_seconds", steps.map(\.ringSeconds) != old.steps.map(\.ringSeconds)),
                ("parameters", steps.map(\.parameters) != old.steps.map(\.parameters)),
                ("max_minutes", maxMinutes != old.maxMinutes),
            ]
            // Another target has other numbers and parameters of itself.
            if !result.contains("target") { result += differs.filter(\.1).map(\.0) }
            return result
        }
    }
}

extension ExplainedStep {
    /// The targets without the number, so that another number does not look like another host.
    fileprivate var hosts: [String] {
        (dial ?? []).flatMap { dial in dial.targets.map { "\(dial.trunk) \($0.drop { $0 != "@" })" } }
    }
}
