/// Which of the routes seen so far take every call of a condition, alone or together.
struct Coverage {
    /// For a whole plan: less than a second's work at the very most, which only a plan made for it needs.
    private static let wholeBudget = 2_000_000
    /// For one route.
    private static let budgetPerRoute = 400_000
    /// Up to so many routes that cover another together, those that are not needed for it are left out of the message.
    private static let reducible = 16

    private let routes: [Route]
    private var byCalled = PatternTree()
    private var byCaller = PatternTree()
    /// Routes with neither `to` nor `from`.
    private var always: [Int] = []
    private var budget = Containment.Budget(units: Coverage.wholeBudget)

    init(_ routes: [Route]) {
        self.routes = routes
    }

    /// Counts the route among the earlier ones.
    mutating func add(_ route: Int) {
        switch routes[route].when.mostTelling {
        case .to(let pattern): byCalled.insert(pattern, route)
        case .from(let pattern): byCaller.insert(pattern, route)
        case .neither: always.append(route)
        }
    }

    /// The earlier routes, in order, that leave none of these calls over; nil if some call is left, or that is not proved.
    mutating func covering(_ when: When) -> [Int]? {
        var found = always
        if let from = when.from { byCaller.collect(overlapping: from, into: &found) }
        if let to = when.to { byCalled.collect(overlapping: to, into: &found) }
        budget.units -= found.count
        guard budget.units > 0 else { return nil }
        let candidates = found.sorted().filter { takesAll(of: when, routes[$0].when) }
        for route in candidates {
            guard let outer = routes[route].when.to else { return [route] }
            if let to = when.to, Containment.isContained(to, in: outer, &budget) { return [route] }
        }
        guard let to = when.to, candidates.count > 1 else { return nil }
        return together(candidates, to)
    }

    private mutating func together(_ candidates: [Int], _ to: Pattern) -> [Int]? {
        var slice = Containment.Budget(units: min(Coverage.budgetPerRoute, budget.units))
        let before = slice.units
        defer { budget.units -= before - slice.units }
        func isCovered(by chosen: [Int]) -> Bool {
            Containment.isContained(to, in: chosen.compactMap { routes[$0].when.to }, &slice)
        }
        guard isCovered(by: candidates) else { return nil }
        var needed = candidates
        guard needed.count <= Coverage.reducible else { return needed }
        for route in candidates.reversed() where needed.count > 1 {
            let without = needed.filter { $0 != route }
            if isCovered(by: without) { needed = without }
        }
        return needed
    }

    /// Whether every call that meets the inner conditions meets the outer ones, the called number aside.
    private mutating func takesAll(of inner: When, _ outer: When) -> Bool {
        if let via = outer.via, via != inner.via { return false }
        if let from = outer.from {
            guard let innerFrom = inner.from, Containment.isContained(innerFrom, in: from, &budget) else { return false }
        }
        if let time = outer.time {
            guard let innerTime = inner.time else { return time.isAlways }
            guard time.contains(innerTime) else { return false }
        }
        for header in outer.headers {
            var isImplied = false
            for other in inner.headers where other.name.lowercased() == header.name.lowercased() {
                isImplied = isImplied || Containment.isContained(other.pattern, in: header.pattern, &budget)
            }
            guard isImplied else { return false }
        }
        return true
    }
}
