import Dialplan
import Foundation
import GRDB

extension RecordStore {
    /// The last calls as what-if decides them again, the newest first.
    func pastCalls(last: Int) async throws -> [PastCall] {
        try await pool.read { database -> [PastCall] in try Self.pastCalls(database, last: last) }
    }

    static func pastCalls(_ database: Database, last: Int) throws -> [PastCall] {
        // No plan was asked about strangers, nor about calls that the API sent by a trunk of its own choice.
        let rows = try Row.fetchCursor(
            database, sql: "SELECT * FROM calls WHERE via <> ? AND NOT (via = 'api' AND explanation IS NULL) ORDER BY started_ms DESC, id DESC LIMIT ?", arguments: [CallRecord.stranger, last])
        var calls: [PastCall] = []
        while let row = try rows.next() {
            // A damaged row does not hide the others.
            if let call = (try? CallRow(row: row))?.record { calls.append(PastCall(call)) }
        }
        return calls
    }
}

extension PastCall {
    init(_ record: CallRecord) {
        self.init(
            id: record.id.description, via: record.via, from: record.from.given, to: record.to.given,
            headers: record.headers.map { Header(name: $0.name, value: $0.value) }, time: record.startedAt, route: record.route,
            outcome: record.cause?.rawValue ?? EndReason.failed.rawValue)
    }
}

/// Calls out of a database of records, for `tandem route --replay`; a gateway may be writing to it meanwhile.
public enum PastCalls {
    /// Why a database cannot be read: one sentence.
    public struct Unreadable: Error, CustomStringConvertible {
        public let description: String
    }

    /// The last calls, the newest first.
    public static func read(database path: String, last: Int) throws(Unreadable) -> [PastCall] {
        var settings = GRDB.Configuration()
        settings.readonly = true
        settings.busyMode = .timeout(5)
        do {
            return try DatabaseQueue(path: path, configuration: settings).read { try RecordStore.pastCalls($0, last: last) }
        } catch {
            throw Unreadable(description: "\(path) cannot be read as call records: \(RecordStore.reason(of: error))")
        }
    }
}
