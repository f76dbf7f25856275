/// What changed from one plan to the next, route by route. Routes are the same if they have the same name.
public struct PlanDiff: Sendable, Equatable, Codable {
    public struct Change: Sendable, Equatable, Codable {
        public let route: String
        /// What is different: `when`, `do` or `max_minutes`.
        public let parts: [String]
    }

    public struct Move: Sendable, Equatable, Codable {
        public let route: String
        /// Places in the old and the new plan, from 1.
        public let from: Int
        public let to: Int
    }

    public let added: [String]
    public let removed: [String]
    public let changed: [Change]
    /// Routes that changed their order among those that are in both plans: as few as explain the new order.
    public let moved: [Move]

    public init(old: Plan, new: Plan) {
        let before = Dictionary(old.routes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        let after = Set(new.routes.map(\.name))
        added = new.routes.map(\.name).filter { before[$0] == nil }
        removed = old.routes.map(\.name).filter { !after.contains($0) }
        let common = new.routes.enumerated().compactMap { place, route in before[route.name].map { (old: $0, new: place, route: route) } }
        changed = common.compactMap { pair in
            let parts = PlanDiff.parts(old.routes[pair.old], pair.route)
            return parts.isEmpty ? nil : Change(route: pair.route.name, parts: parts)
        }
        let kept = PlanDiff.longestIncreasing(common.map(\.old))
        moved = common.enumerated().filter { !kept.contains($0.offset) }.map { _, pair in
            Move(route: pair.route.name, from: pair.old + 1, to: pair.new + 1)
        }
    }

    public var isEmpty: Bool { added.isEmpty && removed.isEmpty && changed.isEmpty && moved.isEmpty }

    /// One line for each route that is not as it was: `+ route “x”`, `- route “x”`, `~ route “x”: when, do`, `^ route “x”: from 3 to 1`.
    public var lines: [String] {
        added.map { "+ route “\($0)”" } + removed.map { "- route “\($0)”" }
            + changed.map { "~ route “\($0.route)”: \($0.parts.joined(separator: ", "))" }
            + moved.map { "^ route “\($0.route)”: from \($0.from) to \($0.to)" }
    }

    private static func parts(_ old: Route, _ new: Route) -> [String] {
        var parts: [String] = []
        if old.when != new.when { parts.append("when") }
        if old.steps != new.steps { parts.append("do") }
        if old.maxMinutes != new.maxMinutes { parts.append("max_minutes") }
        return parts
    }

    /// The indices of one longest increasing run of values, by patience sorting: n log n, for plans have thousands of routes.
    private static func longestIncreasing(_ values: [Int]) -> Set<Int> {
        var tails: [Int] = []
        var previous = [Int?](repeating: nil, count: values.count)
        for (index, value) in values.enumerated() {
            var low = 0, high = tails.count
            while low < high {
                let middle = (low + high) / 2
                if values[tails[middle]] < value { low = middle + 1 } else { high = middle }
            }
            previous[index] = low > 0 ? tails[low - 1] : nil
            if low == tails.count { tails.append(index) } else { tails[low] = index }
        }
        var result: Set<Int> = []
        var cursor = tails.last
        while let index = cursor {
            result.insert(index)
            cursor = previous[index]
        }
        return result
    }
}
