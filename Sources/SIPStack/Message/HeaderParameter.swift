/// `;name=value` after an address or in a Via. The value keeps its quotes, so that it is given back as it came.
struct HeaderParameter: Sendable, Equatable {
    let name: String
    var value: String?

    /// More than any field of a real phone has: they are searched by name several times a message.
    static let maximumCount = 64

    /// Reads parameters up to the end or a comma. Throws on an empty name, an unclosed quote, or more than ``maximumCount``.
    static func read(_ scanner: inout ByteScanner, in field: String) throws(MalformedMessage) -> [HeaderParameter] {
        var parameters: [HeaderParameter] = []
        while true {
            scanner.skipWhitespace()
            guard scanner.take(UInt8(ascii: ";")) else { return parameters }
            guard parameters.count < maximumCount else { throw MalformedMessage("Too Many Parameters In \(field)") }
            scanner.skipWhitespace()
            let name = scanner.take { $0 > 32 && !";=,\"<>".utf8.contains($0) }
            guard !name.isEmpty else { throw MalformedMessage("Empty Parameter In \(field)") }
            scanner.skipWhitespace()
            var value: String?
            if scanner.take(UInt8(ascii: "=")) {
                scanner.skipWhitespace()
                if scanner.peek == UInt8(ascii: "\"") {
                    guard let quoted = scanner.quotedString() else { throw MalformedMessage("Unbalanced Quotes In \(field)") }
                    value = String(decoding: quoted, as: UTF8.self)
                } else {
                    value = String(decoding: scanner.take { $0 > 32 && $0 != 59 && $0 != 44 }, as: UTF8.self)
                }
            }
            parameters.append(HeaderParameter(name: String(decoding: name, as: UTF8.self), value: value))
        }
    }

    var text: String { value.map { ";\(name)=\($0)" } ?? ";\(name)" }
}

extension [HeaderParameter] {
    /// The index of the parameter of that (lower-case) name.
    func index(_ name: String) -> Int? { firstIndex { $0.name.lowercased() == name } }
    subscript(name name: String) -> HeaderParameter? { index(name).map { self[$0] } }
}

/// What is wrong with a message, as the answer will say it.
struct MalformedMessage: Error, Equatable {
    var status = 400
    var reason: String

    init(_ reason: String, status: Int = 400) {
        self.reason = reason
        self.status = status
    }
}
