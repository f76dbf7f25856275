/// Which routes a call may match, found without looking at the others.
///
/// Routes are kept by where they take calls from, then by what their most telling number condition begins with, in a tree of
/// characters. What the tree finds is a superset of what matches: whether a route takes a call only `Route.mismatch` says.
struct RouteIndex: Sendable {
    private var anywhere = Branch()
    private var bySource: [Source: Branch] = [:]

    /// The routes of one source.
    private struct Branch: Sendable {
        var byCalled = PatternTree()
        var byCaller = PatternTree()
        /// Routes with neither number.
        var always: [Int] = []

        mutating func insert(_ when: When, _ route: Int) {
            switch when.mostTelling {
            case .to(let pattern): byCalled.insert(pattern, route)
            case .from(let pattern): byCaller.insert(pattern, route)
            case .neither: always.append(route)
            }
        }

        func collect(_ call: CallFacts, into found: inout [Int]) {
            byCalled.collect(call.to.e164.utf8, into: &found)
            byCaller.collect(call.from.e164.utf8, into: &found)
        }
    }

    init(_ routes: [Route]) {
        for (index, route) in routes.enumerated() {
            if let via = route.when.via {
                bySource[via, default: Branch()].insert(route.when, index)
            } else {
                anywhere.insert(route.when, index)
            }
        }
    }

    /// The first route that takes the call.
    func first(_ call: CallFacts, in routes: [Route]) -> Int? {
        var found: [Int] = []
        let branch = bySource[call.via]
        anywhere.collect(call, into: &found)
        branch?.collect(call, into: &found)
        found.sort()
        var streams = [found[...], anywhere.always[...], (branch?.always ?? [])[...]]
        // Always the earliest route of the three streams, until one takes the call.
        while true {
            var next: Int?
            for (index, stream) in streams.enumerated() {
                if let head = stream.first, next.flatMap({ streams[$0].first }).map({ head < $0 }) ?? true { next = index }
            }
            guard let next, let route = streams[next].popFirst() else { return nil }
            if routes[route].mismatch(call) == nil { return route }
        }
    }
}

extension When {
    /// The number condition that tells this route from most others.
    enum MostTelling {
        case to(Pattern)
        case from(Pattern)
        case neither
    }

    /// The one whose pattern says more of what a number begins with; the called number, if they say the same.
    var mostTelling: MostTelling {
        guard let to else { return from.map(MostTelling.from) ?? .neither }
        guard let from, from.outline.sets.count > to.outline.sets.count else { return .to(to) }
        return .from(from)
    }
}
