/// A dial plan: routes in order, the first that matches takes the call. A value without state, swapped whole on reload.
public struct Plan: Sendable, Equatable {
    public let routes: [Route]
    /// How many tests the file brought; all passed, else there were no plan.
    public let testCount: Int
    /// Trunk names with their country's digits.
    private let countries: [String: String]

    init(routes: [Route], testCount: Int, countries: [String: String]) {
        self.routes = routes
        self.testCount = testCount
        self.countries = countries
    }

    /// A plan that refuses every call.
    public static let empty = Plan(routes: [], testCount: 0, countries: [:])

    /// Reads a plan and runs its own tests. The plan is nil if any problem is an error.
    /// - Parameters:
    ///   - text: the file's content.
    ///   - file: how problems call the file.
    public static func load(text: String, file: String, context: PlanContext) -> (plan: Plan?, problems: [Problem]) {
        load(bytes: Array(text.utf8), file: file, context: context)
    }

    /// As above, for bytes that may not even be text.
    public static func load(bytes: [UInt8], file: String, context: PlanContext) -> (plan: Plan?, problems: [Problem]) {
        let loader = PlanLoader(context: context, problems: ProblemList(file: file))
        let plan = loader.load(bytes)
        return (loader.problems.hasErrors ? nil : plan, loader.problems.sorted)
    }

    /// Decides where a call goes. The same call at the same time always goes the same way.
    public func route(_ query: CallQuery) -> RouteDecision {
        var country = ""
        if case .trunk(let name) = query.via { country = countries[name] ?? "" }
        let call = CallFacts(
            via: query.via, from: NormalisedNumber(query.from, country: country), to: NormalisedNumber(query.to, country: country),
            headers: query.headers, time: query.time)
        var tried: [RouteAttempt] = []
        for route in routes {
            let mismatch = route.mismatch(call)
            tried.append(RouteAttempt(route: route.name, mismatch: mismatch))
            if mismatch == nil {
                return RouteDecision(from: call.from, to: call.to, route: route, tried: tried)
            }
        }
        return RouteDecision(from: call.from, to: call.to, route: nil, tried: tried)
    }
}
