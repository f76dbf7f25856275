import Foundation
import Testing

@testable import Dialplan

@Suite("What if, and what changed")
struct WhatIfTests {
    private func plan(_ routes: String) throws -> Plan {
        try #require(Plan.load(text: "routes: [\(routes)]", file: "p", context: Self.context).plan)
    }

    private static let context = PlanContext(
        trunks: ["acme": "1", "british": "44"], agents: ["demo", "assistant"],
        hosts: ["acme": [TrunkTarget(host: "198.51.100.7")], "british": [TrunkTarget(host: "198.51.100.8")]])

    private func call(_ id: Int, _ to: String, via: String = "browser", route: String? = nil) -> PastCall {
        PastCall(
            id: "c\(id)", via: via, from: "1001", to: to, headers: [.init(name: "X-A", value: "b")], time: Date(timeIntervalSince1970: 0), route: route,
            outcome: "caller_hangup")
    }

    @Test("calls are grouped by their change, the largest group first")
    func groups() throws {
        let before = try plan("{ name: out, when: { to: \"+1.\" }, do: [{ trunk: acme }] }, { name: demo, when: { to: demo }, do: [{ agent: demo }] }")
        let after = try plan(
            "{ name: west, when: { to: \"+1415.\" }, do: [{ trunk: british }] }, { name: out, when: { to: \"+1.\" }, do: [{ trunk: acme, strip: 2 }] }, "
                + "{ name: demo, when: { to: demo }, do: [{ agent: demo }] }, { name: new, when: { to: new, header: { X-A: b } }, do: [{ agent: assistant }] }")
        let calls = (0..<7).map { call($0, "+1415555000\($0)") } + [call(7, "+12125550100"), call(8, "demo"), call(9, "new"), call(10, "nobody")]
        let report = WhatIf.compare(calls: calls, before: before, after: after)
        #expect(report.total == 11)
        #expect(report.unchanged == 2)
        #expect(report.changes.map(\.count) == [7, 1, 1])
        #expect(report.changes[0].before == .init(route: "out", target: "trunk acme"))
        #expect(report.changes[0].after == .init(route: "west", target: "trunk british"))
        #expect(report.changes[0].differs == ["route", "target"])
        #expect(report.changes[0].examples.map(\.id) == ["c0", "c1", "c2", "c3", "c4"])
        #expect(report.changes[1].differs == ["number"])
        #expect(report.changes[1].examples[0].before == ["+12125550100"])
        #expect(report.changes[1].examples[0].after == ["2125550100"])
        #expect(report.changes[2].before.target == "refused with 404: no route takes the call")
        #expect(report.text.hasPrefix("""
            11 calls looked at: 2 unchanged, 9 would change

            7 calls: route, target
              from “out” (trunk acme)
              to   “west” (trunk british)
                browser: 1001 to +14155550000
            """))
        #expect(report.text.contains("    and 2 more\n"))
        #expect(report.text.contains("    browser: 1001 to +12125550100, dialled +12125550100, then 2125550100"))
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(WhatIfReport.self, from: data) == report)
    }

    @Test("every part of a step that differs is named", arguments: [
        ("trunk: acme, caller_id: \"1\"", "caller_id"), ("trunk: acme, headers: { X-B: c }", "headers"), ("trunk: acme, ring_seconds: 9", "ring_seconds"),
        ("trunk: acme, to: \"5\"", "number"), ("trunk: british", "target"),
    ])
    func parts(step: String, expected: String) throws {
        let before = try plan("{ name: out, do: [{ trunk: acme }] }"), after = try plan("{ name: out, do: [{ \(step) }] }")
        #expect(WhatIf.compare(calls: [call(1, "+12125550100")], before: before, after: after).changes.map(\.differs) == [[expected]])
    }

    @Test("other parameters, another limit and another host count too")
    func others() throws {
        let before = try plan("{ name: a, do: [{ agent: demo, parameters: { a: b } }] }")
        let after = try plan("{ name: a, max_minutes: 5, do: [{ agent: demo }] }")
        #expect(WhatIf.compare(calls: [call(1, "x")], before: before, after: after).changes.map(\.differs) == [["parameters", "max_minutes"]])
        let text = "routes: [{ name: out, do: [{ trunk: acme }] }]"
        var context = Self.context
        context.hosts = ["acme": [TrunkTarget(host: "198.51.100.9")]]
        let moved = try #require(Plan.load(text: text, file: "p", context: context).plan)
        let there = try #require(Plan.load(text: text, file: "p", context: Self.context).plan)
        #expect(WhatIf.compare(calls: [call(1, "+12125550100")], before: there, after: moved).changes.map(\.differs) == [["host"]])
    }

    @Test("without a plan to compare with, the recorded route counts")
    func recorded() throws {
        let after = try plan("{ name: demo, when: { to: demo }, do: [{ agent: demo }] }")
        let report = WhatIf.compare(
            calls: [call(1, "demo", route: "demo"), call(2, "demo", route: "old"), call(3, "x", route: nil)], before: nil, after: after)
        #expect(report.unchanged == 2)
        #expect(report.changes.map(\.before) == [.init(route: "old", target: "not recorded")])
    }

    @Test("the country of a call's trunk is the plan's, not the record's")
    func country() throws {
        let after = try plan("{ name: out, when: { via: acme, to: \"+1.\" }, do: [{ agent: demo }] }")
        #expect(WhatIf.compare(calls: [call(1, "4155550100", via: "acme", route: "out")], before: nil, after: after).unchanged == 1)
    }

    @Test("a diff names what was added, removed, changed and moved")
    func diff() throws {
        let names = { (list: [String]) in list.map { "{ name: \($0), when: { to: x\($0) }, do: [{ agent: demo }] }" }.joined(separator: ", ") }
        let old = try plan(names(["a", "b", "c", "d", "e"]))
        let new = try plan(
            names(["e", "a"]) + ", { name: c, when: { to: xc }, max_minutes: 3, do: [{ agent: assistant }] }, { name: d, when: { to: y }, do: [{ agent: demo }] }, "
                + names(["f"]))
        let diff = PlanDiff(old: old, new: new)
        #expect(diff.lines == ["+ route “f”", "- route “b”", "~ route “c”: do, max_minutes", "~ route “d”: when", "^ route “e”: from 5 to 1"])
        #expect(!diff.isEmpty)
        #expect(PlanDiff(old: old, new: old).isEmpty)
        #expect(PlanDiff(old: old, new: old).lines == [])
        #expect(try JSONDecoder().decode(PlanDiff.self, from: JSONEncoder().encode(diff)) == diff)
    }

    @Test("a line more above a route is no change")
    func lines() throws {
        #expect(PlanDiff(old: try plan("{ name: a, do: [{ agent: demo }] }"), new: try plan("\n\n{ name: a, do: [{ agent: demo }] }")).isEmpty)
    }
}
