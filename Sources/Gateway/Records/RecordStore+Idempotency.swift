import Foundation
import GRDB

/// A request with an `Idempotency-Key`, and what was answered to it.
struct KeyedRequest: Sendable, Equatable {
    var key: String
    /// Digest of what was asked.
    var question: String
    /// Nil: nobody knows what came of it, for the process ended meanwhile.
    var answer: JSONValue?
    var at: Date
}

/// Keys outlive the process: each is written before what it asks for is done, and its answer before that is given.
extension RecordStore {
    /// Those younger than `limit`; older ones are deleted.
    func keyedRequests(since limit: Date) throws -> [KeyedRequest] {
        try pool.write { database in
            try database.execute(sql: "DELETE FROM idempotency WHERE at_ms < ?", arguments: [limit.milliseconds])
            return try Row.fetchAll(database, sql: "SELECT * FROM idempotency ORDER BY at_ms, key").map { row in
                KeyedRequest(
                    key: row["key"], question: row["question"], answer: (row["answer"] as String?).flatMap { JSONValue(parsing: $0) },
                    at: Date(milliseconds: row["at_ms"]))
            }
        }
    }

    /// Writes a request, in place of an earlier one with its key.
    func keep(_ request: KeyedRequest) async throws {
        let answer = request.answer.map { String(decoding: JSONText.encode($0), as: UTF8.self) }
        try await pool.write { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO idempotency (key, question, answer, at_ms) VALUES (?, ?, ?, ?)",
                arguments: [request.key, request.question, answer, request.at.milliseconds])
        }
    }

    func forget(key: String) async throws {
        try await pool.write { try $0.execute(sql: "DELETE FROM idempotency WHERE key = ?", arguments: [key]) }
    }
}
