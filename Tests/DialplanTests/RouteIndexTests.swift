import Foundation
import Testing

@testable import Dialplan

@Suite("Index of routes")
struct RouteIndexTests {
    private static let patterns = ["X", "XX", "+1X", "+1.", "+1!", "12", "1.", "demo", "N!", "[0-5]X", "de", "."]
    private static let expressions = ["1.*", "d(emo)?", ".*", #"\+1\d"#, "[a-z]+"]
    private static let texts = ["", "1", "12", "5", "55", "+1", "+12", "+123", "demo", "d", "de", "+", "x\u{0}", "١"]
    private static let sources: [Source] = [.browser, .api, .trunk("acme"), .trunk("phone")]

    private func randomPattern(_ generator: inout SeededGenerator) throws -> Pattern? {
        switch Int.random(in: 0...5, using: &generator) {
        case 0, 1: return nil
        case 2: return try Pattern(regex: Self.expressions.randomElement(using: &generator) ?? ".")
        default: return try Pattern(Self.patterns.randomElement(using: &generator) ?? "X")
        }
    }

    private func randomPlan(_ generator: inout SeededGenerator) throws -> Plan {
        let routes = try (0..<Int.random(in: 0...25, using: &generator)).map { number in
            var when = When()
            when.via = Bool.random(using: &generator) ? Self.sources.randomElement(using: &generator) : nil
            when.from = try randomPattern(&generator)
            when.to = try randomPattern(&generator)
            if Int.random(in: 0...5, using: &generator) == 0 { when.headers = [.init(name: "X-A", pattern: try Pattern("X"))] }
            if Int.random(in: 0...5, using: &generator) == 0 { when.time = try TimeWindow(days: "mon", hours: nil, zone: "UTC") }
            return Route(name: "r\(number)", when: when, steps: [.reject(code: 480)], line: number + 1)
        }
        return Plan(routes: routes, testCount: 0, context: PlanContext(trunks: ["acme": "1", "phone": ""], agents: []))
    }

    @Test("index, a look at every route, and the explanation's last line decide alike")
    func property() throws {
        var generator = SeededGenerator(seed: 5)
        var matched = 0
        for _ in 0..<120 {
            let plan = try randomPlan(&generator)
            for _ in 0..<25 {
                let query = CallQuery(
                    via: Self.sources.randomElement(using: &generator) ?? .api, from: Self.texts.randomElement(using: &generator) ?? "",
                    to: Self.texts.randomElement(using: &generator) ?? "",
                    headers: Bool.random(using: &generator) ? [("x-a", "1")] : [],
                    time: Date(timeIntervalSince1970: TimeInterval(Int.random(in: 0...14, using: &generator) * 86_400)))
                let decision = plan.route(query)
                let call = CallFacts(query, from: decision.from, to: decision.to)
                let linear = plan.routes.first { $0.mismatch(call) == nil }
                #expect(decision.route?.name == linear?.name)
                let tried = decision.tried
                #expect(tried.dropLast().allSatisfy { $0.mismatch != nil })
                if let route = decision.route {
                    matched += 1
                    #expect(tried.last == RouteAttempt(route: route.name, mismatch: nil))
                } else {
                    #expect(tried.count == plan.routes.count)
                    #expect(tried.allSatisfy { $0.mismatch != nil })
                }
                let explanation = Explanation(decision)
                #expect(explanation.route == decision.route?.name)
                #expect(explanation.refusal?.code == decision.refusalCode)
                #expect(explanation.tried.map(\.sentence) == tried.map(\.sentence))
            }
        }
        #expect(matched > 500)
    }

    @Test("two patterns with a common match always meet in the tree")
    func overlap() throws {
        var generator = SeededGenerator(seed: 6)
        let texts = Self.texts + SmallExpression.texts(of: ["0", "1", "5"], upTo: 3).flatMap { [$0, "+" + $0] }
        for _ in 0..<150 {
            var tree = PatternTree()
            let patterns = try (0..<10).compactMap { _ in try randomPattern(&generator) }
            for (index, pattern) in patterns.enumerated() { tree.insert(pattern, index) }
            guard let probe = try randomPattern(&generator) else { continue }
            var found: [Int] = []
            tree.collect(overlapping: probe, into: &found)
            #expect(Set(found).count == found.count)
            for (index, pattern) in patterns.enumerated() where texts.contains(where: { probe.matches($0) && pattern.matches($0) }) {
                #expect(found.contains(index), "\(probe) and \(pattern)")
            }
            for text in texts {
                var hits: [Int] = []
                tree.collect(text.utf8, into: &hits)
                for (index, pattern) in patterns.enumerated() where pattern.matches(text) { #expect(hits.contains(index)) }
            }
        }
    }
}
