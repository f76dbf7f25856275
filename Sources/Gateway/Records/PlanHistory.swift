import Foundation
import GRDB

/// A dial plan that was in force.
struct PlanVersion: Sendable, Equatable {
    /// Counts up; never used twice.
    var number: Int64
    var at: Date
    /// Who brought it: `admin`, `local` or `file`.
    var author: String
    var etag: String
    var text: [UInt8]
}

/// The last dial plans, in the same database as the records.
extension RecordStore {
    /// More are forgotten, the oldest first.
    static let planLimit = 50

    /// Adds a version, unless the newest is the same text.
    /// - Returns: its number.
    @discardableResult
    func addPlan(_ text: [UInt8], etag: String, author: String, at date: Date) throws -> Int64 {
        try pool.write { database in
            let newest = try Row.fetchOne(database, sql: "SELECT number, etag FROM plans ORDER BY number DESC LIMIT 1")
            if let newest, newest["etag"] as String == etag { return newest["number"] }
            try database.execute(
                sql: "INSERT INTO plans (at_ms, author, etag, text) VALUES (?, ?, ?, ?)",
                arguments: [date.milliseconds, author, etag, Data(text)])
            let number = database.lastInsertedRowID
            try database.execute(
                sql: "DELETE FROM plans WHERE number NOT IN (SELECT number FROM plans ORDER BY number DESC LIMIT ?)", arguments: [Self.planLimit])
            return number
        }
    }

    /// The newest first, without their texts.
    func planVersions() async throws -> [PlanVersion] {
        try await pool.read { database -> [PlanVersion] in
            try Row.fetchAll(database, sql: "SELECT number, at_ms, author, etag, x'' AS text FROM plans ORDER BY number DESC").map(Self.version)
        }
    }

    func planVersion(_ number: Int64) async throws -> PlanVersion? {
        try await pool.read { database -> PlanVersion? in
            try Row.fetchOne(database, sql: "SELECT * FROM plans WHERE number = ?", arguments: [number]).map(Self.version)
        }
    }

    private static func version(_ row: Row) -> PlanVersion {
        PlanVersion(
            number: row["number"], at: Date(milliseconds: row["at_ms"]), author: row["author"], etag: row["etag"], text: Array(row["text"] as Data))
    }
}
