import Foundation
import GRDB
import Testing

@testable import Gateway

@Suite("Call records", .timeLimit(.minutes(5)))
struct RecordStoreTests {
    @Test("a record comes back as it was stored, times to the millisecond")
    func roundTrip() async throws {
        let fixture = try RecordFixture(), store = try fixture.open()
        let record = RecordFixture.whole()
        store.store(record)
        await store.flush()
        #expect(try await store.record(record.id) == record)
        #expect(try await store.record(RecordFixture.id(99)) == nil)
        #expect(store.counters == .init(stored: 1))
        // Stored again, it is there once.
        store.store(record)
        await store.flush()
        #expect(try await store.page(.init(), limit: 10).records == [record])
        await store.close()
    }

    @Test("what was committed is there after the process was killed, by its write-ahead log")
    func killed() async throws {
        let fixture = try RecordFixture(), store = try fixture.open()
        for number in 1...20 { store.store(RecordFixture.call(number)) }
        await store.flush()
        // The files as kill -9 leaves them: copied while the database is open, no checkpoint, no close.
        let wal = try FileManager.default.attributesOfItem(atPath: fixture.path + "-wal")[.size] as? Int
        #expect(try #require(wal) > 0)
        let copy = try RecordFixture()
        try FileManager.default.createDirectory(atPath: copy.folder + "/data", withIntermediateDirectories: true)
        for suffix in ["", "-wal"] { try FileManager.default.copyItem(atPath: fixture.path + suffix, toPath: copy.path + suffix) }
        let reopened = try copy.open()
        #expect(try await reopened.page(.init(), limit: 100).records.count == 20)
        reopened.store(RecordFixture.call(21))
        await reopened.flush()
        #expect(try await reopened.page(.init(), limit: 100).records.count == 21)
        await reopened.close()
        // A torn end of the log costs what was in it, not the database.
        let torn = try RecordFixture()
        try FileManager.default.createDirectory(atPath: torn.folder + "/data", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: fixture.path, toPath: torn.path)
        var log = try Data(contentsOf: URL(fileURLWithPath: fixture.path + "-wal"))
        log.removeLast(2000)
        try log.write(to: URL(fileURLWithPath: torn.path + "-wal"))
        let left = try torn.open()
        #expect(try await left.page(.init(), limit: 100).records.count < 20)
        left.store(RecordFixture.call(22))
        await left.flush()
        #expect(try await left.record(RecordFixture.id(22)) != nil)
        await left.close()
        await store.close()
    }

    @Test("records wait for the end of the process to be written, and none is taken after it")
    func closing() async throws {
        let fixture = try RecordFixture(), store = try fixture.open()
        for number in 1...1200 { store.store(RecordFixture.call(number)) }
        await store.close()
        store.store(RecordFixture.call(1201))
        #expect(store.counters.stored == 1200 && store.counters.dropped == 1)
        // The log went into the database: that file alone is everything.
        #expect((FileManager.default.contents(atPath: fixture.path + "-wal") ?? Data()).isEmpty)
        let reopened = try fixture.open()
        #expect(try await reopened.page(.init(), limit: 5000).records.count == 1200)
        await reopened.close()
    }

    @Test("records are deleted a number of days after the call's end, or never")
    func retention() async throws {
        let fixture = try RecordFixture(), store = try fixture.open()
        for number in 1...10 { store.store(RecordFixture.call(number)) }
        await store.flush()
        let tenYears = RecordFixture.start.addingTimeInterval(86_400 * 3650)
        #expect(store.prune(now: tenYears) == 0)
        store.setRetention(days: 2)
        // Call 5 ended five minutes and six seconds after the start.
        #expect(store.prune(now: RecordFixture.start.addingTimeInterval(2 * 86_400 + 306)) == 4)
        #expect(store.prune(now: RecordFixture.start.addingTimeInterval(2 * 86_400 + 306.002)) == 1)
        #expect(try await store.page(.init(), limit: 100).records.map(\.id) == (6...10).reversed().map(RecordFixture.id))
        await store.close()
        // Everything is older than that by now.
        let reopened = try fixture.open(retentionDays: 1)
        _ = reopened.prune(now: tenYears)
        #expect(try await reopened.page(.init(), limit: 100).records.isEmpty)
        await reopened.close()
    }

