/// Warns of routes that no call can ever reach.
enum PlanLint {
    static func check(_ routes: [Route], _ problems: ProblemList, in nodes: [YAMLNode]) {
        let places = Dictionary(nodes.map { ($0.line, $0) }, uniquingKeysWith: { first, _ in first })
        var seen: [When: String] = [:]
        var catchAll: String?
        for route in routes {
            guard let node = places[route.line] else { continue }
            if let catchAll {
                problems.warning("route “\(route.name)” is never reached: “\(catchAll)” takes every call", at: node)
                return
            }
            if let twin = seen[route.when] {
                problems.warning("route “\(route.name)” is never reached: “\(twin)” takes the same calls", at: node)
            }
            seen[route.when] = seen[route.when] ?? route.name
            if route.when.isUnconditional { catchAll = route.name }
        }
    }
}
