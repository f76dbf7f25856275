import Foundation
import Testing

@testable import Dialplan

let sampleContext = PlanContext(trunks: ["acme": "1", "british": "44", "phone": ""], agents: ["demo", "assistant"], browserIsAuthenticated: true)

func loadPlan(_ text: String) -> (plan: Plan?, problems: [String]) {
    let (plan, problems) = Plan.load(text: text, file: "plan.yaml", context: sampleContext)
    return (plan, problems.map(\.description))
}

@Suite("Decisions")
struct DecisionTests {
    private static let text = """
        routes:
          - name: support line
            when: { via: acme, to: "+1415555XXXX" }
            do:
              - agent: assistant
                parameters: { queue: support, "language": en-GB }
              - reject: 480
          - name: gold
            when: { via: british, from: "+44.", header: { X-Tier: gold, x-queue: "[1-3]" } }
            do: [{ agent: demo, barge_in: off, record: false }]
          - name: office hours
            when: { to: "100", time: { days: mon-fri, hours: "09:00-17:00", zone: Europe/Berlin } }
            do: [{ agent: demo }]
          - name: blocked
            when: { from: anonymous }
            do: [{ reject: 603 }]
          - name: demo
            when: { to: demo }
            do: [{ agent: demo }]
        tests:
          - { via: acme, from: "4155552671", to: "4155550123", expect: support line }
          - { via: browser, to: "+447700900123", expect: refused }
          - { via: api, from: anonymous, to: demo, expect: refused }
          - { via: phone, to: "100", at: "2026-11-23T09:00:00+01:00", expect: office hours }
          - { via: phone, to: "100", at: "2026-11-23T08:59:00+01:00", expect: refused }
          - { via: british, from: "020 7946 0123", to: x, header: { X-Tier: gold, X-Queue: "2" }, expect: gold }
        """
    private let moment = Date(timeIntervalSince1970: 0)

    private func plan() throws -> Plan {
        let (plan, problems) = loadPlan(Self.text)
        #expect(problems == [])
        return try #require(plan)
    }

    @Test("the first match takes the call, with its steps in order")
    func firstMatch() throws {
        let decision = try plan().route(CallQuery(via: .trunk("acme"), from: "4155552671", to: "(415) 555-0123", time: moment))
        #expect(decision.route?.name == "support line")
        #expect(decision.from == NormalisedNumber(given: "4155552671", e164: "+14155552671"))
        #expect(decision.to == NormalisedNumber(given: "(415) 555-0123", e164: "+14155550123"))
        #expect(decision.steps == [.agent(AgentStep(name: "assistant", parameters: ["queue": "support", "language": "en-GB"])), .reject(code: 480)])
        #expect(!decision.isRefused)
        #expect(decision.refusalCode == nil)
        #expect(decision.tried.map(\.sentence) == ["“support line”: matches"])
    }

    @Test("no match is a 404, with the field every route failed at")
    func explanation() throws {
        let decision = try plan().route(CallQuery(via: .browser, from: "", to: "100", time: moment))
        #expect(decision.route == nil)
        #expect(decision.steps.isEmpty)
        #expect(decision.refusalCode == 404)
        #expect(decision.tried.map(\.sentence) == [
            "“support line”: via is browser, not acme", "“gold”: via is browser, not british",
            "“office hours”: time is thu 01:00, not mon-fri 09:00-17:00 Europe/Berlin", "“blocked”: from is , not anonymous",
            "“demo”: to is 100, not demo",
        ])
    }

    @Test("a route that rejects gives its code")
    func rejected() throws {
        let decision = try plan().route(CallQuery(via: .browser, from: "anonymous", to: "demo", time: moment))
        #expect(decision.isRefused)
        #expect(decision.refusalCode == 603)
    }

    @Test("headers compare their names without case, any of several values counts, absent ones fail")
    func headers() throws {
        var query = CallQuery(via: .trunk("british"), from: "02079460123", to: "x", time: moment)
        #expect(try plan().route(query).tried[1].sentence == "“gold”: header X-Tier is absent, not gold")
        query.headers = [("x-tier", "silver"), ("X-TIER", "gold"), ("X-Queue", "3")]
        #expect(try plan().route(query).route?.name == "gold")
        query.headers = [("X-Tier", "gold"), ("X-Queue", "4")]
        #expect(try plan().route(query).tried[1].mismatch?.field == .header("x-queue"))
    }

    @Test("the trunk's country counts, browsers and the API have none")
    func countries() throws {
        let plan = try plan()
        #expect(plan.route(CallQuery(via: .trunk("british"), from: "", to: "020 7946 0123", time: moment)).to.e164 == "+442079460123")
        #expect(plan.route(CallQuery(via: .browser, from: "", to: "020 7946 0123", time: moment)).to.e164 == "02079460123")
        #expect(plan.route(CallQuery(via: .trunk("unknown"), from: "", to: "02079460123", time: moment)).to.e164 == "02079460123")
    }

    @Test("hostile numbers are compared, not trusted", arguments: [
        String(repeating: "9", count: 200), "+" + String(repeating: "1", count: 100_000), "\u{0}", "٠١٢", "demo\n", "de%6Do", "../demo", "👩‍👩‍👧",
    ])
    func hostile(number: String) throws {
        let decision = try plan().route(CallQuery(via: .browser, from: number, to: number, time: moment))
        #expect(decision.route == nil)
        #expect(decision.to.given == number)
    }

    @Test("ten thousand routes load and the last one is found")
    func many() throws {
        var text = "routes:\n"
        for number in 0..<10_000 {
            text += "  - { name: r\(number), when: { to: \"+1\(1_000_000 + number)\" }, do: [{ agent: demo }] }\n"
        }
        let (plan, problems) = loadPlan(text)
        #expect(problems.isEmpty)
        let decision = try #require(plan).route(CallQuery(via: .browser, from: "", to: "+11009999", time: moment))
        #expect(decision.route?.name == "r9999")
        #expect(decision.tried.count == 10_000)
    }

    @Test("numbers to dial are made of the plan's text and the call's digits", arguments: [
        (TrunkStep(trunks: ["acme"], to: "+14155550199"), "+49301", "+14155550199"),
        (TrunkStep(trunks: ["acme"], strip: 2, prepend: "9"), "+14155550123", "94155550123"),
        (TrunkStep(trunks: ["acme"]), "+14155550123", "+14155550123"),
        (TrunkStep(trunks: ["acme"], strip: 3), "911", nil),
        (TrunkStep(trunks: ["acme"]), "demo;transport=tcp@evil", nil),
        (TrunkStep(trunks: ["acme"]), "+", nil),
    ] as [(TrunkStep, String, String?)])
    func dialled(step: TrunkStep, called: String, expected: String?) {
        #expect(step.dialled(for: NormalisedNumber(given: called, e164: called)) == expected)
    }
}
