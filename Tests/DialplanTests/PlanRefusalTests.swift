import Testing

@testable import Dialplan

@Suite("Refusals of a dial plan")
struct PlanRefusalTests {
    /// A route around one `when`.
    private static func when(_ text: String) -> String { "routes:\n- name: a\n  when: \(text)\n  do: [{ agent: demo }]\n" }
    /// A route around one step; the step begins at line 3, column 8.
    private static func step(_ text: String) -> String { "routes:\n- name: a\n  do: [\(text)]\n" }

    @Test("errors carry their exact place", arguments: [
        ("[]", "1:1: error: the dial plan must be a mapping of keys to values, not a list"),
        ("route: []", "1:1: error: unknown key “route” in the dial plan (did you mean routes?)"),
        ("routes: demo", "1:9: error: routes must be a list, not “demo”"),
        ("routes: [demo]", "1:10: error: a route must be a mapping of keys to values, not “demo”"),
        ("routes:\n- do: [{ agent: demo }]\n", "2:3: error: a route needs a name"),
        ("routes:\n- name: \"a\\r\\nb\"\n  do: [{ agent: demo }]\n", "2:9: error: name must be a single line of at most 100 bytes, not “a\u{FFFD}\u{FFFD}b”"),
        ("routes:\n- { name: a, max_minutes: 0, do: [{ agent: demo }] }\n", "2:27: error: max_minutes must be 1 to 10080, not “0”"),
        ("routes:\n- name: a\n", "2:3: error: a route needs do: a list with at least one step"),
        ("routes:\n- name: a\n  do: []\n", "2:3: error: a route needs do: a list with at least one step"),
        ("routes:\n- name: a\n  do: demo\n", "3:7: error: do must be a list, not “demo”"),
        ("routes:\n- name:\n  do: [{ agent: demo }]\n", "2:8: error: name has no value"),
        ("routes:\n- name: refused\n  do: [{ agent: demo }]\n",
            "2:9: error: a route cannot be called “refused”, which is what tests expect of calls that are not taken"),
        ("routes:\n- { name: a, do: [{ agent: demo }], when: { to: x } }\n- { name: a, do: [{ agent: demo }] }\n",
            "3:11: error: a route called “a” is already in line 2"),
        (when("{ vai: acme }"), "3:11: error: unknown key “vai” in when (did you mean via?)"),
        (when("{ via: amce }"), "3:16: error: via must be a trunk's name, browser or api; there is no trunk “amce”"),
        (when("{ via: [acme] }"), "3:16: error: via must be a single value, not a list"),
        (when("acme"), "3:9: error: when must be a mapping of keys to values, not “acme”"),
        (when("{ to: \"+1[2-\" }"), "3:15: error: the pattern “+1[2-” has a [ without its ]"),
        (when("{ from: { regex: \"a(b\" } }"), "3:26: error: the regex “a(b” has a ( without its ) (at its character 2)"),
        (when("{ from: { regxe: x } }"), "3:19: error: unknown key “regxe” in from (did you mean regex?)"),
        (when("{ header: { X-A: { } } }"), "3:26: error: header X-A must be a pattern, a name or { regex: … }"),
        (when("{ header: { \"X A\": b } }"), "3:21: error: “X A” is not the name of a header"),
        (when("{ to: }"), "3:15: error: to has no value"),
        (when("{ time: { days: mon } }"), "3:17: error: time needs a zone, such as America/New_York"),
        (when("{ time: { zone: UTC } }"), "3:17: error: time needs days or hours"),
        (when("{ time: { days: noday, zone: UTC } }"), "3:17: error: days must be written like mon-fri or sat,sun, not “noday”"),
        (when("{ time: { hours: 9-17, zone: UTC } }"), "3:17: error: hours must be written like 09:00-17:00, not “9-17”"),
        (step("demo"), "3:8: error: a step must be a mapping such as { agent: demo }, not “demo”"),
        (step("{ parameters: {} }"), "3:8: error: a step has no of agent, trunk, browser, play or reject"),
        (step("{ agent: demo, reject: 480 }"), "3:8: error: a step has more than one of agent, trunk, browser, play or reject"),
        (step("{ agent: dmeo }"), "3:17: error: there is no agent “dmeo” (did you mean demo?)"),
        (step("{ agent: asistant }"), "3:17: error: there is no agent “asistant” (did you mean assistant?)"),
        (step("{ agent: demo, strip: 1 }"), "3:23: error: unknown key “strip” in the agent step (known here: agent, parameters, barge_in, record)"),
        (step("{ agent: demo, parameters: { a: [1] } }"), "3:40: error: parameter “a” must be a single value, not a list"),
        (step("{ agent: demo, barge_in: always }"), "3:33: error: barge_in must be off, report, duck or flush, not “always”"),
        (step("{ agent: demo, record: yes }"), "3:31: error: record must be true or false, not “yes”"),
        (step("{ reject: 200 }"), "3:18: error: reject must be 400 to 699, not “200”"),
        (step("{ reject: 4e2 }"), "3:18: error: reject must be a whole number, not “4e2”"),
        (step("{ reject: \"\" }"), "3:18: error: reject has no value"),
    ])
    func refused(text: String, expected: String) {
        let (plan, problems) = loadPlan(text)
        #expect(plan == nil)
        #expect(problems == ["plan.yaml:\(expected)"])
    }

