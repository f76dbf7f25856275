/// One header field: its name as written, its canonical key, and its value unfolded but otherwise byte for byte.
///
/// Values stay bytes because Via, From, To and Call-ID must be given back exactly as they came, whatever encoding a phone uses.
struct SIPHeader: Sendable, Equatable {
    let name: String
    /// Lower-case long form: `v`, `Via` and `VIA` are all `via`.
    let key: String
    let value: [UInt8]

    init(name: String, value: [UInt8]) {
        self.name = name
        self.key = Self.canonical(name)
        self.value = value
    }

    init(_ name: String, _ value: String) { self.init(name: name, value: Array(value.utf8)) }

    /// The value as text; bytes that are not UTF-8 become replacement characters.
    var text: String { String(decoding: value, as: UTF8.self) }

    /// The compact forms of RFC 3261 7.3.3 and of its extensions.
    private static let compact: [String: String] = [
        "i": "call-id", "m": "contact", "e": "content-encoding", "l": "content-length", "c": "content-type", "f": "from",
        "s": "subject", "k": "supported", "t": "to", "v": "via", "o": "event", "r": "refer-to", "b": "referred-by",
        "j": "reject-contact", "d": "request-disposition", "x": "session-expires", "u": "allow-events",
        "y": "identity", "a": "accept-contact",
    ]

    static func canonical(_ name: String) -> String {
        let lower = name.lowercased()
        return compact[lower] ?? lower
    }
}

extension [SIPHeader] {
    func first(_ key: String) -> SIPHeader? { first { $0.key == key } }
    func all(_ key: String) -> [SIPHeader] { filter { $0.key == key } }
    /// The tokens of a comma-separated list over all fields of that name, as written.
    func tokens(_ key: String) -> [String] {
        all(key).flatMap { header in
            header.value.split(separator: UInt8(ascii: ",")).map { String(decoding: $0.trimmingWhitespace, as: UTF8.self) }
        }.filter { !$0.isEmpty }
    }
}

/// A header field with its value as text, for and from the users of the stack.
public struct SIPHeaderField: Hashable, Sendable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}
