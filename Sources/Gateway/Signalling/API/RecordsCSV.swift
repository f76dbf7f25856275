import Foundation

/// Call records as comma-separated values (RFC 4180), a line each under one line of names.
enum RecordsCSV {
    static let columns = [
        "id", "via", "from_given", "from_e164", "to_given", "to_e164", "route", "started_at", "ringing_at", "answered_at", "ended_at", "duration_ms",
        "talk_ms", "cause", "sip_code", "detail", "steps", "codecs", "packets_received", "packets_sent", "lost", "jitter_ms", "rtt_ms", "concealed_ms",
        "mos", "answered_by",
    ]

    static func text(_ records: [CallRecord]) -> String {
        ([columns] + records.map(fields)).map { $0.map(cell).joined(separator: ",") + "\r\n" }.joined()
    }

    private static func fields(_ record: CallRecord) -> [String] {
        let duration = record.endedAt.map { "\(max(0, $0.milliseconds - record.startedAt.milliseconds))" } ?? ""
        let scored = record.legs.filter { $0.meanOpinionScore != nil }
        return [
            record.id.description, record.via, record.from.given, record.from.e164, record.to.given, record.to.e164, record.route ?? "",
            time(record.startedAt), time(record.ringingAt), time(record.answeredAt), time(record.endedAt), duration, "\(record.talkMilliseconds)",
            record.cause?.rawValue ?? "", record.sipCode.map(String.init) ?? "", record.detail ?? "",
            record.steps.map { "\($0.kind) \($0.target ?? ""): \($0.outcome)" }.joined(separator: "; "),
            record.legs.compactMap(\.codec).joined(separator: " "), total(record, \.packetsReceived), total(record, \.packetsSent), total(record, \.lost),
            // Of several legs the worst.
            scored.map(\.jitterMilliseconds).max().map { String(format: "%.1f", $0) } ?? "",
            scored.compactMap(\.roundTripMilliseconds).max().map { String(format: "%.1f", $0) } ?? "", total(record, \.concealedMilliseconds),
            scored.compactMap(\.meanOpinionScore).min().map { String(format: "%.2f", $0) } ?? "", record.answeredBy ?? "",
        ]
    }

    private static func total(_ record: CallRecord, _ figure: KeyPath<CallRecord.Leg, Int>) -> String {
        "\(record.legs.map { $0[keyPath: figure] }.reduce(0, +))"
    }

    private static func time(_ date: Date?) -> String { JSONValue(date).text ?? "" }

    /// Quoted where it must be. What a spreadsheet would take for a formula gets an apostrophe before it, for part of it came from callers; a
    /// phone number is none, whatever it begins with.
    static func cell(_ text: String) -> String {
        var text = text
        if let first = text.unicodeScalars.first, "=+-@\t\r\n\u{FF1D}\u{FF0B}\u{FF0D}\u{FF20}".unicodeScalars.contains(first), !isNumber(text) {
            text = "'" + text
        }
        guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 == 0x0D || $0 == 0x0A || $0 == 0x3B || $0 == 0x09 }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }

    /// `+` and digits only.
    private static func isNumber(_ text: String) -> Bool {
        text.utf8.first == UInt8(ascii: "+") && text.utf8.count > 1 && text.utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
    }
}
