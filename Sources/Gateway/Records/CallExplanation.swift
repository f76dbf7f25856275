import Dialplan
import Foundation

/// Why a call went where it went, for its record and for the log. It is written out only when somebody wants to read it, which for a
/// record is the thread of the database: a plan of thousands of routes has long explanations.
struct CallExplanation: Sendable, Equatable {
    /// Bytes of an explanation in a record. Above it only the last of the routes tried are kept.
    static let sizeLimit = 16 * 1024
    /// Routes tried that are kept then.
    static let triedLimit = 20

    private enum Content: Sendable {
        case decision(RouteDecision)
        case json(String)
    }

    private let content: Content

    init(_ decision: RouteDecision) { content = .decision(decision) }

    /// Takes back what `json` wrote.
    init(json: String) { content = .json(json) }

    /// One line for the log at debug.
    var line: String {
        switch content {
        case .decision(let decision): Explanation(decision).line
        case .json(let json): json
        }
    }

    /// What `tandem route --json` prints, on one line. Of a long one the first routes tried are left out, and `tried_omitted` counts them.
    var json: String {
        switch content {
        case .json(let json): json
        case .decision(let decision): Self.shortened(String(decoding: JSONText.encode(Explanation(decision)), as: UTF8.self))
        }
    }

    private static func shortened(_ json: String) -> String {
        guard json.utf8.count > sizeLimit, var object = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any],
            let tried = object["tried"] as? [Any], tried.count > triedLimit
        else { return json }
        object["tried"] = Array(tried.suffix(triedLimit))
        object["tried_omitted"] = tried.count - triedLimit
        let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        return data.map { String(decoding: $0, as: UTF8.self) } ?? json
    }

    static func == (left: CallExplanation, right: CallExplanation) -> Bool { left.json == right.json }
}
