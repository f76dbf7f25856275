/// Puts messages together. Fields given by callers are checked here, so that nothing they say can end a field or a message.
struct MessageWriter {
    private(set) var bytes: [UInt8]
    private var hasEnded = false

    init(startLine: String) {
        bytes = Array(Self.singleLine(startLine).utf8) + [13, 10]
        bytes.reserveCapacity(1_024)
    }

    /// A field of our own making, or one given back as it came (values read from a message hold no line end).
    mutating func add(_ name: String, _ value: some Sequence<UInt8>) {
        bytes.append(contentsOf: name.utf8)
        bytes.append(58)
        bytes.append(32)
        bytes.append(contentsOf: value)
        bytes.append(13)
        bytes.append(10)
    }

    mutating func add(_ name: String, _ value: String) { add(name, value.utf8) }

    /// Fields from outside the stack: one with a line end or NUL in it, no proper name, or a name that is ours to write is left out.
    mutating func addForeign(_ fields: [(String, String)]) {
        for (name, value) in fields where Self.isAcceptable(name: name, value: value) { add(name, value) }
    }

    /// Content-Type, Content-Length, the empty line and the body.
    consuming func finished(body: [UInt8] = [], type: String? = nil) -> [UInt8] {
        if let type, !body.isEmpty { add("Content-Type", type) }
        add("Content-Length", String(body.count))
        bytes.append(13)
        bytes.append(10)
        bytes.append(contentsOf: body)
        return bytes
    }

    static func isAcceptable(name: String, value: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy(ByteScanner.isToken) && !reserved.contains(SIPHeader.canonical(name))
            && !value.utf8.contains { $0 == 13 || $0 == 10 || $0 == 0 }
    }

    private static func singleLine(_ line: String) -> String {
        guard line.utf8.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 }) else { return line }
        return String(decoding: line.utf8.map { $0 == 13 || $0 == 10 || $0 == 0 ? 32 : $0 }, as: UTF8.self)
    }

    /// Fields that route, identify or frame a message: only the stack itself writes them.
    private static let reserved: Set<String> = [
        "via", "from", "to", "call-id", "cseq", "contact", "record-route", "route", "max-forwards", "content-length", "content-type",
    ]
}
