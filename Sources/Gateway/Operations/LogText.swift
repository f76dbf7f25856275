/// Text of others made harmless for a line of the log.
enum LogText {
    /// Characters of one message or value: enough for a long URL; a peer's four megabytes are not the log's.
    static let longest = 2048

    /// Appends `text` with escapes in place of what would end or disturb the line, as a message is written.
    static func appendEscaped(_ text: String, to line: inout String) {
        for scalar in limited(text) { append(scalar, to: &line) }
        if isTooLong(text) { line.append("…") }
    }

    /// Appends `text` as a JSON string with its quotes (RFC 8259 section 7).
    static func appendQuoted(_ text: String, to line: inout String) {
        line.append("\"")
        for scalar in limited(text) {
            if scalar == "\"" { line.append("\\") }
            append(scalar, to: &line)
        }
        if isTooLong(text) { line.append("…") }
        line.append("\"")
    }

    /// Appends `text` as it stands where it is one harmless word, else quoted.
    static func appendWord(_ text: String, to line: inout String) {
        let isWord = !text.isEmpty && text.unicodeScalars.allSatisfy { scalar in
            !isDisturbing(scalar) && !scalar.properties.isWhitespace && scalar != "\"" && scalar != "=" && scalar != "\\"
        }
        if isWord, !isTooLong(text) { line.append(text) } else { appendQuoted(text, to: &line) }
    }

    private static func limited(_ text: String) -> Substring.UnicodeScalarView { text.unicodeScalars.prefix(longest) }

    private static func isTooLong(_ text: String) -> Bool {
        text.utf8.count > longest && text.unicodeScalars.dropFirst(longest).first != nil
    }

    private static func append(_ scalar: Unicode.Scalar, to line: inout String) {
        switch scalar {
        case "\\": line.append("\\\\")
        case "\n": line.append("\\n")
        case "\r": line.append("\\r")
        case "\t": line.append("\\t")
        case let scalar where isDisturbing(scalar):
            // Every one of them is below U+10000.
            let digits = String(scalar.value, radix: 16)
            line.append("\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits)
        default: line.unicodeScalars.append(scalar)
        }
    }

    /// Control characters, C1 ones too (terminals obey them), other line breaks, and marks that turn the direction of text.
    private static func isDisturbing(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069, 0x200E, 0x200F, 0x061C, 0xFEFF: true
        default: false
        }
    }
}