    @Test("errors of a trunk step", arguments: [
        ("{ trunk: amce }", "3:17: error: there is no trunk “amce” (did you mean acme?)"),
        ("{ trunk: [] }", "3:17: error: trunk needs at least one name"),
        ("{ trunk: acme, to: \"+1415;x=y\" }", "3:27: error: to must be a number or a user's name, not “+1415;x=y”"),
        ("{ trunk: acme, to: \"1\", strip: 2 }", "3:39: error: to dials its own number: strip and prepend do not go with it"),
        ("{ trunk: acme, strip: -1 }", "3:30: error: strip must be a whole number, not “-1”"),
        ("{ trunk: acme, strip: 33 }", "3:30: error: strip must be 0 to 32, not “33”"),
        ("{ trunk: acme, headers: { Via: x } }", "3:34: error: a call's “Via” header cannot be set"),
        ("{ trunk: acme, headers: { X-A: \"a\\r\\nVia: b\" } }", "3:39: error: header X-A must be a single line of text"),
        ("{ trunk: acme, ring_seconds: 0 }", "3:37: error: ring_seconds must be 1 to 600, not “0”"),
        ("{ trunk: acme, caller_id: \"a b\" }", "3:34: error: caller_id must be a number or a user's name, not “a b”"),
    ])
    func trunkSteps(text: String, expected: String) {
        let (plan, problems) = loadPlan(Self.step(text))
        #expect(plan == nil)
        #expect(problems == ["plan.yaml:\(expected)"])
    }

    @Test("a browser step names a user", arguments: [
        ("{ browser: \"\" }", "3:19: error: browser has no value"),
        ("{ browser: \" alice\" }", "3:19: error: browser must name a user in at most 64 bytes, not “ alice”"),
        ("{ browser: alice, ring_seconds: 0 }", "3:40: error: ring_seconds must be 1 to 600, not “0”"),
        ("{ browser: alice, record: yes }", "3:34: error: record must be true or false, not “yes”"),
        ("{ browser: alice, to: \"+1\" }", "3:26: error: unknown key “to” in the browser step (known here: browser, ring_seconds, record)"),
    ])
    func browserSteps(text: String, expected: String) {
        let (plan, problems) = loadPlan(Self.step(text))
        #expect(plan == nil)
        #expect(problems == ["plan.yaml:\(expected)"])
    }

    @Test("a browser step is read")
    func browserStep() throws {
        let (plan, problems) = loadPlan(Self.step("{ browser: alice, ring_seconds: 20, record: true }, { browser: Zoë O'Hara }"))
        #expect(problems.isEmpty)
        let route = try #require(plan).routes[0]
        #expect(route.steps == [.browser(BrowserStep(user: "alice", ringSeconds: 20, record: true)), .browser(BrowserStep(user: "Zoë O'Hara"))])
    }

