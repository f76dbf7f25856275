import Dialplan
import Foundation
import GRDB
import Testing

@testable import Gateway

@Suite("Questions to call records", .timeLimit(.minutes(5)))
struct RecordQueryTests {
    private func store(_ count: Int) async throws -> (RecordFixture, RecordStore) {
        let fixture = try RecordFixture(), store = try fixture.open()
        for number in 1...count { store.store(RecordFixture.call(number, via: number > 5 ? "browser" : "acme")) }
        await store.flush()
        return (fixture, store)
    }

    @Test("pages follow one another, the newest first, and calls that end meanwhile shift nothing")
    func paging() async throws {
        let (fixture, store) = try await store(10)
        var seen: [CallID] = []
        var cursor: PageCursor?
        for page in 0..<4 {
            let found = try await store.page(.init(), after: cursor, limit: 3)
            seen += found.records.map(\.id)
            #expect((found.next == nil) == (page == 3))
            cursor = found.next
            // As it goes over the wire.
            cursor = try cursor.map { try #require(PageCursor($0.description)) }
            store.store(RecordFixture.call(100 + page))
            await store.flush()
        }
        #expect(seen == (1...10).reversed().map(RecordFixture.id))
        // Calls of the same millisecond are told apart by their identifiers.
        var twins = (200...204).map { RecordFixture.call($0) }
        for index in twins.indices { twins[index].startedAt = RecordFixture.start.addingTimeInterval(1e6) }
        twins.forEach(store.store)
        await store.flush()
        let first = try await store.page(.init(), limit: 2)
        let second = try await store.page(.init(), after: first.next, limit: 3)
        #expect((first.records + second.records).map(\.id) == twins.reversed().map(\.id))
        await store.close()
        withExtendedLifetime(fixture) {}
    }

    @Test("a page that ends with the last record says so")
    func lastPage() async throws {
        let (fixture, store) = try await store(4)
        #expect(try await store.page(.init(), limit: 4).next == nil)
        #expect(try await store.page(.init(), limit: 3).next != nil)
        #expect(try await store.page(RecordFilter(via: "nobody"), limit: 3).records.isEmpty)
        await store.close()
        withExtendedLifetime(fixture) {}
    }

    @Test("filters", arguments: [
        (RecordFilter(via: "browser"), [6, 7, 8, 9, 10]), (RecordFilter(route: "support line"), [1, 2, 4, 5, 7, 8, 10]),
        (RecordFilter(cause: .callerHangup), [1, 3, 5, 7, 9]), (RecordFilter(from: "+14155550100"), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        (RecordFilter(from: "4155550100"), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), (RecordFilter(from: "1"), []), (RecordFilter(to: "+14155551007"), [7]), (RecordFilter(to: "7"), [7]),
        (RecordFilter(since: RecordFixture.start.addingTimeInterval(540)), [9, 10]), (RecordFilter(until: RecordFixture.start.addingTimeInterval(120)), [1]),
        (RecordFilter(minSeconds: 7), [7, 9]), (RecordFilter(maxSeconds: 3), [1, 2, 3, 4, 6, 8, 10]), (RecordFilter(answered: true), [1, 3, 5, 7, 9]),
        (RecordFilter(via: "acme", cause: .noRoute, answered: false), [2, 4]), (RecordFilter(via: "' OR 1=1 --"), []),
    ] as [(RecordFilter, [Int])])
    func filters(filter: RecordFilter, expected: [Int]) async throws {
        let (fixture, store) = try await store(10)
        #expect(try await store.page(filter, limit: 100).records.map(\.id) == expected.reversed().map(RecordFixture.id))
        await store.close()
        withExtendedLifetime(fixture) {}
    }

    @Test("cursors that nobody gave out", arguments: ["", "-", "1", "1-", "x-0000000000000000000000000000000a", "-1-0000000000000000000000000000000a", "1-0a", "1-2-3"])
    func cursors(text: String) {
        #expect(PageCursor(text) == nil)
    }

    @Test("a row that somebody damaged hides no other")
    func damage() async throws {
        let (fixture, store) = try await store(3)
        try await store.pool.write { try $0.execute(sql: "UPDATE calls SET legs = 'not json' WHERE id = ?", arguments: [RecordFixture.id(2).description]) }
        #expect(try await store.page(.init(), limit: 10).records.map(\.id) == [3, 1].map(RecordFixture.id))
        #expect(try await store.record(RecordFixture.id(2)) == nil)
        #expect(try await store.pastCalls(last: 10).count == 2)
        await store.close()
        withExtendedLifetime(fixture) {}
    }

    @Test("past calls are what routing them again needs")
    func pastCalls() async throws {
        let (fixture, store) = try await store(3)
        store.store(RecordFixture.whole())
        // By a trunk of the API's choice: no plan was asked.
        store.store(RecordFixture.call(4, via: "api"))
        await store.flush()
        let calls = try PastCalls.read(database: fixture.path, last: 2)
        #expect(calls.map(\.id) == [3, 2].map { RecordFixture.id($0).description })
        let whole = try #require(try await store.pastCalls(last: 9).last)
        #expect(whole.via == "acme" && whole.from == "4155550100" && whole.to == "1" && whole.route == "support line" && whole.outcome == "caller_hangup")
        #expect(whole.headers == [.init(name: "X-Queue", value: "gold, \"best\"")] && whole.time == RecordFixture.start.addingTimeInterval(60))
        await store.close()
        // Without a gateway at work as well.
        #expect(try PastCalls.read(database: fixture.path, last: 9).count == 3)
        let error = #expect(throws: PastCalls.Unreadable.self) { try PastCalls.read(database: fixture.folder + "/none.db", last: 1) }
        #expect(try #require(error).description.hasPrefix("\(fixture.folder)/none.db cannot be read as call records: "))
    }

    @Test("headers a route could look at are kept, credentials and hops are not, nor what is too long or too much")
    func headers() {
        let given = [
            ("X-Queue", "gold"), ("Authorization", "Digest x"), ("proxy-authorization", "y"), ("Via", "z"), ("v", "z"), ("User-Agent", "phone"),
            ("X-Long", String(repeating: "x", count: 513)), ("Diversion", "<sip:1@a>"),
        ]
        #expect(CallRecord.routable(given.map { (name: $0.0, value: $0.1) }).map(\.name) == ["X-Queue", "User-Agent", "Diversion"])
        #expect(CallRecord.routable((0..<500).map { (name: "X-\($0)", value: "") }).count == CallRecord.listLimit)
    }
}
