import Dialplan
import Foundation

/// JSON of any shape, as API answers are put together: every key is there, `null` where there is no value.
enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    init(_ value: String?) { self = value.map(JSONValue.string) ?? .null }
    init(_ value: (some BinaryInteger)?) { self = value.map { .integer(Int64($0)) } ?? .null }
    init(_ value: Double?) { self = value.map { $0.isFinite ? .number($0) : .null } ?? .null }
    /// A time in RFC 3339 with milliseconds and UTC.
    init(_ value: Date?) { self = value.map { .string(Self.text($0)) } ?? .null }

    /// The seconds and the milliseconds apart: a fraction in binary would be cut to the millisecond before.
    private static func text(_ time: Date) -> String {
        let (seconds, rest) = time.milliseconds.quotientAndRemainder(dividingBy: 1000)
        let fraction = String(1000 + abs(rest)).dropFirst()
        return "\(RFC3339.text(Date(timeIntervalSince1970: Double(seconds))).dropLast()).\(fraction)Z"
    }

    /// Nil unless the text is JSON.
    init?(parsing text: String) {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) else { return nil }
        self = value
    }

    /// What another type of ours encodes as.
    init(encoding value: some Encodable) {
        self = (try? JSONDecoder().decode(JSONValue.self, from: JSONText.encode(value))) ?? .null
    }

    subscript(_ key: String) -> JSONValue? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    var text: String? { if case .string(let text) = self { text } else { nil } }

    /// A list as every list of the API is.
    static func list(_ items: [JSONValue], next: String? = nil) -> JSONValue {
        ["items": .array(items), "next": JSONValue(next)]
    }
}

extension JSONValue: Codable {
    init(from decoder: any Swift.Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    func encode(to encoder: any Swift.Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

extension JSONValue: ExpressibleByDictionaryLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
    init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements, uniquingKeysWith: { $1 }))
    }

    init(stringLiteral value: String) { self = .string(value) }

    init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
}
