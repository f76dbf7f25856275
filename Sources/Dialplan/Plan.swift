/// A dial plan: routes in order, the first that matches takes the call. A value without state, swapped whole on reload.
public struct Plan: Sendable, Equatable {
    public let routes: [Route]
    /// How many tests the file brought; all passed, else there were no plan.
    public let testCount: Int
    /// Trunk names with their country's digits.
    let countries: [String: String]
    /// Where calls out by each trunk go, in order.
    let hosts: [String: [TrunkTarget]]

    private let index: RouteIndex

    init(routes: [Route], testCount: Int, context: PlanContext) {
        self.routes = routes
        index = RouteIndex(routes)
        self.testCount = testCount
        countries = context.trunks
        hosts = context.hosts ?? [:]
    }

    /// A plan that refuses every call.
    public static let empty = Plan(routes: [], testCount: 0, context: PlanContext(trunks: [:], agents: []))

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

    /// Names of the headers that routes look at, in lower case: what must be kept of a call to decide it again.
    public var headerNames: Set<String> {
        Set(routes.flatMap { $0.when.headers.map { $0.name.lowercased() } })
    }

    /// Decides where a call goes. The same call at the same time always goes the same way.
    public func route(_ query: CallQuery) -> RouteDecision {
        let call = facts(of: query)
        return RouteDecision(query: query, call: call, index: index.first(call, in: routes), plan: self)
    }

    /// What follows from the routes alone, such as the index, needs no comparing.
    public static func == (left: Plan, right: Plan) -> Bool {
        left.routes == right.routes && left.testCount == right.testCount && left.countries == right.countries && left.hosts == right.hosts
    }

    /// The call with its numbers normalised by the country of the trunk it came by.
    private func facts(of query: CallQuery) -> CallFacts {
        var country = ""
        if case .trunk(let name) = query.via { country = countries[name] ?? "" }
        return CallFacts(
            query, from: NormalisedNumber(query.from, country: country), to: NormalisedNumber(query.to, country: country))
    }
}
