import Foundation
import NIOPosix
import Testing

@testable import Gateway

@Suite("Twilio's REST resource", .timeLimit(.minutes(5)))
struct TwilioRESTTests {
    private static let owner = ["Authorization": "Basic " + Data("AC01:hunter2".utf8).base64EncodedString()]

    private static func ask(
        _ fixture: APIFixture, _ method: String, _ id: CallID, _ headers: [String: String] = owner, account: String = "AC01", form: String? = nil
    ) async throws -> RawConnection.Response {
        let connection = try await RawConnection(port: fixture.port, group: MultiThreadedEventLoopGroup.singleton)
        let path = "/2010-04-01/Accounts/\(account)/Calls/CA\(id).json"
        let all = ["Host": "localhost:\(fixture.port)", "Content-Type": FormField.mediaType].merging(headers) { $1 }
        let response = try await connection.request(method, path, all, body: form)
        try? await connection.close()
        return response
    }

    private static func record(_ number: Int, agent: String = "bot") -> CallRecord {
        var record = RecordFixture.call(number)
        record.begin(step: "agent", target: agent)
        record.stepTook()
        return record
    }

    private static func run(_ test: (APIFixture) async throws -> Void) async throws {
        try await APIFixture.run { fixture in
            var running = record(1)
            (running.endedAt, running.cause) = (nil, nil)
            let calls = [
                RunningCall(state: "connected", record: running), RunningCall(state: "ringing", record: record(2)),
                RunningCall(state: "connected", record: record(3, agent: "demo")),
            ]
            fixture.calls.calls.withLockedValue { $0 = calls }
            try await test(fixture)
        }
    }

    @Test("a call as Twilio's libraries read it")
    func get() async throws {
        try await Self.run { fixture in
            let json = try #require(try await Self.ask(fixture, "GET", RecordFixture.id(1)).json)
            #expect(json["sid"]?.text == "CA\(RecordFixture.id(1))" && json["account_sid"] == "AC01" && json["status"] == "in-progress")
            #expect(json["start_time"] == "Sun, 22 Nov 2026 00:01:01 +0000" && json["end_time"] == .null && json["duration"] == .null)
            #expect(json["from"] == "+14155550100" && json["direction"] == "inbound")
            #expect(try await Self.ask(fixture, "GET", RecordFixture.id(2)).json?["status"] == "ringing")
            fixture.store.store(Self.record(5))
            await fixture.store.flush()
            let over = try await Self.ask(fixture, "GET", RecordFixture.id(5)).json
            #expect(over?["status"] == "completed" && over?["duration"] == "5")
        }
    }

    @Test("only the account's own calls, only with its token")
    func access() async throws {
        try await Self.run { fixture in
            let wrong = ["Authorization": "Basic " + Data("AC01:hunter3".utf8).base64EncodedString()]
            for headers in [[:], wrong, ["Authorization": "Bearer hunter2"], ["Authorization": "Basic %"]] {
                let answer = try await Self.ask(fixture, "POST", RecordFixture.id(1), headers, form: "Status=completed")
                #expect(answer.status == 401 && answer.json?["code"] == .integer(20003) && answer.json?["status"] == .integer(401))
                #expect(answer.headers["www-authenticate"]?.hasPrefix("Basic") == true)
            }
            #expect(try await Self.ask(fixture, "GET", RecordFixture.id(1), account: "AC02").status == 401)
            for method in ["GET", "POST"] {
                #expect(try await Self.ask(fixture, method, RecordFixture.id(3), form: "Status=completed").json?["code"] == .integer(20404))
                #expect(try await Self.ask(fixture, method, RecordFixture.id(9), form: "Status=completed").status == 404)
            }
            let foreign = Self.owner.merging(["Origin": "https://evil.example"]) { $1 }
            #expect(try await Self.ask(fixture, "POST", RecordFixture.id(1), foreign, form: "Status=completed").status == 403)
            #expect(fixture.calls.ended.withLockedValue { $0 } == [])
        }
    }

    @Test("a call is ended, or does something else")
    func post() async throws {
        try await Self.run { fixture in
            let document = try await Self.ask(fixture, "POST", RecordFixture.id(1), form: FormField.write([FormField("Twiml", "<Response><Hangup/></Response>")]))
            #expect(document.status == 200 && document.json?["status"] == "in-progress")
            let url = try await Self.ask(fixture, "POST", RecordFixture.id(1), form: "Url=https%3A%2F%2Fa.example%2Fnext&Method=GET")
            #expect(url.status == 200)
            let orders = fixture.calls.orders.withLockedValue { $0 }
            #expect(orders.map(\.agent) == ["bot", "bot"])
            guard case .document(TwiML(verbs: [.hangUp]))? = orders.first?.what, case .fetch(url: "https://a.example/next", isGet: true)? = orders.last?.what
            else { throw APIFixture.Broken(description: "\(orders)") }
            let ended = try await Self.ask(fixture, "POST", RecordFixture.id(1), form: "Status=completed")
            #expect(ended.status == 200 && ended.json?["status"] == "completed")
            #expect(fixture.calls.ended.withLockedValue { $0 } == [RecordFixture.id(1)])
        }
    }

    private static func askCalls(_ fixture: APIFixture, _ method: String, query: String = "", form: String? = nil) async throws -> RawConnection.Response {
        let connection = try await RawConnection(port: fixture.port, group: MultiThreadedEventLoopGroup.singleton)
        let headers = ["Host": "localhost:\(fixture.port)", "Content-Type": FormField.mediaType].merging(owner) { $1 }
        let response = try await connection.request(method, "/2010-04-01/Accounts/AC01/Calls.json" + query, headers, body: form)
        try? await connection.close()
        return response
    }

