import Foundation
import NIOCore
import Testing

@testable import Gateway

@Suite("API: calls are placed, given away and listed", .timeLimit(.minutes(5)))
struct CallControlAPITests {
    private static let order = #"{"to": "+14155550199", "agent": "bot", "via": "acme", "from": "+14155550100", "parameters": {"a": "b"}, "ring_seconds": 30, "machine_detection": true, "status_url": "https://shop.example/calls?key=1"}"#

    @Test("a call is placed as ordered")
    func place() async throws {
        try await APIFixture.run { fixture in
            let answer = try await fixture.request("POST", "/calls", ["Content-Type": "application/json"], body: Self.order)
            let id = RecordFixture.call(1).id.description
            #expect(answer.status == 201 && answer.headers["location"] == "/api/v1/calls/\(id)" && answer["id"] == id)
            let order = OutboundOrder(
                to: "+14155550199", agent: "bot", via: "acme", from: "+14155550100", parameters: ["a": "b"], ringSeconds: 30, detectsMachine: true,
                statusURL: WebSocketAgentTransport.URL("wss://shop.example/calls?key=1"))
            #expect(fixture.calls.placed.withLockedValue { $0 } == [order])
            let least = try await fixture.request("POST", "/calls", body: #"{"to": "demo", "agent": "bot", "from": null}"#)
            #expect(least.status == 201 && fixture.calls.placed.withLockedValue { $0.last } == OutboundOrder(to: "demo", agent: "bot"))
        }
    }

    @Test("a body that cannot be meant is refused", arguments: [
        "", "[]", "{}", #"{"to": "1"}"#, #"{"agent": "bot"}"#, #"{"to": "", "agent": "bot"}"#, #"{"to": 1, "agent": "bot"}"#, #"{"to": "1", "agent": "bot", "ring": 3}"#,
        #"{"to": "1", "agent": "bot", "ring_seconds": 0}"#, #"{"to": "1", "agent": "bot", "ring_seconds": "5"}"#, #"{"to": "1", "agent": "bot", "ring_seconds": 1.5}"#,
        #"{"to": "1", "agent": "bot", "from": "me; x=y"}"#, #"{"to": "1", "agent": "bot", "from": "+"}"#, #"{"to": "1", "agent": "bot", "parameters": []}"#,
        #"{"to": "1", "agent": "bot", "status_url": "ftp://shop.example/"}"#, #"{"to": "1", "agent": "bot", "status_url": "http://me:pw@shop.example/"}"#,
        #"{"to": "1", "agent": "bot", "machine_detection": 1}"#, #"{"to": "1", "agent": "bot", "parameters": {"a": 1}}"#, #"{"to": "1\u0000", "agent": "bot"}"#,
    ])
    func badBody(body: String) async throws {
        try await APIFixture.run { fixture in
            let answer = try await fixture.request("POST", "/calls", ["Content-Type": "application/json"], body: body)
            #expect(answer.status == 400 && answer["detail"]?.isEmpty == false)
            #expect(fixture.calls.placed.withLockedValue { $0.isEmpty })
        }
    }

    @Test("what the switchboard refuses")
    func refusals() async throws {
        try await APIFixture.run { fixture in
            #expect(try await fixture.request("POST", "/calls", ["Content-Type": "text/html"], body: Self.order).status == 415)
            fixture.calls.placing.withLockedValue {
                $0 = .failure(OutboundRefusal(httpStatus: 429, detail: "Slowly.", end: CallEnd(.overload), retryAfter: 1))
            }
            let answer = try await fixture.request("POST", "/calls", ["Idempotency-Key": "k"], body: Self.order)
            #expect(answer.status == 429 && answer.headers["retry-after"] == "1" && answer["detail"] == "Slowly." && answer["cause"] == "overload")
            #expect(answer["title"] == "Too Many Requests")
            // What was refused may be tried again with its key.
            fixture.calls.placing.withLockedValue { $0 = .success(RunningCall(state: "routing", record: RecordFixture.call(1))) }
            #expect(try await fixture.request("POST", "/calls", ["Idempotency-Key": "k"], body: Self.order).status == 201)
        }
    }

    @Test("a request that is sent again places no second call")
    func idempotency() async throws {
        try await APIFixture.run { fixture in
            let first = try await fixture.request("POST", "/calls", ["Idempotency-Key": "\"a\""], body: Self.order)
            fixture.calls.placing.withLockedValue { $0 = .success(RunningCall(state: "routing", record: RecordFixture.call(2))) }
            // The same members in another order are the same body.
            let again = try await fixture.request("POST", "/calls", ["Idempotency-Key": "\"a\""], body: Self.order.replacing(", \"from\": \"+14155550100\"", with: "")
                .replacing("{\"to\"", with: "{\"from\": \"+14155550100\", \"to\""))
            #expect(first.status == 201 && again.status == 201 && again.json == first.json && again.headers["location"] == first.headers["location"])
            #expect(fixture.calls.placed.withLockedValue { $0.count } == 1)
            let other = try await fixture.request("POST", "/calls", ["Idempotency-Key": "\"a\""], body: #"{"to": "demo", "agent": "bot"}"#)
            #expect(other.status == 422)
            #expect(try await fixture.request("POST", "/calls", ["Idempotency-Key": "\"b\""], body: Self.order)["id"] == RecordFixture.call(2).id.description)
            #expect(try await fixture.request("POST", "/calls", ["Idempotency-Key": String(repeating: "x", count: 256)], body: Self.order).status == 400)
        }
    }

    /// Another process with the same database.
    private static func restarted(_ fixture: APIFixture, _ key: String, _ body: String) throws -> IdempotencyKeys<String>.Finding {
        let kept = try fixture.store.keyedRequests(since: Date().addingTimeInterval(-86_400))
        let keys = IdempotencyKeys(kept: kept.map { ($0.key, $0.question, $0.answer, NIODeadline.now()) })
        let order = OutboundOrder(to: body, agent: "bot")
        return keys.begin(key, order.digest, now: .now())
    }

    @Test("idempotency keys outlive the process")
    func keysOutliveTheProcess() async throws {
        let plain = #"{"to": "+14155550199", "agent": "bot"}"#
        try await APIFixture.run { fixture in
            let placed = try await fixture.request("POST", "/calls", ["Idempotency-Key": "a"], body: plain)
            #expect(placed.status == 201)
            #expect(try Self.restarted(fixture, "a", "+14155550199") == .answered(try #require(placed.json)))
            #expect(try Self.restarted(fixture, "a", "+14155550198") == .differs)
            // What was refused may be tried again, by the next process too.
            fixture.calls.placing.withLockedValue { $0 = .failure(OutboundRefusal(httpStatus: 503, detail: "No.")) }
            #expect(try await fixture.request("POST", "/calls", ["Idempotency-Key": "b"], body: plain).status == 503)
            #expect(try Self.restarted(fixture, "b", "+14155550199") == .new)
            // The process ended before it answered.
            let question = OutboundOrder(to: "+14155550199", agent: "bot").digest
            try await fixture.store.keep(KeyedRequest(key: "c", question: question, at: Date()))
            #expect(try Self.restarted(fixture, "c", "+14155550199") == .lost)
            try await fixture.store.keep(KeyedRequest(key: "d", question: question, at: Date().addingTimeInterval(-90_000)))
            #expect(try Self.restarted(fixture, "d", "+14155550199") == .new)
        }
    }

    @Test("a call is given to somebody else")
    func transfer() async throws {
        try await APIFixture.run { fixture in
            let id = RecordFixture.id(1)
            let answer = try await fixture.request("POST", "/calls/\(id)/transfer", body: #"{"to": "+14155550199", "ring_seconds": 20}"#)
            #expect(answer.status == 202 && answer["id"] == id.description)
            let transfers = fixture.calls.transfers.withLockedValue { $0 }
            #expect(transfers.map(\.0) == [id] && transfers.map(\.1) == [AgentTransfer(target: "+14155550199", ringSeconds: 20)])
            for status in [404, 409] {
                fixture.calls.refusal.withLockedValue { $0 = TransferRefusal(httpStatus: status, detail: "No.") }
                #expect(try await fixture.request("POST", "/calls/\(id)/transfer", body: #"{"to": "demo"}"#).status == status)
            }
            #expect(try await fixture.request("POST", "/calls/x/transfer", body: #"{"to": "demo"}"#).status == 404)
            #expect(try await fixture.request("POST", "/calls/\(id)/transfer", body: #"{"to": ""}"#).status == 400)
            #expect(try await fixture.request("POST", "/calls/\(id)/transfer", body: #"{"to": "demo", "x": 1}"#).status == 400)
            #expect(try await fixture.request("GET", "/calls/\(id)/transfer").status == 405)
        }
    }

    @Test("calls that run, page by page")
    func pages() async throws {
        try await APIFixture.run { fixture in
            let all = (1...5).map { RunningCall(state: "connected", record: RecordFixture.call($0)) }
            fixture.calls.calls.withLockedValue { $0 = all.reversed() }
            let first = try await fixture.request("GET", "/calls?limit=2")
            #expect(first.items("id") == all.prefix(2).map(\.record.id.description))
            let cursor = try #require(first.json?["next"]?.text)
            // The call that the page ended with is over meanwhile.
            fixture.calls.calls.withLockedValue { $0.removeAll { $0.record.id == all[1].record.id } }
            let second = try await fixture.request("GET", "/calls?limit=3&cursor=\(cursor)")
            #expect(second.items("id") == all.suffix(3).map(\.record.id.description) && second.json?["next"] == .null)
            for query in ["limit=0", "limit=1001", "cursor=x", "via=acme"] { #expect(try await fixture.request("GET", "/calls?\(query)").status == 400) }
        }
    }

    @Test("how agents and trunks do")
    func health() async throws {
        try await APIFixture.run { fixture in
            let url = "wss://agents.example/media?key=hunter2"
            fixture.health.answered(url)
            for _ in 1...AgentHealth.limit { fixture.health.failed(url, reason: "connection refused", now: .now()) }
            fixture.calls.counted.withLockedValue {
                $0.agents = [AgentUse(name: "demo", calls: 2), AgentUse(name: "bot", urls: [url])]
                $0.trunks = [TrunkUse(name: "acme", calls: 3)]
                $0.callsOut = [CallOut(trunk: "acme", result: "busy"): 4, CallOut(trunk: "other", result: "answered"): 1]
            }
            let agents = try await fixture.request("GET", "/agents"), trunks = try await fixture.request("GET", "/trunks")
            #expect(agents.items("calls") == ["2", "0"] && agents.items("state") == ["available", "failing"] && !agents.body.contains("hunter2"))
            guard case .array(let items)? = agents.json?["items"], case .array(let addresses)? = items[1]["addresses"] else {
                throw APIFixture.Broken(description: "no addresses")
            }
            let address = try #require(addresses.first)
            #expect(address["answered"] == .integer(1) && address["failed"] == .integer(3) && address["last_failure"] == "connection refused")
            if case .integer(let rest)? = address["rests_ms"] { #expect(rest > 0 && rest <= 5000) } else { Issue.record("no rest") }
            #expect(trunks.items("calls") == ["3"] && trunks.body.contains(#""calls_out":{"busy":4}"#))
        }
    }
}

@Suite("Idempotency keys")
struct IdempotencyKeysTests {
    @Test func keysAreKeptForADayAndTheOldestGoFirst() {
        let keys = IdempotencyKeys<Int>()
        let start = NIODeadline.uptimeNanoseconds(1)
        #expect(keys.begin("a", 1, now: start) == .new)
        #expect(keys.begin("a", 1, now: start) == .running)
        #expect(keys.begin("a", 2, now: start) == .differs)
        keys.finish("a", "done")
        #expect(keys.begin("a", 1, now: start + .hours(24) - .nanoseconds(1)) == .answered("done"))
        #expect(keys.begin("a", 2, now: start + .hours(24)) == .new)
        // A key that was given up is no one's.
        keys.finish("a", nil)
        #expect(keys.begin("a", 3, now: start + .hours(24)) == .new)
        for number in 0...IdempotencyKeys<Int>.limit { #expect(keys.begin("\(number)", number, now: start + .hours(25)) == .new) }
        #expect(keys.begin("a", 4, now: start + .hours(25)) == .new)
        #expect(keys.begin("\(IdempotencyKeys<Int>.limit)", 0, now: start + .hours(25)) == .differs)
    }
}
