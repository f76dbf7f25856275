/// Text from outside as a log line or a terminal may show it.
enum OneLine {
    /// Longer than every number and most names; what is cut is in the call's record.
    static let limit = 80

    /// Control characters, and those that turn the direction of writing, become U+FFFD; what is beyond the limit an ellipsis.
    static func text(_ text: String, limit: Int = limit) -> String {
        var shown = String.UnicodeScalarView()
        for (index, scalar) in text.unicodeScalars.enumerated() {
            if index == limit { return String(shown) + "…" }
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
                || (0x2028...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
            shown.append(isControl ? "\u{FFFD}" : scalar)
        }
        return String(shown)
    }
}
