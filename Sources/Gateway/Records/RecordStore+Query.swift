import Foundation
import GRDB

/// Which records are wanted; nil takes all.
struct RecordFilter: Sendable, Equatable {
    var via: String?
    var route: String?
    var cause: EndReason?
    /// A caller or called party, as given or in E.164 form.
    var from: String?
    var to: String?
    /// Calls that started at this time or later, and before that one.
    var since: Date?
    var until: Date?
    /// Seconds from the answer to the end.
    var minSeconds: Int?
    var maxSeconds: Int?
    var answered: Bool?
    var recorded: Bool?
    /// Ended in one of these ways.
    var causes: [EndReason]?
    var account: String?
}

/// Where a page ended: the next one begins with the records after it, the newest first.
struct PageCursor: Sendable, Equatable {
    var startedMilliseconds: Int64
    var id: CallID

    init(startedMilliseconds: Int64, id: CallID) {
        self.startedMilliseconds = startedMilliseconds
        self.id = id
    }

    /// As `description` wrote it; nil for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = Int64(parts[0]), milliseconds >= 0, let id = CallID(parts[1]) else { return nil }
        self.init(startedMilliseconds: milliseconds, id: id)
    }

    var description: String { "\(startedMilliseconds)-\(id)" }
}

struct RecordPage: Sendable {
    var records: [CallRecord]
    /// Nil after the last page.
    var next: PageCursor?
}

extension RecordStore {
    /// A page of records, the newest first.
    func page(_ filter: RecordFilter, after cursor: PageCursor? = nil, limit: Int) async throws -> RecordPage {
        let (condition, arguments) = filter.sql(after: cursor)
        return try await pool.read { database -> RecordPage in
            let rows = try Row.fetchAll(
                database, sql: "SELECT * FROM calls\(condition) ORDER BY started_ms DESC, id DESC LIMIT ?", arguments: arguments + [limit + 1])
            // A row that somebody else damaged is left out, and does not hide the others.
            let records = rows.prefix(limit).compactMap { try? CallRow(row: $0).record }
            guard rows.count > limit, let last = rows.prefix(limit).last, let id = CallID(last["id"] as String) else {
                return RecordPage(records: records, next: nil)
            }
            return RecordPage(records: records, next: PageCursor(startedMilliseconds: last["started_ms"], id: id))
        }
    }

    func record(_ id: CallID) async throws -> CallRecord? {
        if let record = unwritten(id) { return record }
        return try await pool.read { database in
            try Row.fetchOne(database, sql: "SELECT * FROM calls WHERE id = ?", arguments: [id.description]).flatMap { try? CallRow(row: $0).record }
        }
    }
}

extension RecordFilter {
    fileprivate func sql(after cursor: PageCursor?) -> (String, StatementArguments) {
        var conditions: [String] = []
        var arguments: StatementArguments = []
        func add(_ condition: String, _ values: any DatabaseValueConvertible...) {
            conditions.append(condition)
            arguments += StatementArguments(values)
        }
        if let via { add("via = ?", via) }
        if let route { add("route = ?", route) }
        if let cause { add("cause = ?", cause.rawValue) }
        if let from { add("? IN (from_given, from_e164)", from) }
        if let to { add("? IN (to_given, to_e164)", to) }
        if let since { add("started_ms >= ?", since.milliseconds) }
        if let until { add("started_ms < ?", until.milliseconds) }
        if let minSeconds { add("talk_ms >= ?", Int64(minSeconds) * 1000) }
        if let maxSeconds { add("talk_ms <= ?", Int64(maxSeconds) * 1000) }
        if let answered { add(answered ? "answered_ms IS NOT NULL" : "answered_ms IS NULL") }
        if let recorded { add(recorded ? "recording IS NOT NULL" : "recording IS NULL") }
        if let causes {
            conditions.append("cause IN (\(causes.map { _ in "?" }.joined(separator: ",")))")
            arguments += StatementArguments(causes.map(\.rawValue))
        }
        if let account { add("account = ?", account) }
        if let cursor { add("(started_ms, id) < (?, ?)", cursor.startedMilliseconds, cursor.id.description) }
        return (conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND "), arguments)
    }
}
