/// What was said in a realtime conversation, for the session that follows one that ends: the last words of both sides.
struct RealtimeTranscript {
    struct Line: Equatable {
        var isCaller: Bool
        var text: String
    }

    private(set) var lines: [Line] = []
    private static let mostLines = 200
    private static let longestLine = 4000

    mutating func add(_ text: String, isCaller: Bool) {
        guard !text.isEmpty else { return }
        if lines.count == Self.mostLines { lines.removeFirst() }
        lines.append(Line(isCaller: isCaller, text: String(text.prefix(Self.longestLine))))
    }
}
