import Dialplan
import Foundation
import Hummingbird

/// The query of an API request, each parameter once and known; whatever is left over is refused, for a misspelt filter would
/// otherwise match everything.
struct APIQuery {
    private var values: [String: String]

    init(_ request: Request) throws {
        values = [:]
        for pair in (request.uri.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decode(parts[0]), let value = Self.decode(parts.count > 1 ? parts[1] : "") else {
                throw HTTPProblem(.badRequest, "The query is not percent-encoded UTF-8.")
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw HTTPProblem(.badRequest, "“\(Self.short(name))” stands in the query twice.")
            }
        }
    }

    mutating func text(_ name: String) -> String? { values.removeValue(forKey: name) }

    /// A number in digits only.
    mutating func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = text(name) else { return nil }
        guard let value = Decimal.integer(text), range.contains(value) else {
            throw HTTPProblem(.badRequest, "\(name) must be a number from \(range.lowerBound) to \(range.upperBound).")
        }
        return value
    }

    /// RFC 3339. A `+` that was not escaped arrives as a space.
    mutating func time(_ name: String) throws -> Date? {
        guard let text = text(name) else { return nil }
        guard let value = RFC3339.parse(text) ?? RFC3339.parse(text.replacing(" ", with: "+")) else {
            throw HTTPProblem(.badRequest, "\(name) must be a time such as 2026-11-22T09:30:00Z.")
        }
        return value
    }

    mutating func flag(_ name: String) throws -> Bool? {
        guard let text = text(name) else { return nil }
        guard text == "true" || text == "false" else { throw HTTPProblem(.badRequest, "\(name) must be true or false.") }
        return text == "true"
    }

    /// A number of a phone: a leading `+` that was not escaped arrives as a space.
    mutating func number(_ name: String) -> String? {
        text(name).map { $0.hasPrefix(" ") ? "+" + $0.dropFirst() : $0 }
    }

    func finish() throws {
        if let name = values.keys.sorted().first {
            throw HTTPProblem(.badRequest, "“\(Self.short(name))” is no parameter of this path; see /api/v1/openapi.json.")
        }
    }

    private static func short(_ text: String) -> String { String(text.prefix(40)) }

    private static func decode(_ text: Substring) -> String? {
        text.replacing("+", with: " ").removingPercentEncoding
    }
}
