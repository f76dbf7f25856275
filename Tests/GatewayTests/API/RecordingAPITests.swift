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
