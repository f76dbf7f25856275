import Testing

@testable import Dialplan

@Suite("Lint of a dial plan")
struct PlanLintTests {
    private static let context = PlanContext(
        trunks: ["acme": "1", "british": "44", "silent": "", "self": ""], agents: ["demo"],
        hosts: [
            "acme": [TrunkTarget(host: "198.51.100.7")], "british": [TrunkTarget(host: "pbx.example", transport: "tcp")], "silent": [],
            "self": [TrunkTarget(host: "192.0.2.1", port: 5070), TrunkTarget(host: "127.0.0.1")],
        ],
        ownAddresses: ["127.0.0.1:5060"])

    /// Routes as a list of one-line mappings, each in its own line from line 2 on.
    private func lint(_ routes: [String], open: Bool = false) -> [String] {
        var context = Self.context
        context.browserIsAuthenticated = !open
        let text = "routes:\n" + routes.map { "- \($0)\n" }.joined()
        let (plan, problems) = Plan.load(text: text, file: "p", context: context)
        #expect(plan != nil)
        return problems.map(\.description)
    }

    private func agent(_ name: String, _ when: String) -> String { "{ name: \(name), when: { \(when) }, do: [{ agent: demo }] }" }
    private func trunk(_ when: String, _ step: String) -> String { "{ name: out, when: { \(when) }, do: [{ \(step) }] }" }

