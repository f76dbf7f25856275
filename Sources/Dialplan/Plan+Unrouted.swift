extension Plan {
    /// A call that goes where somebody said who need not ask the plan: no route is looked at.
    /// - Parameters:
    ///   - query: its numbers are normalised by `country`, whatever `via` says.
    ///   - country: of the trunk it leaves by, as `NormalisedNumber` wants it.
    public func unrouted(_ query: CallQuery, country: String) -> RouteDecision {
        let call = CallFacts(
            query, from: NormalisedNumber(query.from, country: country), to: NormalisedNumber(query.to, country: country))
        return RouteDecision(query: query, call: call, index: nil, plan: self)
    }
}
