import Foundation

/// Where a call comes from.
public enum Source: Sendable, Hashable, CustomStringConvertible {
    case trunk(String)
    case browser
    case api

    /// As a dial plan writes it: the trunk's name, `browser` or `api`.
    public init(_ text: String) {
        switch text {
        case "browser": self = .browser
        case "api": self = .api
        default: self = .trunk(text)
        }
    }

    public var description: String {
        switch self {
        case .trunk(let name): name
        case .browser: "browser"
        case .api: "api"
        }
    }
}

/// What the dial plan is asked about one call.
public struct CallQuery: Sendable {
    public var via: Source
    /// The caller as given (P-Asserted-Identity of a trunk, else From), %-escapes decoded.
    public var from: String
    /// The user part of the Request-URI, or what the browser or API named, %-escapes decoded.
    public var to: String
    /// SIP headers of the call; names compare without regard to case.
    public var headers: [(name: String, value: String)]
    /// When the call came, for routes that look at the time.
    public var time: Date

    public init(via: Source, from: String, to: String, headers: [(name: String, value: String)] = [], time: Date) {
        self.via = via
        self.from = from
        self.to = to
        self.headers = headers
        self.time = time
    }
}