    @Test("steps are read and typed")
    func steps() throws {
        let (plan, problems) = loadPlan(Self.step(
            """
            { trunk: [acme, british], strip: 2, prepend: "0", caller_id: "+14155550100", headers: { X-A: b }, ring_seconds: 20, record: true },
              { play: hello.wav }, { agent: demo, barge_in: duck, record: true }, { reject: 486 }
            """))
        #expect(problems.isEmpty)
        #expect(try #require(plan).routes[0].steps == [
            .trunk(TrunkStep(
                trunks: ["acme", "british"], strip: 2, prepend: "0", callerID: "+14155550100", headers: ["X-A": "b"], ringSeconds: 20, record: true)),
            .play(file: "hello.wav"), .agent(AgentStep(name: "demo", bargeIn: .duck, record: true)), .reject(code: 486),
        ])
    }

    @Test("what can never happen is warned of", arguments: [
        ("routes:\n- { name: a, do: [{ agent: demo }] }\n- { name: b, when: { to: x }, do: [{ agent: demo }] }\n",
            "3:3: warning: route “b” is never reached: “a” takes every call"),
        ("routes:\n- { name: a, when: { to: x }, do: [{ agent: demo }] }\n- { name: b, when: { to: x }, do: [{ agent: demo }] }\n",
            "3:3: warning: route “b” is never reached: “a” takes the same calls"),
        (step("{ reject: 480 }, { agent: demo }"), "3:25: warning: this step is never reached: reject ends the call"),
        (when("{ to: \"+1415555xxxx\" }"), "3:15: warning: to “+1415555xxxx” is compared as a name, for it has characters that no pattern has"),
    ])
    func warnings(text: String, expected: String) {
        let (plan, problems) = loadPlan(text)
        #expect(plan != nil)
        #expect(problems == ["plan.yaml:\(expected)"])
    }

    @Test("the plan's own tests fail where they stand", arguments: [
        ("{ via: acme, to: other, expect: a }", "5:3: error: test failed: expected “a”, but no route takes the call (“a”: to is other, not x)"),
        ("{ via: acme, to: x, expect: refused }", "5:3: error: test failed: expected “refused”, but route “a” takes the call"),
        ("{ via: acme, to: y, expect: a }", "5:3: error: test failed: expected “a”, but route “b” refuses the call (“a”: to is y, not x)"),
        ("{ via: acme, to: z, expect: refused }", "5:3: error: this test needs at: a time, for it depends on the hours of “c”"),
        ("{ via: acme, to: x, expect: d }", "5:31: error: there is no route “d” to expect"),
        ("{ via: acme, to: x }", "5:3: error: a test needs expect"),
        ("{ to: x, expect: a }", "5:3: error: a test needs via"),
        ("{ via: acme, expect: a }", "5:3: error: a test needs to"),
        ("{ via: acme, to: x, expect: a, at: noon }", "5:38: error: at must be a time such as 2026-11-22T09:30:00+01:00, not “noon”"),
        ("{ via: acme, to: x, expect: a, when: now }", "5:34: error: unknown key “when” in a test (known here: via, from, to, expect, header, dials, at)"),
        ("x", "5:3: error: a test must be a mapping such as { via: browser, to: demo, expect: demo }, not “x”"),
    ])
    func tests(test: String, expected: String) {
        let text = """
            routes: [{ name: a, when: { to: x }, do: [{ agent: demo }] }, { name: b, when: { to: y }, do: [{ reject: 480 }] },
              { name: c, when: { to: z, time: { days: mon, zone: UTC } }, do: [{ agent: demo }] }]

            tests:
            - \(test)
            """
        let (plan, problems) = loadPlan(text)
        #expect(plan == nil)
        #expect(problems == ["plan.yaml:\(expected)"])
    }

    @Test("all problems at once, in the order of the file")
    func allAtOnce() {
        let (_, problems) = loadPlan(
            "routes:\r\n- name: a\r\n  when: { via: x, to: \"]\" }\r\n  do: [{ agent: y }, { reject: 1 }]\r\n  name: b\r\nextra: 1\r\ntests: [{ expect: a }]\r\n")
        #expect(problems.map { $0.split(separator: " ")[0] } == [
            "plan.yaml:3:16:", "plan.yaml:3:23:", "plan.yaml:4:17:", "plan.yaml:4:32:", "plan.yaml:5:3:", "plan.yaml:6:1:", "plan.yaml:7:9:", "plan.yaml:7:9:",
        ])
    }

    @Test("an empty plan is a plan that takes no call")
    func empty() {
        #expect(loadPlan("").plan == .empty || loadPlan("").plan?.routes.isEmpty == true)
        #expect(loadPlan("").problems.isEmpty)
    }

    @Test("a strict check takes a warning for an error, at the same place")
    func strict() {
        let warning = Problem(file: "f", line: 1, column: 2, severity: .warning, message: "m")
        #expect(warning.asError.description == "f:1:2: error: m")
    }

    @Test("a book of mistakes is cut")
    func cut() {
        let text = "routes:\n" + String(repeating: "- 1\n", count: 1000)
        #expect(loadPlan(text).problems.count == ProblemList.limit)
        #expect(loadPlan(text).plan == nil)
    }
}
