import Foundation

/// One entry of the plan: which calls it takes, and what it does with them.
public struct Route: Sendable, Equatable {
    /// Unique within the plan.
    public let name: String
    public let when: When
    public let steps: [Step]
    /// How long a call by this route may last; nil leaves it as long as its parties like.
    public let maxMinutes: Int?
    /// Where the route begins in its file.
    public let line: Int

    public init(name: String, when: When, steps: [Step], maxMinutes: Int? = nil, line: Int) {
        self.name = name
        self.when = when
        self.steps = steps
        self.maxMinutes = maxMinutes
        self.line = line
    }

    /// The first condition a call does not meet, nil if it meets all.
    func mismatch(_ call: CallFacts) -> RouteAttempt.Mismatch? {
        if let via = when.via, via != call.via {
            return .init(field: .via, wanted: via.description, found: call.via.description)
        }
        if let from = when.from, !from.matches(call.from.e164) {
            return .init(field: .from, wanted: from.text, found: call.from.e164)
        }
        if let to = when.to, !to.matches(call.to.e164) {
            return .init(field: .to, wanted: to.text, found: call.to.e164)
        }
        for header in when.headers {
            let values = call.headers.filter { $0.name.lowercased() == header.name.lowercased() }.map(\.value)
            if !values.contains(where: header.pattern.matches) {
                return .init(field: .header(header.name), wanted: header.pattern.text, found: values.first)
            }
        }
        if let time = when.time, !time.contains(call.time) {
            return .init(field: .time, wanted: time.description, found: time.localTime(call.time))
        }
        return nil
    }
}

/// Conditions of a route; an absent one takes every call.
public struct When: Sendable, Hashable {
    public struct Header: Sendable, Hashable {
        public let name: String
        public let pattern: Pattern
    }

    public var via: Source?
    public var from: Pattern?
    public var to: Pattern?
    /// All must be met, each by any header of its name.
    public var headers: [Header] = []
    public var time: TimeWindow?

    public init() {}

    /// Takes every call.
    public var isUnconditional: Bool {
        via == nil && from == nil && to == nil && headers.isEmpty && time == nil
    }
}

/// A call as routes look at it.
struct CallFacts {
    let via: Source
    let from: NormalisedNumber
    let to: NormalisedNumber
    let headers: [(name: String, value: String)]
    let time: Date

    init(_ query: CallQuery, from: NormalisedNumber, to: NormalisedNumber) {
        via = query.via
        self.from = from
        self.to = to
        headers = query.headers
        time = query.time
    }
}
