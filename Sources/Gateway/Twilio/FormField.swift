import Foundation

/// A field of a form (`application/x-www-form-urlencoded`, WHATWG URL 5).
struct FormField: Sendable, Equatable {
    var name: String
    var value: String

    init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    static let mediaType = "application/x-www-form-urlencoded"
    /// Fields read of a form; whoever sends more is refused.
    static let mostFields = 200

    /// Nil for an escape that is none, text that is no UTF-8, or too many fields.
    static func read(_ text: String) -> [FormField]? {
        var fields: [FormField] = []
        for pair in text.split(separator: "&") {
            guard fields.count < mostFields else { return nil }
            let name = pair.prefix { $0 != "=" }
            guard let decodedName = decode(name), let value = decode(pair.dropFirst(name.count + 1)) else { return nil }
            fields.append(FormField(decodedName, value))
        }
        return fields
    }

    private static func decode(_ text: Substring) -> String? {
        text.replacing("+", with: " ").removingPercentEncoding
    }

    static func write(_ fields: [FormField]) -> String {
        fields.map { "\(encode($0.name))=\(encode($0.value))" }.joined(separator: "&")
    }

    private static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "*"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default: encoded += byte < 16 ? "%0\(String(byte, radix: 16, uppercase: true))" : "%\(String(byte, radix: 16, uppercase: true))"
            }
        }
        return encoded
    }
}
