import Foundation
import Testing

@testable import Gateway

@Suite("History of dial plans", .timeLimit(.minutes(5)))
struct PlanHistoryTests {
    @Test("versions count up, equal neighbours are one, the last fifty stay")
    func versions() async throws {
        let fixture = try RecordFixture(), store = try fixture.open()
        func add(_ text: String, _ author: String) throws -> Int64 {
            try store.addPlan(Array(text.utf8), etag: PlanText.etag(of: Array(text.utf8)), author: author, at: RecordFixture.start)
        }
        #expect(try add("a", "file") == 1)
        #expect(try add("a", "admin") == 1)
        #expect(try add("b", "admin") == 2)
        #expect(try add("a", "local") == 3)
        let versions = try await store.planVersions()
        #expect(versions.map(\.author) == ["local", "admin", "file"] && versions.map(\.number) == [3, 2, 1])
        #expect(versions[0].at == RecordFixture.start && versions[0].text.isEmpty && versions[0].etag == versions[2].etag)
        #expect(try await store.planVersion(2)?.text == Array("b".utf8))
        for number in 0..<60 { _ = try add("\(number)", "admin") }
        #expect(try await store.planVersions().map(\.number) == (14...63).reversed())
        #expect(try await store.planVersion(13) == nil)
        await store.close()
        // A number is never used twice.
        let reopened = try fixture.open()
        #expect(try reopened.addPlan([], etag: "\"\"", author: "file", at: Date()) == 64)
        await reopened.close()
    }

    @Test("entity tags are of the text, and If-Match compares them strongly", arguments: [
        ("\"a\"", true), ("*", true), ("W/\"a\"", false), ("\"b\", \"a\"", true), (" \"a\" ", true), ("\"b\"", false), ("a", false), ("", false), ("\"a", false),
    ])
    func tags(field: String, isMatch: Bool) {
        #expect(PlanText.matches(field, etag: "\"a\"") == isMatch)
        // SHA-256 of nothing.
        #expect(PlanText.etag(of: []) == "\"e3b0c44298fc1c149afbf4c8996fb924\"")
    }
}
