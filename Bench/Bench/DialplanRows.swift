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
        return [loading(text), matching(plan), matchingAgainstHash(plan), explaining(plan)]
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

    private static let moment = Date(timeIntervalSince1970: 0)
    /// Spread over the whole plan, the last route included.
    private static let wanted = (0..<queries).map { ($0 + 1) * routes / queries - 1 }

    /// The place of the route that takes a call for one block, from the line it stands in.
    private static func decide(_ plan: Plan, _ route: Int) throws -> Int {
        let decision = plan.route(CallQuery(via: .browser, from: "", to: block(route) + "123", time: moment))
        guard let line = decision.route?.line else { throw BenchFailure("a call went astray") }
        return (line - 2) / 3
    }

    /// Per decision; the other side is a C loop over the patterns.
    private static func matching(_ plan: Plan) -> Comparison {
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
                    for route in wanted { sum += try decide(plan, route) }
                }
            })
    }

    /// Per decision; the other side is one look into a hash table by the block's digits, which is the least that any index can do.
    private static func matchingAgainstHash(_ plan: Plan) -> Comparison {
        let table = Dictionary(uniqueKeysWithValues: (0..<routes).map { (block($0), $0) })
        let numbers = wanted.map { block($0) + "123" }
        return Comparison(
            group: group, name: "route a call, mean over the plan, against a hash lookup", items: queries, rounds: 15, agreement: .yardstick,
            bare: {
                var sum = 0
                return Round(result: { Double(sum) }) {
                    for number in numbers { sum += table[String(number.prefix(9))] ?? 0 }
                }
            },
            ours: {
                var sum = 0
                return Round(result: { Double(sum) }) {
                    for route in wanted { sum += try decide(plan, route) }
                }
            })
    }

    /// Per call that no route takes: why each of the 10,000 did not; the other side is the C loop, which only finds that none does.
    private static func explaining(_ plan: Plan) -> Comparison {
        let patterns = PacketSlab(copying: (0..<routes).map { Array((block($0) + "XXX").utf8) })
        return Comparison(
            group: group, name: "explain a refused call, against a C loop", items: 1, rounds: 9, agreement: .yardstick,
            bare: {
                var found = 0
                return Round(result: { Double(found) }) {
                    patterns.bytes.withMemoryRebound(to: CChar.self, capacity: routes * patterns.stride) { first in
                        found = Int(bench_match(first, Int32(patterns.stride), Int32(routes), "+14169999123"))
                    }
                }
            },
            ours: {
                var tried = 0
                return Round(result: { Double(tried) }) {
                    tried = plan.route(CallQuery(via: .browser, from: "", to: "+14169999123", time: moment)).tried.count
                    guard tried == routes else { throw BenchFailure("a call went astray") }
                }
            })
    }
}
