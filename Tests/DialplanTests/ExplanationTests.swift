import Foundation
import Testing

@testable import Dialplan

@Suite("Explanations")
struct ExplanationTests {
    private static let text = #"""
        routes:
          - name: support
            when: { via: acme, to: "+1415555XXXX" }
            do: [{ agent: demo, parameters: { queue: "a b" } }, { reject: 480 }]
          - name: out
            when: { via: browser, to: "+1NXXNXXXXXX" }
            max_minutes: 60
            do: [{ trunk: [acme, backup], strip: 2, prepend: "9#", caller_id: "+14155550100", headers: { X-B: two, X-A: one }, ring_seconds: 20 }]
          - name: short
            when: { via: browser, to: { regex: "\\+?[0-9a-z]{1,40}" } }
            do: [{ trunk: acme, strip: 4 }]
        """#
    private static let context = PlanContext(
        trunks: ["acme": "1", "backup": ""], agents: ["demo"],
        hosts: [
            "acme": [TrunkTarget(host: "198.51.100.7", transport: "udp"), TrunkTarget(host: "2001:db8::1", transport: "tcp")],
            "backup": [TrunkTarget(host: "pbx.example", isSecure: true)],
        ], browserIsAuthenticated: true)

    private func explain(_ via: Source, _ from: String, _ to: String) throws -> Explanation {
        let plan = try #require(Plan.load(text: Self.text, file: "p", context: Self.context).plan)
        return Explanation(plan.route(CallQuery(via: via, from: from, to: to, time: Date(timeIntervalSince1970: 1_795_336_200))))
    }

    @Test("the exact INVITEs of every host, in order")
    func text() throws {
        #expect(try explain(.browser, "1001", "+14155550123").text == """
            via    browser
            from   1001
            to     +14155550123
            time   2026-11-22T08:30:00Z

            route    failed at  wanted  the call has
            support  via        acme    browser
            out      matches

            route  out
            ends after 60 minutes
            1. trunk acme, then backup: dials 9#4155550123
               INVITE sip:9%234155550123@198.51.100.7:5060;transport=udp
               INVITE sip:9%234155550123@[2001:db8::1]:5060;transport=tcp
               INVITE sips:9%234155550123@pbx.example:5061;transport=tls
               caller id +14155550100
               header X-A: one
               header X-B: two
               rings 20 seconds at most
            """)
    }

    @Test("JSON has every key, also those without a value, and reads back as it was")
    func json() throws {
        let explanation = try explain(.trunk("acme"), "(415) 555-0100", "4155550199")
        let json = try explanation.json()
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        #expect(object.keys.sorted() == ["from", "max_minutes", "refusal", "refused", "route", "steps", "time", "to", "tried", "via"])
        #expect(object["refusal"] is NSNull)
        #expect(object["from"] as? [String: String] == ["given": "(415) 555-0100", "e164": "+14155550100"])
        let steps = try #require(object["steps"] as? [[String: Any]])
        #expect(steps.map { $0["kind"] as? String } == ["agent", "reject"])
        #expect(steps[0]["parameters"] as? [String: String] == ["queue": "a b"])
        #expect(try JSONDecoder().decode(Explanation.self, from: Data(json.utf8)) == explanation)
    }

    @Test("each refusal has its own cause, code and sentence", arguments: [
        (Source.api, "x", "no_route", 404), (.browser, "911", "number_too_short", 484), (.browser, "reception", "no_number", 404),
        (.browser, String(repeating: "7", count: 40), "number_too_long", 484),
    ])
    func refusals(via: Source, to: String, cause: String, code: Int) throws {
        let explanation = try explain(via, "", to)
        #expect(explanation.refused)
        #expect(explanation.refusal?.cause == cause)
        #expect(explanation.refusal?.code == code)
        #expect(explanation.text.contains("refused with \(code): \(explanation.refusal?.sentence ?? "?")"))
        #expect(explanation.line.contains("refused with \(code)"))
    }

    @Test("a route that rejects, at once or after trunks that cannot dial, is refused with the plan's code")
    func rejected() throws {
        let plan = try #require(loadPlan(
            "routes: [{ name: a, when: { to: x }, do: [{ reject: 603 }] }, { name: b, when: { to: y }, do: [{ trunk: acme }, { reject: 486 }] }]").plan)
        func refusal(_ to: String) -> RouteRefusal? { plan.route(CallQuery(via: .api, from: "", to: to, time: Date(timeIntervalSince1970: 0))).refusal }
        #expect(refusal("x") == .rejectedByPlan(code: 603))
        #expect(refusal("y") == .rejectedByPlan(code: 486))
        #expect(refusal("z") == .noRoute)
        #expect(Set([RouteRefusal.noRoute, .rejectedByPlan(code: 1), .notDialable(.noNumber), .notDialable(.tooShort), .notDialable(.tooLong)].map(\.cause)).count == 5)
    }

    @Test("a call to a user is explained with its name and how long it may ring")
    func browserStep() throws {
        let plan = try #require(loadPlan("routes: [{ name: a, when: { to: sales }, do: [{ browser: alice, ring_seconds: 20 }, { reject: 480 }] }]").plan)
        let decision = plan.route(CallQuery(via: .trunk("acme"), from: "", to: "sales", time: Date(timeIntervalSince1970: 0)))
        #expect(decision.refusal == nil)
        let step = ExplainedStep(decision.steps[0], decision)
        #expect(step.sentence == "browser alice" && step.user == "alice" && step.ringSeconds == 20)
    }

    @Test("what a caller sent cannot write lines or escapes into the text", arguments: ["a\r\nroute  x", "\u{1B}[2J", "\u{202E}evil", "a\u{0}b", "\u{85}x\u{2028}"])
    func hostileText(to: String) throws {
        let explanation = try explain(.trunk("acme"), to, to)
        let lines = explanation.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 11)
        #expect(explanation.line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\u{85}" && $0 != "\u{2028}" && $0 != "\u{202E}" })
        #expect(explanation.text.unicodeScalars.allSatisfy { $0.value >= 0x20 || $0 == "\n" })
        #expect(explanation.to.given == to)
    }

    @Test("moments print as they are read", arguments: [0, -1, 951_868_799, 1_795_336_200, -62_135_596_800, 253_402_300_799, 4_107_542_400, 68_256_000])
    func moments(seconds: Int) {
        let time = Date(timeIntervalSince1970: TimeInterval(seconds))
        #expect(RFC3339.parse(RFC3339.text(time)) == time)
    }
}
