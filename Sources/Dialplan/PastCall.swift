import Foundation

/// A recorded call, as far as it is needed to decide again where it goes.
public struct PastCall: Sendable, Equatable, Codable {
    public struct Header: Sendable, Equatable, Codable {
        public let name: String
        public let value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    public let id: String
    /// A trunk's name, `browser` or `api`.
    public let via: String
    /// The numbers as given, not normalised: a trunk's country may have changed since.
    public let from: String
    public let to: String
    /// The headers that routes looked at when the call came (`Plan.headerNames`).
    public let headers: [Header]
    public let time: Date
    /// The route that took the call then, nil if none did.
    public let route: String?
    /// How the call ended, one word of the contract.
    public let outcome: String

    public init(id: String, via: String, from: String, to: String, headers: [Header] = [], time: Date, route: String?, outcome: String) {
        self.id = id
        self.via = via
        self.from = from
        self.to = to
        self.headers = headers
        self.time = time
        self.route = route
        self.outcome = outcome
    }

    var query: CallQuery {
        CallQuery(via: Source(via), from: from, to: to, headers: headers.map { ($0.name, $0.value) }, time: time)
    }
}
