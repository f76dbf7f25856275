import Dialplan
import Foundation

/// Dial plans and patterns as administrators write them, and numbers as callers send them.
enum PlanTarget: FuzzTarget {
    private static let plan = """
        routes:
          - name: support
            when: { via: acme, to: "+1415555XXXX", from: { regex: "^\\\\+1(4|5)[0-9]*$" }, header: { X-Queue: "a." } }
            do: [{ agent: demo, parameters: { queue: a } }, { trunk: acme, to: "+14155550199", strip: 2, prepend: "00" }, { reject: 480 }]
          - name: night
            when: { time: { days: mon-fri, hours: "22:00-06:00", zone: Europe/Berlin } }
            do: [{ play: closed.wav }, { browser: bob }]
        tests:
          - { via: acme, from: "+14155552671", to: "+14155550123", expect: support }
        """

    static var seeds: [[UInt8]] {
        [Array("+14155550123\n".utf8) + Array(plan.utf8), Array("911\nroutes: [{ name: a, when: { to: \"N11\" }, do: [{ reject: 404 }] }]".utf8), Array("x\n- &a [*a]\n{".utf8)]
    }

    static func run(_ input: FuzzInput) {
        var input = input
        let bytes = input.remainder()
        let first = bytes.prefix { $0 != 10 }
        let number = String(decoding: first, as: UTF8.self)
        for pattern in [try? Pattern(number), try? Pattern(regex: number)] { _ = pattern?.matches("+14155550123") }
        _ = RFC3339.parse(number)
        let context = PlanContext(trunks: ["acme": "1"], agents: ["demo"])
        let text = Array(bytes.dropFirst(first.count + 1))
        _ = try? WAVHeader(text, size: text.count)
        guard let plan = Plan.load(bytes: text, file: "dialplan.yaml", context: context).plan else { return }
        _ = plan.route(CallQuery(via: Source("acme"), from: number, to: number, time: Date(timeIntervalSince1970: 1_800_000_000)))
    }
}
