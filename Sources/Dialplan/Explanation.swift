import Foundation

/// A decision as people and machines read it: every route tried with the field that failed, then each step with exactly
/// what would be dialled. `tandem route`, the API, the log and call records all take it from here.
///
/// As JSON (sorted keys, `null` where there is no value, steps only with the keys of their kind) it is documented in
/// `docs/dialplan.md`.
public struct Explanation: Sendable, Equatable, Codable {
    public struct Number: Sendable, Equatable, Codable {
        public let given: String
        public let e164: String

        init(_ number: NormalisedNumber) {
            given = number.given
            e164 = number.e164
        }
    }

    /// One route the call was compared with.
    public struct Attempt: Sendable, Equatable, Codable {
        public let route: String
        /// The condition that was not met, nil for the route that matched.
        public let field: String?
        /// As the plan writes the condition.
        public let wanted: String?
        /// What the call had instead; nil for an absent header.
        public let found: String?
        public let sentence: String

        init(_ attempt: RouteAttempt) {
            route = attempt.route
            field = attempt.mismatch?.field.description
            wanted = attempt.mismatch?.wanted
            found = attempt.mismatch?.found
            sentence = attempt.sentence
        }
    }

    /// Why the call is not taken.
    public struct Refusal: Sendable, Equatable, Codable {
        /// One word, see `RouteRefusal.cause`.
        public let cause: String
        /// The SIP code of the answer.
        public let code: Int
        public let sentence: String

        init(_ refusal: RouteRefusal) {
            cause = refusal.cause
            code = refusal.code
            sentence = refusal.sentence
        }
    }

    public let via: String
    public let from: Number
    public let to: Number
    /// When the call came, in RFC 3339 and UTC.
    public let time: String
    /// The route that took the call.
    public let route: String?
    public let refused: Bool
    public let refusal: Refusal?
    public let tried: [Attempt]
    public let steps: [ExplainedStep]
    public let maxMinutes: Int?

    public init(_ decision: RouteDecision) {
        via = decision.query.via.description
        from = Number(decision.from)
        to = Number(decision.to)
        time = RFC3339.text(decision.query.time)
        route = decision.route?.name
        refusal = decision.refusal.map(Refusal.init)
        refused = refusal != nil
        tried = decision.tried.map(Attempt.init)
        steps = decision.steps.map { ExplainedStep($0, decision) }
        maxMinutes = decision.route?.maxMinutes
    }

    enum CodingKeys: String, CodingKey {
        case via, from, to, time, route, refused, refusal, tried, steps
        case maxMinutes = "max_minutes"
    }

    /// Machines find every key, `null` where there is no value.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(via, forKey: .via)
        try container.encode(from, forKey: .from)
        try container.encode(to, forKey: .to)
        try container.encode(time, forKey: .time)
        try container.encode(route, forKey: .route)
        try container.encode(refused, forKey: .refused)
        try container.encode(refusal, forKey: .refusal)
        try container.encode(tried, forKey: .tried)
        try container.encode(steps, forKey: .steps)
        try container.encode(maxMinutes, forKey: .maxMinutes)
    }

    /// The explanation as JSON text.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
