import Foundation
import Testing

@testable import Dialplan

/// What callers send, and what ends up in plans, that nobody meant: refused or normalised, never dialled.
@Suite("Bad input")
struct BadInputTests {
    private static let text = #"""
        routes:
          - name: blocked
            when: { from: "+1900XXXXXXX" }
            do: [{ reject: 603 }]
          - name: long distance
            when: { to: { regex: "\\+1.*" } }
            do: [{ trunk: acme }]
          - name: rest
            when: { to: { regex: ".*" } }
            do: [{ trunk: acme, strip: 1 }]
        """#

    private func decide(_ via: String, _ from: String, _ to: String) throws -> RouteDecision {
        let plan = try #require(loadPlan(Self.text).plan)
        // As the gateway does with the user parts of SIP URIs.
        return plan.route(
            CallQuery(
                via: Source(via), from: E164.percentDecoded(from), to: E164.percentDecoded(to), time: Date(timeIntervalSince1970: 0)))
    }

    @Test("escapes are decoded once and then normalised like anything else", arguments: [
        ("%2B14155550123", "+14155550123"), ("%2b1%34155550123", "+14155550123"), ("+1%20(415)%20555-0123", "+14155550123"),
        ("4155550123", "+14155550123"), ("01144207946%30123", "+442079460123"),
    ])
    func normalised(to: String, expected: String) throws {
        let decision = try decide("acme", "1001", to)
        #expect(decision.to.e164 == expected)
        #expect(decision.refusal == nil)
    }

    @Test("what is no number is dialled nowhere, whatever pattern lets it through", arguments: [
        "sip:+14155550123@evil.example", "+14155550123@evil.example", "+1415555;phone-context=evil", "+14155550123?Replaces=x", "+1415555%00", "%00",
        "+14155550123%0D%0AVia: evil", "%252B14155550123", "+1415555012\u{663}", "＋１４１５５５５０１２３", "+14155550123,9", "+1415555w123", "+14155550123#", "tel:+14155550123",
        "+1 415\u{A0}555 0123", "+1415555<script>", "+1%2", "", "+", "--", "+1415+5550123",
    ])
    func neverDialled(to: String) throws {
        let decision = try decide("acme", "1001", to)
        #expect(decision.refusal == .notDialable(.noNumber), "\(String(describing: decision.route?.name))")
        #expect(decision.steps.allSatisfy { step in if case .trunk(let trunk) = step { trunk.dialled(for: decision.to) == nil } else { true } })
        #expect(Explanation(decision).steps.allSatisfy { $0.number == nil && ($0.dial ?? []).allSatisfy { $0.targets.isEmpty } })
    }

    @Test("numbers of 200 digits are compared and refused")
    func long() throws {
        let decision = try decide("acme", "1001", "+1" + String(repeating: "4", count: 200))
        #expect(decision.route?.name == "long distance")
        #expect(decision.refusal == .notDialable(.tooLong))
        #expect(decision.refusalCode == 484)
        #expect(Explanation(decision).text.split(separator: "\n").allSatisfy { $0.count < 200 })
    }

    @Test("a blocked caller is blocked in every form of the number", arguments: [
        "+19005550100", "9005550100", "1 (900) 555-0100", "%2B19005550100", "01119005550100", "0019005550100",
    ])
    func blocked(from: String) throws {
        #expect(try decide("acme", from, "+14155550123").route?.name == "blocked")
    }

    @Test("only the escapes a SIP user part needs, and no other character, reach a Request-URI", arguments: [
        ("+14155550123", "+14155550123"), ("*21#", "*21%23"), ("a@b", "a%40b"), ("x;y=z", "x%3By=z"), ("é\r\n", "%C3%A9%0D%0A"), ("a b", "a%20b"),
    ])
    func escaped(number: String, expected: String) {
        #expect(TrunkTarget(host: "h").uri(for: number) == "sip:\(expected)@h:5060;transport=udp")
    }

    @Test("line breaks in a plan's texts", arguments: [
        ("- { name: \"a\\nb\", do: [{ agent: demo }] }", "name must be a single line"),
        ("- { name: a, do: [{ trunk: acme, headers: { X-A: \"b\\nVia: c\" } }] }", "header X-A must be a single line of text"),
        ("- { name: a, do: [{ trunk: acme, headers: { \"X-A\\r\\nVia\": b } }] }", "header cannot be set"),
        ("- { name: a, do: [{ trunk: acme, caller_id: \"1\\r\\nVia: c\" }] }", "caller_id must be a number or a user's name"),
        ("- { name: a, do: [{ trunk: acme, prepend: \"1\\n\" }] }", "prepend must be a number or a user's name"),
        ("- { name: a, do: [{ trunk: acme, to: \"sip:x@y\" }] }", "to must be a number or a user's name"),
        ("- { name: a, when: { header: { \"X\\n\": b } }, do: [{ agent: demo }] }", "is not the name of a header"),
    ])
    func lineBreaks(route: String, message: String) {
        let (plan, problems) = loadPlan("routes:\n\(route)\n")
        #expect(plan == nil)
        #expect(problems.count == 1)
        #expect(problems.first?.contains(message) == true, "\(problems)")
        #expect(problems.allSatisfy { $0.unicodeScalars.allSatisfy { $0.value >= 0x20 } })
    }

    @Test("bombs of a plan: anchors, depth, size", arguments: [
        "routes: &a [*a, *a]\n", "routes: " + String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000),
        "routes:\n" + String(repeating: "- { name: x }\n", count: 400_000),
    ])
    func bombs(text: String) {
        let (plan, problems) = loadPlan(text)
        #expect(plan == nil)
        #expect(!problems.isEmpty)
    }
}
