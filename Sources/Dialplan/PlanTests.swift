import Foundation

/// A test written in the plan itself: a call, and the route that must take it.
struct PlanTest {
    /// Expects that no route takes the call, or that one refuses it.
    static let refused = "refused"
    /// Used where a test names no time and no route asks for one.
    static let moment = Date(timeIntervalSince1970: 0)

    let query: CallQuery
    /// A route's name, or `refused`.
    let expect: String
    /// The number the first trunk step that can dial one must dial; nil for any.
    let dials: String?
    let hasTime: Bool
    let node: YAMLNode

    /// Reports an error at the test's place if the plan decides otherwise.
    func run(_ plan: Plan, _ problems: ProblemList) {
        let decision = plan.route(query)
        if !hasTime, let route = decision.consultsTime(in: plan) {
            problems.error("this test needs at: a time, for it depends on the hours of “\(route)”", at: node)
            return
        }
        let isMet = expect == Self.refused ? decision.isRefused : decision.route?.name == expect
        guard !isMet else { return checkNumber(decision, problems) }
        let outcome: String
        if let route = decision.route {
            outcome = decision.isRefused ? "route “\(route.name)” refuses the call" : "route “\(route.name)” takes the call"
        } else {
            outcome = "no route takes the call"
        }
        // Of a long plan only the route that was expected is worth a comparison.
        let reason = plan.routes.prefix(decision.index).first { $0.name == expect }.map {
            RouteAttempt(route: expect, mismatch: $0.mismatch(CallFacts(query, from: decision.from, to: decision.to)))
        }
        let why = reason.map { " (\($0.sentence))" } ?? ""
        problems.error("test failed: expected \(YAMLNode.quote(expect)), but \(outcome)\(why)", at: node)
    }
}

extension PlanTest {
    private func checkNumber(_ decision: RouteDecision, _ problems: ProblemList) {
        guard let dials else { return }
        let dialled = decision.steps.lazy.compactMap { step -> String? in
            if case .trunk(let trunk) = step { trunk.dialled(for: decision.to) } else { nil }
        }.first
        guard dialled != dials else { return }
        let found = dialled.map { "dials \($0)" } ?? "dials no number"
        problems.error("test failed: route “\(decision.route?.name ?? "")” takes the call, but \(found), not \(dials)", at: node)
    }
}

extension RouteDecision {
    /// The first route whose hours the decision depended on.
    fileprivate func consultsTime(in plan: Plan) -> String? {
        let call = CallFacts(query, from: from, to: to)
        for route in plan.routes.prefix(index + 1) where route.when.time != nil {
            // The hours are looked at last: a mismatch elsewhere never came to them.
            let mismatch = route.mismatch(call)
            if mismatch == nil || mismatch?.field == .time { return route.name }
        }
        return nil
    }
}

extension PlanLoader {
    func readTest(_ node: YAMLNode, routes: [String: Int]) -> PlanTest? {
        guard case .mapping = node.content else {
            problems.error("a test must be a mapping such as { via: browser, to: demo, expect: demo }, not \(node.quoted)", at: node)
            return nil
        }
        let reader = MappingReader(node, "a test", problems)
        defer { reader.finish() }
        func required(_ key: String) -> YAMLNode? {
            let value = reader.take(key)
            if value == nil { problems.error("a test needs \(key)", at: node) }
            return value
        }
        let via = required("via").flatMap { readSource($0, reader) }
        let from = reader.text("from") ?? ""
        let to = required("to").flatMap { reader.text(of: $0, "to") }
        let expectNode = required("expect")
        let expect = expectNode.flatMap { reader.text(of: $0, "expect") }
        let headers = (reader.entries("header") ?? []).compactMap { entry in
            reader.text(of: entry.value, "header \(entry.key)").map { (name: entry.key, value: $0) }
        }
        let dials = reader.text("dials")
        let at = reader.take("at")
        let time = at.flatMap { readMoment($0, reader) }
        if let expect, let expectNode, expect != PlanTest.refused, routes[expect] == nil {
            problems.error("there is no route \(expectNode.quoted) to expect", at: expectNode)
            return nil
        }
        guard let via, let to, let expect else { return nil }
        let query = CallQuery(via: via, from: from, to: to, headers: headers, time: time ?? PlanTest.moment)
        return PlanTest(query: query, expect: expect, dials: dials, hasTime: at != nil, node: node)
    }

    private func readMoment(_ node: YAMLNode, _ reader: MappingReader) -> Date? {
        guard let text = reader.text(of: node, "at") else { return nil }
        guard let time = RFC3339.parse(text) else {
            problems.error("at must be a time such as 2026-11-22T09:30:00+01:00, not \(node.quoted)", at: node)
            return nil
        }
        return time
    }
}