    @Test("routes that are never reached", arguments: [
        (#"to: "+1.""#, #"to: "+1415XXX""#, "“a” takes all of its calls"),
        (#"to: "+1.""#, #"via: acme, from: x, to: "+1415!""#, "“a” takes all of its calls"),
        (#"to: { regex: "\\+1.*" }"#, #"to: "+1415XXX""#, "“a” takes all of its calls"),
        (#"to: "+1.""#, #"to: { regex: "\\+1(415|650)\\d{7}" }"#, "“a” takes all of its calls"),
        (#"from: { regex: "a.*" }"#, #"from: anonymous, to: "1""#, "“a” takes all of its calls"),
        (#"header: { X-A: "XX!" }"#, #"to: "1", header: { x-a: "12", X-B: y }"#, "“a” takes all of its calls"),
        (#"time: { days: mon-fri, zone: Europe/Berlin }"#, #"to: "1", time: { days: tue, hours: "09:00-17:00", zone: Europe/Berlin }"#, "“a” takes all of its calls"),
        (#"time: { hours: "00:00-24:00", zone: UTC }"#, #"to: "1", time: { days: tue, zone: Europe/Berlin }"#, "“a” takes all of its calls"),
        (#"via: acme"#, #"via: acme, to: "1", from: y"#, "“a” takes all of its calls"),
    ])
    func unreachable(first: String, second: String, why: String) {
        #expect(lint([agent("a", first), agent("b", second)]) == ["p:3:3: warning: route “b” is never reached: \(why)"])
    }

    @Test("routes that are reached", arguments: [
        (#"to: "+1415XXX""#, #"to: "+1.""#), (#"via: acme"#, #"to: "1""#), (#"via: acme"#, #"via: british"#), (#"from: x"#, #"to: "1""#),
        (#"header: { X-A: "1" }"#, #"header: { X-B: "1" }"#), (#"header: { X-A: "1" }"#, #"to: "1""#),
        (#"time: { days: mon, zone: UTC }"#, #"time: { days: mon-tue, zone: UTC }"#), (#"time: { days: mon, zone: UTC }"#, #"time: { days: mon, zone: Europe/Berlin }"#),
        (#"time: { days: mon, zone: UTC }"#, #"to: "1""#), (#"to: "+1.""#, #"to: { regex: "\\+1.*" }"#), (#"to: demo"#, #"to: Demo"#),
    ])
    func reachable(first: String, second: String) {
        #expect(lint([agent("a", first), agent("b", second)]) == [])
    }

    @Test("several routes that together leave nothing over, named without those that are not needed")
    func together() {
        let found = lint([
            agent("low", #"to: "+1[0-4]X""#), agent("other", #"to: "+19!""#), agent("high", #"to: "+1[5-9]X""#), agent("b", #"to: "+1XX""#),
            agent("c", #"via: acme, to: "+1XX""#), agent("d", #"to: "+1XXX""#),
        ])
        #expect(found == [
            "p:5:3: warning: route “b” is never reached: “low” and “high” together take all of its calls",
            "p:6:3: warning: route “c” is never reached: “b” takes all of its calls",
        ])
    }

    @Test("every route behind a catch-all is named")
    func catchAll() {
        #expect(lint(["{ name: a, do: [{ agent: demo }] }", agent("b", "to: x"), agent("c", "to: y")]) == [
            "p:3:3: warning: route “b” is never reached: “a” takes every call", "p:4:3: warning: route “c” is never reached: “a” takes every call",
        ])
    }

    @Test("national forms where numbers are compared in the international one", arguments: [
        (#"via: acme, to: "415555XXXX""#, "to", "1"), (#"via: acme, to: "1415555XXXX""#, "to", "1"), (#"via: acme, from: "011!", to: x"#, "", ""),
        (#"via: acme, from: "01144!", to: x"#, "from", "1"), (#"via: british, to: "020XXXXXXXX""#, "to", "44"), (#"to: "0044X.""#, "to", "44"),
        (#"via: british, to: "020 7946 0123""#, "to", "44"), (#"to: "(415) 555-0123""#, "to", "44"), (#"to: "415 555 XXXX""#, "", ""),
        (#"via: british, to: "XXX""#, "", ""), (#"via: acme, to: "911""#, "", ""), (#"to: "4155550123""#, "", ""),
    ])
    func nationalForms(when: String, key: String, country: String) {
        let expected = "p:2:3: warning: route “a” never matches: \(key) is compared with numbers in their international form, such as +\(country)…"
        #expect(lint([agent("a", when)]) == (key.isEmpty ? [] : [expected]))
    }

    @Test("what normalisation changes is exactly what the lint takes it to change", arguments: ["", "1", "44"])
    func changedNumbers(country: String) throws {
        let changed = try #require(PlanLint.changedNumbers(country: country))
        for text in SmallExpression.texts(of: ["0", "1", "5"], upTo: 6) + ["4155550123", "14155550123", "24155550123", "0114412", "415555012"] {
            #expect(changed.matches(text) == (E164.normalise(text, country: country) != text), "\(text)")
        }
    }

    @Test("toll fraud: an open page and any number at all", arguments: [
        ("via: browser", "trunk: british", true), (#"to: "+.""#, "trunk: british", true), (#"via: browser, to: "+XXXXXXXXXXX""#, "trunk: british", true),
        (#"via: browser, to: { regex: "\\+\\d+" }"#, "trunk: british", true), (#"via: browser, to: "+44!""#, "trunk: british", true),
        (#"via: browser, to: "+1NXXNXXXXXX""#, "trunk: british", false), ("via: browser", #"trunk: british, to: "+14155550199""#, false),
        ("via: api", "trunk: british", false), ("via: browser, header: { X-A: b }", "trunk: british", false),
    ])
    func toll(when: String, step: String, expected: Bool) {
        let served = [agent("999", #"to: "999""#), agent("112", #"to: "112""#), agent("mine", "via: british")]
        let found = lint(served + [trunk(when, step)], open: true)
        #expect(found.contains { $0.hasPrefix("p:5:") && $0.contains("toll fraud: whoever opens the page can dial any such number by trunk “british”") } == expected, "\(found)")
        #expect(!lint(served + [trunk(when, step)]).contains { $0.contains("toll fraud") })
        let shielded = lint(["{ name: no, when: { via: browser }, do: [{ reject: 403 }] }"] + served + [trunk("to: \"+.\"", step)], open: true)
        #expect(!shielded.contains { $0.contains("toll fraud") })
    }

    @Test("calls that go round", arguments: [
        (#"to: "+1NXXNXXXXXX""#, "trunk: acme", "this can go round and round: calls that came in by trunk “acme” leave by it with the same number; say via: in when"),
        (#"via: acme, to: "+1NXXNXXXXXX""#, "trunk: [british, acme]",
            "this can go round and round: calls that came in by trunk “acme” leave by it with the same number; say via: in when"),
        (#"via: acme, to: "+1415555XXXX""#, #"trunk: acme, to: "4155550199""#,
            "this can go round and round: “4155550199” is itself a number of route “out”, if trunk “acme” brings it back"),
        (#"via: british, to: "+1NXXNXXXXXX""#, "trunk: acme", ""), (#"via: acme, to: "+1415555XXXX""#, #"trunk: acme, to: "+14155560199""#, ""),
        (#"via: acme, to: "+1NXXNXXXXXX""#, "trunk: acme, strip: 2", ""),
        (#"via: browser, to: "+1NXXNXXXXXX""#, "trunk: self", "trunk “self” leads to this gateway itself (127.0.0.1:5060): such a call comes back in"),
        (#"via: browser, to: "+1NXXNXXXXXX""#, "trunk: silent", "trunk “silent” has no hosts: it can be called from, not dialled"),
        (#"via: browser, to: reception"#, "trunk: british", "this step is always passed over: “reception” is no number; say to: with the number to dial"),
    ])
    func loops(when: String, step: String, expected: String) {
        let served = ["911", "999", "112"].map { agent("e\($0)", "to: \"\($0)\"") }
        let found = lint(served + [trunk(when, step)]).map { $0.split(separator: ": warning: ").last.map(String.init) ?? "" }
        #expect(found == (expected.isEmpty ? [] : [expected]))
    }

    @Test("emergency numbers of a trunk's country, where people can dial out")
    func emergency() {
        let out = trunk(#"via: browser, to: "+44XXXXXXXXXX""#, "trunk: british")
        let sentence = "which callers may dial in the country (+44) of trunk “british”"
        #expect(lint([out]).map { String($0.split(separator: " ", maxSplits: 2)[2]) } == [
            "no route takes the emergency number 999, \(sentence)", "no route takes the emergency number 112, \(sentence)",
        ])
        #expect(lint([agent("help", #"to: "999""#), agent("112", #"to: { regex: "11\\d" }"#), out]) == [])
        #expect(lint([out, agent("rest", "via: phone").replacing("phone", with: "british")]) == [])
        #expect(lint([trunk("via: browser, to: fax", #"trunk: british, to: "+442079460123""#)]) == [])
    }

    @Test("a plan of thousands of routes that all overlap is checked in bounded time")
    func bounded() {
        let overlapping = (0..<150).map { agent("r\($0)", #"from: { regex: "\#(String(repeating: "[0-\($0 % 9 + 1)]", count: 4))\#($0)" }, to: "+1X!""#) }
        #expect(lint(overlapping + [agent("last", #"to: "+1.""#)]) == [])
    }
}
