/// Where a call goes, and why: the gateway acts on it and `tandem route` prints it.
///
/// Deciding looks at few routes, for the plan is indexed; the explanation looks at all of them and is made only when it is
/// asked for. Both come from the one function that compares a route with a call.
public struct RouteDecision: Sendable {
    /// What the plan was asked.
    public let query: CallQuery
    public let from: NormalisedNumber
    public let to: NormalisedNumber
    /// The route that took the call, nil if none did.
    public let route: Route?
    /// The plan that decided.
    let plan: Plan
    /// Where the route stands in the plan; the number of routes if none took the call.
    let index: Int

    init(query: CallQuery, call: CallFacts, index: Int?, plan: Plan) {
        self.query = query
        from = call.from
        to = call.to
        route = index.map { plan.routes[$0] }
        self.plan = plan
        self.index = index ?? plan.routes.count
    }

    /// Every route looked at, in order; the last is the one that matched, if one did. Costs time with every route of the plan.
    public var tried: [RouteAttempt] {
        let call = CallFacts(query, from: from, to: to)
        return plan.routes.prefix(index + 1).map { RouteAttempt(route: $0.name, mismatch: $0.mismatch(call)) }
    }

    /// What to do, in order; empty without a route.
    public var steps: [Step] { route?.steps ?? [] }

    /// Why the call is not taken; nil if a step may take it. Trunk steps that cannot dial what was called are passed over.
    public var refusal: RouteRefusal? {
        guard route != nil else { return .noRoute }
        var undialable: UndialableNumber?
        for step in steps {
            switch step {
            case .agent, .browser, .play: return nil
            case .reject(let code): return .rejectedByPlan(code: code)
            case .trunk(let trunk):
                do {
                    _ = try trunk.number(for: to)
                    return nil
                } catch {
                    undialable = undialable ?? error
                }
            }
        }
        return undialable.map(RouteRefusal.notDialable) ?? .noRoute
    }

    /// No step takes the call.
    public var isRefused: Bool { refusal != nil }

    /// The SIP code of a refusal. Nil if the call is not refused.
    public var refusalCode: Int? { refusal?.code }
}

/// One route a call was compared with.
public struct RouteAttempt: Sendable, Equatable {
    /// The condition that was not met.
    public struct Mismatch: Sendable, Equatable {
        public let field: Field
        /// As the plan writes it.
        public let wanted: String
        /// What the call had, nil for an absent header.
        public let found: String?
    }

    public enum Field: Sendable, Equatable, CustomStringConvertible {
        case via
        case from
        case to
        case header(String)
        case time

        public var description: String {
            switch self {
            case .via: "via"
            case .from: "from"
            case .to: "to"
            case .header(let name): "header \(name)"
            case .time: "time"
            }
        }
    }

    public let route: String
    /// Nil for the route that matched.
    public let mismatch: Mismatch?

    /// For people: `“support line”: to is +442079460123, not +1415555XXXX`.
    public var sentence: String {
        "“\(route)”: \(reason)"
    }

    /// The sentence without the route's name.
    public var reason: String {
        guard let mismatch else { return "matches" }
        let found = mismatch.found.map { "is \(OneLine.text($0))" } ?? "is absent"
        return "\(mismatch.field) \(found), not \(OneLine.text(mismatch.wanted))"
    }
}
