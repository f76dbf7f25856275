/// Where a call goes, and why: the gateway acts on it and `tandem route` prints it.
public struct RouteDecision: Sendable {
    public let from: NormalisedNumber
    public let to: NormalisedNumber
    /// The route that took the call, nil if none did.
    public let route: Route?
    /// Every route looked at, in order; the last is the one that matched, if one did.
    public let tried: [RouteAttempt]

    /// What to do, in order; empty without a route.
    public var steps: [Step] { route?.steps ?? [] }

    /// No route takes the call, or the one that does begins by refusing it.
    public var isRefused: Bool {
        guard let first = steps.first else { return true }
        if case .reject = first { return true } else { return false }
    }

    /// The SIP code of a refusal: the plan's, or 404 without a route. Nil if the call is not refused.
    public var refusalCode: Int? {
        guard let first = steps.first else { return 404 }
        if case .reject(let code) = first { return code } else { return nil }
    }
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
        guard let mismatch else { return "“\(route)”: matches" }
        let found = mismatch.found.map { "is \($0)" } ?? "is absent"
        return "“\(route)”: \(mismatch.field) \(found), not \(mismatch.wanted)"
    }
}