    @Test("a full list drops its oldest and counts them, and never waits")
    func fullList() async throws {
        let fixture = try RecordFixture(), store = try fixture.open()
        // Somebody holds the database: nothing can be written.
        var settings = GRDB.Configuration()
        settings.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: fixture.path, configuration: settings)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN EXCLUSIVE") }
        let first = RecordFixture.call(0)
        for _ in 0..<RecordStore.queueLimit + RecordStore.batchLimit + 100 { store.store(first) }
        let counters = store.counters
        #expect(counters.waiting <= RecordStore.queueLimit)
        #expect(counters.dropped >= 100)
        try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        await store.flush()
        #expect(store.counters.waiting == 0)
        #expect(try await store.page(.init(), limit: 10).records.count == 1)
        await store.close()
    }

    @Test("what cannot be written now is written with the next record; what never can is dropped")
    func failures() async throws {
        let fixture = try RecordFixture(), store = try fixture.open()
        // A full disk, as SQLite sees one.
        try await store.pool.writeWithoutTransaction { database in
            let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
            try database.execute(sql: "PRAGMA max_page_count = \(pages)")
        }
        var large = RecordFixture.call(1)
        large.explanation = CallExplanation(json: String(repeating: "x", count: 200_000))
        store.store(large)
        await store.flush()
        // Storing and flushing both try.
        func counted() -> [Int] { [store.counters.stored, store.counters.dropped, store.counters.waiting] }
        #expect(counted() == [0, 0, 1] && store.counters.failures > 0)
        try await store.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = 1000000") }
        store.store(RecordFixture.call(2))
        await store.flush()
        #expect(counted() == [2, 0, 0])
        try await store.pool.write { try $0.execute(sql: "DROP TABLE calls") }
        store.store(RecordFixture.call(3))
        await store.flush()
        #expect(counted() == [2, 1, 0])
        await store.close()
    }

    @Test("a database that cannot be opened is named, with what to do")
    func unavailable() throws {
        let fixture = try RecordFixture()
        try Data("this is no database, and never was one; it is longer than a header of a hundred bytes is, to be sure of it.".utf8)
            .write(to: URL(fileURLWithPath: fixture.folder + "/notes.txt"))
        for (path, words) in [("/notes.txt", "file is not a database"), ("", "cannot be opened"), ("/notes.txt/x/calls.db", "Not a directory")] {
            let error = #expect(throws: RecordStore.Unavailable.self) {
                _ = try RecordStore(path: fixture.folder + path, retentionDays: 0, logger: RecordFixture.logger)
            }
            let text = try #require(error).description
            #expect(text.hasPrefix("calls.database: \(fixture.folder)\(path) cannot be opened: ") && text.contains(words), "\(text)")
            #expect(text.hasSuffix("; name a file in a folder that this user may write"))
        }
    }

    @Test("a database of an older release gets what it lacks, and keeps what it has")
    func migration() async throws {
        let fixture = try RecordFixture(), store = try fixture.open()
        store.store(RecordFixture.call(1))
        await store.flush()
        try await store.pool.write { database in
            try database.execute(
                sql: """
                    DROP TABLE plans; DELETE FROM grdb_migrations WHERE identifier = '1 plans';
                    DROP INDEX calls_account; ALTER TABLE calls DROP COLUMN answered_by; ALTER TABLE calls DROP COLUMN account;
                    DROP TABLE idempotency; DELETE FROM grdb_migrations WHERE identifier = '3 placed calls';
                    """)
        }
        await store.close()
        // Without its new columns too a database can be read.
        #expect(try PastCalls.read(database: fixture.path, last: 10).count == 1)
        let reopened = try fixture.open()
        #expect(try await reopened.planVersions().isEmpty && reopened.keyedRequests(since: .distantPast).isEmpty)
        reopened.store(RecordFixture.whole())
        await reopened.flush()
        #expect(try await reopened.record(RecordFixture.id(1))?.answeredBy == "human")
        #expect(try await reopened.record(RecordFixture.id(1)) != nil)
        await reopened.close()
    }
}
