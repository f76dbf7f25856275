import Dispatch
import Foundation
import GRDB
import Logging
import NIOConcurrencyHelpers

/// The database of calls and dial plans: SQLite with a write-ahead log, written by a queue of its own.
///
/// A call never waits for it: `store` puts the record into a bounded list and returns. What cannot be written (the disk is full) is
/// tried again with the next record and counted once it is lost.
final class RecordStore: Sendable {
    /// The database cannot be opened: the configuration names a file that is none, or a place where none can be.
    struct Unavailable: Error, CustomStringConvertible {
        var path: String
        var reason: String

        var description: String {
            "calls.database: \(path) cannot be opened: \(reason); name a file in a folder that this user may write"
        }
    }

    struct Counters: Sendable, Equatable {
        var stored = 0
        /// Records given up, because too many waited or the database refused them.
        var dropped = 0
        /// Transactions that failed.
        var failures = 0
        var waiting = 0
    }

    /// Records that may wait: some minutes of the calls of a busy gateway, and about 50 MB at worst.
    static let queueLimit = 10_000
    /// Records in a transaction: a commit costs a write to the disk, however many are in it.
    static let batchLimit = 500
    /// Records deleted in a transaction, so that writing is never held up for long.
    static let pruneLimit = 5_000
    static let pruneInterval = DispatchTimeInterval.seconds(3600)

    private struct State {
        var waiting: [CallRecord] = []
        /// Taken from those that wait, and not in the database yet.
        var writing: [CallRecord] = []
        var isScheduled = false
        var counters = Counters()
        var retentionDays: Int
        /// Said once, until a write succeeds.
        var hasComplained = false
        var isClosed = false
    }

    let pool: DatabasePool
    private let queue = DispatchQueue(label: "tandem.records", qos: .utility)
    private let state: NIOLockedValueBox<State>
    private let logger: Logger

    /// Opens the database, makes its folder and its tables, and deletes what is too old.
    /// - Throws: `Unavailable`.
    init(path: String, retentionDays: Int, logger: Logger) throws(Unavailable) {
        self.logger = logger
        state = NIOLockedValueBox(State(retentionDays: retentionDays))
        do {
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            pool = try DatabasePool(path: path, configuration: Self.settings)
            try RecordSchema.migrator.migrate(pool)
        } catch {
            throw Unavailable(path: path, reason: Self.reason(of: error))
        }
        queue.async { [weak self] in self?.pruneAndReschedule() }
    }

    private static var settings: GRDB.Configuration {
        var settings = GRDB.Configuration()
        // Another process may look into it, or prune it.
        settings.busyMode = .timeout(5)
        settings.maximumReaderCount = 4
        settings.qos = .utility
        settings.label = "tandem.records"
        return settings
    }

    var counters: Counters {
        state.withLockedValue { state in
            var counters = state.counters
            counters.waiting = state.waiting.count
            return counters
        }
    }

    /// Takes a record to be written. When too many wait the oldest is dropped.
    func store(_ record: CallRecord) {
        let mustSchedule = state.withLockedValue { state in
            guard !state.isClosed else {
                state.counters.dropped += 1
                return false
            }
            if state.waiting.count >= Self.queueLimit {
                state.waiting.removeFirst()
                state.counters.dropped += 1
            }
            state.waiting.append(record)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if mustSchedule { queue.async { self.write() } }
    }

    /// A record that is not in the database yet: between the end of a call and that moment nobody must miss it.
    func unwritten(_ id: CallID) -> CallRecord? {
        state.withLockedValue { state in state.waiting.last { $0.id == id } ?? state.writing.last { $0.id == id } }
    }

    func setRetention(days: Int) {
        state.withLockedValue { $0.retentionDays = days }
    }

    /// Writes what waits, and nothing more from then on.
    func close() async {
        state.withLockedValue { $0.isClosed = true }
        await withCheckedContinuation { done in
            queue.async {
                self.write()
                try? self.pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
                try? self.pool.close()
                done.resume()
            }
        }
    }

    /// Returns once everything stored so far was written, or could not be.
    func flush() async {
        await withCheckedContinuation { done in
            queue.async {
                self.write()
                done.resume()
            }
        }
    }

    // MARK: On the queue

    private func write() {
        while true {
            let batch = state.withLockedValue { state in
                let batch = Array(state.waiting.prefix(Self.batchLimit))
                state.waiting.removeFirst(batch.count)
                state.writing = batch
                if batch.isEmpty { state.isScheduled = false }
                return batch
            }
            guard !batch.isEmpty else { return }
            do {
                try pool.write { database in
                    for record in batch { try CallRow(record).insert(database) }
                }
                succeeded(batch.count)
            } catch {
                return failed(batch, error)
            }
        }
    }

    private func succeeded(_ count: Int) {
        let wasBroken = state.withLockedValue { state in
            state.counters.stored += count
            state.writing = []
            defer { state.hasComplained = false }
            return state.hasComplained
        }
        if wasBroken { logger.notice("call records are written again") }
    }

    /// What may work later goes back to the front, as far as there is room; the next record brings the next attempt.
    private func failed(_ batch: [CallRecord], _ error: any Error) {
        let isFirst = state.withLockedValue { state in
            state.counters.failures += 1
            state.isScheduled = false
            let room = Self.mayPass(error) ? max(0, Self.queueLimit - state.waiting.count) : 0
            state.counters.dropped += max(0, batch.count - room)
            state.waiting.insert(contentsOf: batch.suffix(room), at: 0)
            state.writing = []
            defer { state.hasComplained = true }
            return !state.hasComplained
        }
        if isFirst { logger.error("call records cannot be written: \(Self.reason(of: error)); calls go on") }
    }

    private static func mayPass(_ error: any Error) -> Bool {
        guard let code = (error as? DatabaseError)?.resultCode else { return false }
        return [.SQLITE_FULL, .SQLITE_IOERR, .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_READONLY, .SQLITE_CANTOPEN].contains(code)
    }

    private func pruneAndReschedule() {
        guard !state.withLockedValue({ $0.isClosed }) else { return }
        prune(now: Date())
        queue.asyncAfter(deadline: .now() + Self.pruneInterval) { [weak self] in self?.pruneAndReschedule() }
    }

    /// Deletes records of calls that ended longer ago than they are kept.
    /// - Returns: how many.
    @discardableResult
    func prune(now: Date) -> Int {
        let days = state.withLockedValue { $0.retentionDays }
        guard days > 0 else { return 0 }
        let limit = now.milliseconds - Int64(days) * 86_400_000
        var total = 0
        do {
            while true {
                let count = try pool.write { database in
                    try database.execute(
                        sql: "DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE ended_ms < ? LIMIT ?)", arguments: [limit, Self.pruneLimit])
                    return database.changesCount
                }
                total += count
                if count < Self.pruneLimit { return total }
            }
        } catch {
            logger.warning("old call records cannot be deleted: \(Self.reason(of: error))")
            return total
        }
    }

    static func reason(of error: any Error) -> String {
        if let error = error as? DatabaseError { return error.message ?? "\(error.resultCode)" }
        let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError ?? error as NSError
        return cause.domain == NSPOSIXErrorDomain ? String(cString: strerror(Int32(cause.code))) : "\(error)"
    }
}