    private static let placing = [
        FormField("To", "+14155550199"), FormField("From", "+14155550100"), FormField("Url", "https://a.example/v"), FormField("Method", "GET"),
        FormField("StatusCallback", "https://a.example/s"), FormField("StatusCallbackEvent", "ringing"), FormField("StatusCallbackEvent", "completed"),
        FormField("Timeout", "20"), FormField("MachineDetection", "Enable"),
    ]

    @Test("a call is placed")
    func placing() async throws {
        try await Self.run { fixture in
            var record = RecordFixture.call(7, via: "api")
            (record.endedAt, record.answeredAt, record.account) = (nil, nil, "AC01")
            let call = RunningCall(state: "routing", record: record)
            fixture.calls.placing.withLockedValue { $0 = .success(call) }
            let answer = try await Self.askCalls(fixture, "POST", form: FormField.write(Self.placing))
            #expect(answer.status == 201 && answer.json?["sid"]?.text == "CA\(record.id)")
            #expect(answer.json?["status"] == "queued" && answer.json?["direction"] == "outbound-api" && answer.json?["duration"] == .null)
            var order = OutboundOrder(to: "+14155550199", agent: "bot", from: "+14155550100", ringSeconds: 20, detectsMachine: true)
            order.twilio = TwilioOrder(account: "AC01", what: .fetch(url: "https://a.example/v", isGet: true))
            order.twilio?.callback = StatusCallback(url: "https://a.example/s", events: [.ringing, .completed], agent: "bot")
            #expect(fixture.calls.placed.withLockedValue { $0 } == [order])
            // Nobody else's, and the account's own before any agent has it.
            fixture.calls.calls.withLockedValue { $0 = [call] }
            #expect(try await Self.ask(fixture, "GET", record.id).json?["status"] == "queued")
            for (status, code) in [(400, 21211), (403, 21215), (404, 21214), (429, 20429), (503, 20503)] {
                fixture.calls.placing.withLockedValue { $0 = .failure(OutboundRefusal(httpStatus: status, detail: "No.")) }
                let refused = try await Self.askCalls(fixture, "POST", form: FormField.write(Self.placing))
                #expect(refused.status == status && refused.json?["code"] == JSONValue(code))
            }
        }
    }

    @Test("what cannot be placed", arguments: [
        ("To", "", 21201), ("From", "", 21213), ("From", "client:bob", 21212), ("Url", "ftp://a/", 21205), ("Url", "", 21205), ("Timeout", "0", 21213),
        ("MachineDetection", "Yes", 20001), ("StatusCallback", "x", 21609), ("StatusCallbackEvent", "over", 21626),
    ])
    func unplaceable(name: String, value: String, code: Int) async throws {
        try await Self.run { fixture in
            let form = FormField.write(Self.placing.filter { $0.name != name } + [FormField(name, value)])
            let answer = try await Self.askCalls(fixture, "POST", form: form)
            #expect(answer.status == 400 && answer.json?["code"] == JSONValue(code))
            #expect(fixture.calls.placed.withLockedValue { $0 } == [])
        }
    }

    @Test("calls are listed, those that run first, page by page")
    func listing() async throws {
        try await Self.run { fixture in
            for number in 10...14 {
                var record = RecordFixture.call(number)
                record.account = number == 12 ? "AC02" : "AC01"
                fixture.store.store(record)
            }
            await fixture.store.flush()
            func sids(_ query: String) async throws -> ([Int], String?) {
                let json = try #require(try await Self.askCalls(fixture, "GET", query: query).json)
                guard case .array(let calls)? = json["calls"] else { throw APIFixture.Broken(description: "\(json)") }
                return (calls.compactMap { $0["sid"]?.text.flatMap { Int($0.suffix(4), radix: 16) } }, json["next_page_uri"]?.text)
            }
            let (first, next) = try await sids("?PageSize=3")
            #expect(first == [2, 1, 14, 13, 11])
            let query = try #require(next).dropFirst("/2010-04-01/Accounts/AC01/Calls.json".count)
            let (second, last) = try await sids(String(query))
            #expect(second == [10] && last == nil)
            #expect(try await sids("?Status=completed").0 == [13, 11])
            #expect(try await sids("?Status=failed").0 == [14, 10])
            #expect(try await sids("?Status=in-progress").0 == [1])
            #expect(try await sids("?Status=busy").0 == [])
            #expect(try await sids("?To=%2B14155551013").0 == [13])
            #expect(try await Self.askCalls(fixture, "GET", query: "?PageToken=x").status == 400)
        }
    }

    @Test("what cannot be done is said with Twilio's numbers", arguments: [
        (1, "Status=paused", 400, 21218), (1, "", 400, 20001), (1, "Twiml=%3CResponse%3E%3CSay%3Ea%3C%2FSay%3E%3C%2FResponse%3E", 400, 12100),
        (1, "Url=file:///etc/passwd", 400, 21205), (1, "Status=%zz", 400, 20001), (2, "Twiml=%3CResponse%2F%3E", 400, 21220),
    ])
    func refusals(number: Int, form: String, status: Int, code: Int) async throws {
        try await Self.run { fixture in
            let answer = try await Self.ask(fixture, "POST", RecordFixture.id(number), form: form)
            #expect(answer.status == status && answer.json?["code"] == JSONValue(code) && answer.json?["message"]?.text?.isEmpty == false)
        }
    }
}
