import CBench
import Dialplan
import Foundation
import Yams

/// A dial plan of 10,000 routes, each for a block of a thousand numbers, asked for calls spread over all of it.
struct DialplanRows {
    private static let routes = 10_000
    private static let queries = 20
    private static let group = "dial plan of 10,000 routes"

    static func rows() throws -> [Comparison] {
        let text = makeText()
        let plan = try load(text)
        return [loading(text), matching(plan)]
    }

    private static func block(_ route: Int) -> String {
        let digits = String(route)
        return "+1415" + String(repeating: "0", count: 4 - digits.count) + digits
    }

    private static func makeText() -> String {
        "routes:\n" + (0..<routes).map { "  - name: r\($0)\n    when: { to: \"\(block($0))XXX\" }\n    do: [{ agent: demo }]\n" }.joined()
    }

    private static func load(_ text: String) throws -> Plan {
        let (plan, problems) = Plan.load(text: text, file: "bench.yaml", context: PlanContext(trunks: [:], agents: ["demo"]))
        guard let plan, plan.routes.count == routes else {
            throw BenchFailure("the plan does not load: \(problems.first.map(String.init(describing:)) ?? "routes are missing")")
        }
        return plan
    }

    /// Per route; the other side is libyaml composing the same text, by Yams with the loader's resolver, without reading any meaning.
    private static func loading(_ text: String) -> Comparison {
        Comparison(
            group: group, name: "load, per route, against libyaml (Yams)", items: routes, rounds: 3, agreement: .yardstick,
            bare: {
                var nodes = 0
                return Round(result: { Double(nodes) }) {
                    let parser = try Yams.Parser(yaml: text, resolver: .basic, encoding: .utf8)
                    nodes = try parser.singleRoot()?["routes"]?.sequence?.count ?? 0
                    guard nodes == routes else { throw BenchFailure("Yams found \(nodes) routes") }
                }
            },
            ours: {
                var found = 0
                return Round(result: { Double(found) }) { found = try load(text).routes.count }
            })
    }

    /// Per decision; the other side is a C loop over the patterns, which says which one matches and not why the others do not.
    private static func matching(_ plan: Plan) -> Comparison {
        let wanted = (0..<queries).map { ($0 + 1) * routes / queries - 1 }
        let moment = Date(timeIntervalSince1970: 0)
        let patterns = PacketSlab(copying: (0..<routes).map { Array((block($0) + "XXX").utf8) })
        return Comparison(
            group: group, name: "route a call, mean over the plan, against a C loop", items: queries, rounds: 9,
            bare: {
                var sum = 0
                return Round(result: { Double(sum) }) {
                    patterns.bytes.withMemoryRebound(to: CChar.self, capacity: routes * patterns.stride) { first in
                        for route in wanted {
                            sum += Int(bench_match(first, Int32(patterns.stride), Int32(routes), block(route) + "123"))
                        }
                    }
                }
            },
            ours: {
                var sum = 0
                return Round(result: { Double(sum) }) {
                    for route in wanted {
                        let decision = plan.route(CallQuery(via: .browser, from: "", to: block(route) + "123", time: moment))
                        guard decision.route?.name == "r\(route)" else { throw BenchFailure("a call went astray") }
                        sum += decision.tried.count - 1
                    }
                }
            })
    }
}
