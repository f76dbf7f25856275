import Foundation

/// JSON as it goes out: keys in a fixed order, slashes as they are.
enum JSONText {
    static func encode(_ value: some Encodable) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Only values of our own types come here, strings and integers: they can always be encoded.
        return (try? encoder.encode(value)) ?? Data("{}".utf8)
    }
}
