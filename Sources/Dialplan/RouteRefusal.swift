/// Why a call is not taken, one cause for each way to be refused: API, log and command line say it in the same words.
public enum RouteRefusal: Sendable, Hashable {
    /// No route matches.
    case noRoute
    /// The route rejects the call, with a SIP code of the plan's.
    case rejectedByPlan(code: Int)
    /// Every step of the route dials out by a trunk, and what was called cannot be dialled there.
    case notDialable(UndialableNumber)

    /// The SIP code of the answer.
    public var code: Int {
        switch self {
        case .noRoute: 404
        case .rejectedByPlan(let code): code
        case .notDialable(.noNumber): 404
        // 484 Address Incomplete (RFC 3261 21.4.22) is for numbers that were not dialled in full, or too far.
        case .notDialable(.tooShort), .notDialable(.tooLong): 484
        }
    }

    /// One word for records, metrics and machines.
    public var cause: String {
        switch self {
        case .noRoute: "no_route"
        case .rejectedByPlan: "rejected_by_plan"
        case .notDialable(.noNumber): "no_number"
        case .notDialable(.tooShort): "number_too_short"
        case .notDialable(.tooLong): "number_too_long"
        }
    }

    /// For people.
    public var sentence: String {
        switch self {
        case .noRoute: "no route takes the call"
        case .rejectedByPlan(let code): "the route rejects the call with \(code)"
        case .notDialable(let reason): reason.sentence
        }
    }
}

/// Why a number cannot be dialled by a trunk step.
public enum UndialableNumber: String, Error, Sendable, Hashable {
    /// The called party is a name, or has characters no phone number has.
    case noNumber
    /// Nothing is left of it after `strip`.
    case tooShort
    /// Longer than any phone number.
    case tooLong

    public var sentence: String {
        switch self {
        case .noNumber: "the called party is no number that a trunk can dial"
        case .tooShort: "the called number is too short: strip leaves nothing of it"
        case .tooLong: "the called number is longer than any phone number"
        }
    }
}
