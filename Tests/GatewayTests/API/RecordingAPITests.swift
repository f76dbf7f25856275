import Foundation
import Testing

@testable import Gateway

@Suite("API: recordings", .timeLimit(.minutes(5)))
struct RecordingAPITests {
    @Test("a recording is paused and goes on")
    func pausing() async throws {
        try await APIFixture.run { fixture in
            let (recorded, plain) = (RecordFixture.id(1), RecordFixture.id(2))
            fixture.calls.calls.withLockedValue { $0 = [1, 2].map { RunningCall(state: "connected", record: RecordFixture.call($0)) } }
            fixture.calls.recordings.withLockedValue { $0[recorded] = false }
            let paused = try await fixture.request("POST", "/calls/\(recorded)/recording", body: #"{"state": "paused"}"#)
            #expect(paused.status == 200 && paused.json == ["file": .string("2026-11-28/\(recorded).wav"), "state": "paused"])
            #expect(fixture.calls.recordings.withLockedValue { $0 } == [recorded: true])
            let resumed = try await fixture.request("POST", "/calls/\(recorded)/recording", body: #"{"state": "recording"}"#)
            #expect(resumed.status == 200 && resumed.json?["state"] == "recording")
            #expect(fixture.calls.recordings.withLockedValue { $0 } == [recorded: false])
            for (path, body, status) in [
                ("\(plain)", #"{"state": "paused"}"#, 409), ("\(RecordFixture.id(3))", #"{"state": "paused"}"#, 404), ("x", #"{"state": "paused"}"#, 404),
                ("\(recorded)", #"{"state": "stopped"}"#, 400), ("\(recorded)", "paused", 400), ("\(recorded)", "", 400),
                ("\(recorded)", #"["paused"]"#, 400), ("\(recorded)", String(repeating: " ", count: 1025), 413),
            ] {
                let answer = try await fixture.request("POST", "/calls/\(path)/recording", body: body)
                #expect(answer.status == status, "\(path) \(body.prefix(30))")
                #expect(answer.headers["content-type"] == "application/problem+json")
            }
            #expect(fixture.calls.recordings.withLockedValue { $0 } == [recorded: false])
        }
    }

    /// Stores a record whose recording is there, and its bytes.
    private static func store(_ fixture: APIFixture, _ number: Int, _ text: String, format: String = "wav") async throws -> CallRecord {
        var record = RecordFixture.call(number)
        record.recording = .init(file: "2026-11-22/\(record.id).\(format)", state: .finished)
        let path = "\(fixture.records.folder)/recordings/2026-11-22"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(record.id).\(format)"))
        fixture.store.store(record)
        await fixture.store.flush()
        return record
    }

    @Test("a recording is fetched, whole and in part, and deleted")
    func fetching() async throws {
        try await APIFixture.run { fixture in
            let record = try await Self.store(fixture, 1, "0123456789")
            for path in ["/records/\(record.id)/recording", "/calls/\(record.id)/recording"] {
                let whole = try await fixture.request("GET", path)
                #expect(whole.status == 200 && whole.body == "0123456789" && whole.headers["content-type"] == "audio/wav")
                #expect(whole.headers["accept-ranges"] == "bytes" && whole.headers["content-disposition"] == "attachment; filename=\"\(record.id).wav\"")
                let part = try await fixture.request("GET", path, ["Range": "bytes=2-4"])
                #expect(part.status == 206 && part.body == "234" && part.headers["content-range"] == "bytes 2-4/10")
                let behind = try await fixture.request("GET", path, ["Range": "bytes=10-"])
                #expect(behind.status == 416 && behind.headers["content-range"] == "bytes */10")
                #expect(try await fixture.request("GET", path, ["Range": "lines=1-2"]).body == "0123456789")
            }
            let opus = try await Self.store(fixture, 2, "OggS", format: "opus")
            #expect(try await fixture.request("GET", "/records/\(opus.id)/recording").headers["content-type"] == "audio/ogg; codecs=opus")
            #expect(try await fixture.request("GET", "/records?recorded=true").items("id") == [opus.id.description, record.id.description])
            let path = "/records/\(record.id)/recording"
            #expect(try await fixture.request("DELETE", path).status == 204)
            #expect(try await fixture.request("GET", path).status == 410)
            #expect(try await fixture.request("DELETE", path).status == 410)
            #expect(try await fixture.request("GET", "/records/\(record.id)").json?["recording"]?["state"] == "finished")
        }
    }

    @Test("what there is no recording of, and what no name of one leads to")
    func missing() async throws {
        try await APIFixture.run { fixture in
            fixture.store.store(RecordFixture.call(1))
            var astray = RecordFixture.call(2)
            astray.recording = .init(file: "../tandem.yaml", state: .finished)
            fixture.store.store(astray)
            await fixture.store.flush()
            let running = RunningCall(state: "connected", record: RecordFixture.call(3))
            fixture.calls.calls.withLockedValue { $0 = [running] }
            for (id, status) in [(1, 404), (2, 410), (3, 409), (4, 404)] {
                for method in ["GET", "DELETE"] {
                    let answer = try await fixture.request(method, "/records/\(RecordFixture.id(id))/recording")
                    #expect(answer.status == status)
                }
            }
            #expect(try await fixture.request("GET", "/records/x/recording").status == 404)
        }
    }

    @Test("ranges", arguments: [
        ("bytes=0-0", ByteRange.part(0...0)), ("bytes=5-", .part(5...9)), ("bytes=-3", .part(7...9)), ("bytes=-20", .part(0...9)),
        ("bytes=8-99999999999999", .part(8...9)), ("bytes=10-", .unsatisfiable), ("bytes=-0", .unsatisfiable), ("bytes=4-3", nil), ("bytes=-", nil),
        ("bytes=a-b", nil), ("bytes=0-1,3-4", nil), ("bytes=+1-2", nil), ("bytes=99999999999999999999-", nil), ("items=0-1", nil), ("", nil),
    ] as [(String, ByteRange?)])
    func ranges(field: String, range: ByteRange?) { #expect(ByteRange(field, of: 10) == range) }

    @Test("calls and records tell their recording")
    func telling() async throws {
        try await APIFixture.run(token: "s3cret") { fixture in
            #expect(try await fixture.request("POST", "/calls/\(RecordFixture.id(1))/recording", body: #"{"state": "paused"}"#).status == 401)
            let headers = ["Authorization": "Bearer s3cret"]
            var record = RecordFixture.call(1)
            record.recording = .init(file: "2026-11-28/a.opus", state: .failed)
            fixture.store.store(record)
            fixture.store.store(RecordFixture.call(2))
            await fixture.store.flush()
            let stored = try await fixture.request("GET", "/records/\(record.id)", headers).json
            #expect(stored?["recording"] == ["file": "2026-11-28/a.opus", "state": "failed"])
            #expect(try await fixture.request("GET", "/records/\(RecordFixture.id(2))", headers).json?["recording"] == .null)
            record.recording?.state = .paused
            let running = RunningCall(state: "connected", record: record)
            fixture.calls.calls.withLockedValue { $0 = [running] }
            #expect(try await fixture.request("GET", "/calls/\(record.id)", headers).json?["recording"]?["state"] == "paused")
        }
    }
}
