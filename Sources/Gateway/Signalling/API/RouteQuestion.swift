import Dialplan
import Foundation
import HTTPTypes

/// The body of `POST dialplan/route`: `{"via", "from", "to", "at"?, "headers"?: {name: value or list of values}}`.
struct RouteQuestion {
    let query: CallQuery

    /// - Parameter trunks: names that `via` may have besides `browser` and `api`.
    /// - Throws: `HTTPProblem` 400.
    init(_ body: [UInt8], trunks: [String]) throws {
        guard case .object(var members)? = JSONValue(parsing: String(decoding: body, as: UTF8.self)) else {
            throw HTTPProblem(.badRequest, "Send a JSON object with via, from and to.")
        }
        func text(_ key: String) throws -> String {
            guard let text = members.removeValue(forKey: key)?.text else { throw HTTPProblem(.badRequest, "\(key) must be there, and text.") }
            return text
        }
        let via = try text("via")
        guard via == "browser" || via == "api" || trunks.contains(via) else {
            throw HTTPProblem(.badRequest, "via must be a trunk's name, browser or api.")
        }
        let from = try text("from"), to = try text("to")
        var time = Date()
        if let at = members.removeValue(forKey: "at"), at != .null {
            guard let parsed = at.text.flatMap(RFC3339.parse) else { throw HTTPProblem(.badRequest, "at must be a time such as 2026-11-22T09:30:00+01:00.") }
            time = parsed
        }
        let headers = try members.removeValue(forKey: "headers").map(Self.headers) ?? []
        if let unknown = members.keys.sorted().first {
            throw HTTPProblem(.badRequest, "“\(unknown.prefix(40))” is unknown here: there are via, from, to, at and headers.")
        }
        query = CallQuery(via: Source(via), from: from, to: to, headers: headers, time: time)
    }

    private static func headers(_ value: JSONValue) throws -> [(name: String, value: String)] {
        let refusal = HTTPProblem(.badRequest, "headers must be an object of names and values.")
        guard case .object(let members) = value else { throw refusal }
        return try members.sorted { $0.key < $1.key }.flatMap { name, value -> [(name: String, value: String)] in
            switch value {
            case .string(let text): return [(name, text)]
            case .array(let items):
                return try items.map { item in
                    guard let text = item.text else { throw refusal }
                    return (name, text)
                }
            default: throw refusal
            }
        }
    }
}
