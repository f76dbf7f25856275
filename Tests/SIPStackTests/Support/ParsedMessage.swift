@testable import SIPStack

/// A message the endpoint sent, taken apart by plain text means that share nothing with the reader under test.
struct ParsedMessage: CustomStringConvertible {
    let text: String
    let startLine: String
    let fields: [(name: String, value: String)]
    let body: String

    init(_ bytes: [UInt8]) {
        text = String(decoding: bytes, as: UTF8.self)
        var lines: [String] = []
        var line: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == 13, index + 1 < bytes.count, bytes[index + 1] == 10 {
                index += 2
                if line.isEmpty { break }
                lines.append(String(decoding: line, as: UTF8.self))
                line = []
            } else {
                line.append(bytes[index])
                index += 1
            }
        }
        startLine = lines.first ?? ""
        fields = lines.dropFirst().map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            let value = line[colon...].dropFirst()
            return (String(line[..<colon]), String(value.drop { $0 == " " }))
        }
        body = String(decoding: bytes[index...], as: UTF8.self)
    }

    var description: String { text }
    /// Of a response, else nil.
    var status: Int? { startLine.hasPrefix("SIP/2.0 ") ? Int(startLine.dropFirst(8).prefix(3)) : nil }
    var reason: String { String(startLine.dropFirst(12)) }
    /// Of a request, else nil.
    var method: String? { startLine.hasSuffix(" SIP/2.0") ? String(startLine.prefix { $0 != " " }) : nil }
    var requestURI: String { startLine.split(separator: " ").dropFirst().first.map(String.init) ?? "" }
    func all(_ name: String) -> [String] { fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value) }
    subscript(name: String) -> String? { all(name).first }
    var toTag: String? { Self.tag(self["To"]) }

    static func tag(_ value: String?) -> String? {
        guard let value, let start = value.range(of: ";tag=") else { return nil }
        return String(value[start.upperBound...].prefix { $0 != ";" && $0 != " " })
    }
}

extension String {
    /// The first occurrence, without Foundation.
    func range(of needle: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(needle) { return start..<index(start, offsetBy: needle.count) }
            start = index(after: start)
        }
        return nil
    }
}
