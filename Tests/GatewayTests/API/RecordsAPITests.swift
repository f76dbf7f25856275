import Foundation
import Testing

@testable import Gateway

@Suite("API: calls and records", .timeLimit(.minutes(5)))
struct RecordsAPITests {
    @Test("records in pages, which name the next, with filters kept")
    func pages() async throws {
        try await APIFixture.run { fixture in
            for number in 1...7 { fixture.store.store(RecordFixture.call(number)) }
            await fixture.store.flush()
            let first = try await fixture.request("GET", "/records?limit=2&answered=true")
            #expect(first.status == 200 && first.headers["content-type"] == "application/json" && first.headers["cache-control"] == "no-store")
            #expect(first.items("id") == [7, 5].map { RecordFixture.id($0).description })
            let cursor = try #require(first.json?["next"]?.text)
            #expect(first.headers["link"] == "</api/v1/records?limit=2&answered=true&cursor=\(cursor)>; rel=\"next\"")
            let second = try await fixture.request("GET", "/records?limit=2&answered=true&cursor=\(cursor)")
            #expect(second.items("id") == [3, 1].map { RecordFixture.id($0).description })
            #expect(second.json?["next"] == .null && second.headers["link"] == nil)
            #expect(try await fixture.request("GET", "/records?to=%2B14155551004").items("id") == [RecordFixture.id(4).description])
            // A plus sign that was not escaped.
            #expect(try await fixture.request("GET", "/records?to=+14155551004").items("id") == [RecordFixture.id(4).description])
            #expect(try await fixture.request("GET", "/records?since=2026-11-22T00:06:00Z&until=2026-11-22T01:07:00+01:00").items("id") == [RecordFixture.id(6).description])
            #expect(try await fixture.request("GET", "/records?cause=no_route&limit=1000").items("cause") == ["no_route", "no_route", "no_route"])
        }
    }

    @Test("one record has everything, a list leaves out what is long")
    func one() async throws {
        try await APIFixture.run { fixture in
            let record = RecordFixture.whole()
            fixture.store.store(record)
            await fixture.store.flush()
            let json = try #require(try await fixture.request("GET", "/records/\(record.id)").json)
            #expect(json["state"] == "ended" && json["via"] == "acme" && json["trunk_in"] == "acme" && json["route"] == "support line")
            #expect(json["to"] == ["given": "1", "e164": "+14155551001"])
            #expect(json["started_at"] == "2026-11-22T00:01:00.000Z" && json["ringing_at"] == "2026-11-22T00:01:00.125Z" && json["ended_at"] == "2026-11-22T00:01:02.000Z")
            #expect(json["cause"] == "caller_hangup" && json["sip_code"] == .integer(487))
            #expect(json["explanation"] == ["route": "support line", "tried": []])
            #expect(json["events"] == [["at": "2026-11-22T00:01:00.500Z", "what": "ringing"], ["at": "2026-11-22T00:01:01.000Z", "what": "answered"]])
            #expect(json["totals"]?["talk_ms"] == .integer(1000) && json["totals"]?["duration_ms"] == .integer(2000) && json["totals"]?["lost"] == .integer(3))
            guard case .array(let legs)? = json["legs"], case .array(let steps)? = json["steps"] else { throw APIFixture.Broken(description: "no lists") }
            #expect(legs[0]["mos"] == .number(4.38) && legs[0]["jitter_ms"] == .number(1.3) && legs[0]["rtt_ms"] == .number(40.5) && legs[1]["mos"] == .null)
            #expect(steps[0]["outcome"] == "busy" && steps[0]["sip_code"] == .integer(486) && steps[1]["dialled"] == .null)
            let listed = try await fixture.request("GET", "/records").json
            guard case .array(let items)? = listed?["items"] else { throw APIFixture.Broken(description: "no items") }
            #expect(items[0]["explanation"] == nil && items[0]["legs"] != nil)
            #expect(try await fixture.request("GET", "/records/\(RecordFixture.id(2))").status == 404)
            #expect(try await fixture.request("GET", "/records/x").status == 404)
        }
    }

    @Test("records as CSV, by Accept or by format")
    func csv() async throws {
        try await APIFixture.run { fixture in
            for number in 1...3 { fixture.store.store(RecordFixture.call(number)) }
            await fixture.store.flush()
            let answer = try await fixture.request("GET", "/records?limit=2", ["Accept": "text/csv"])
            #expect(answer.headers["content-type"] == "text/csv; charset=utf-8; header=present" && answer.headers["link"]?.contains("rel=\"next\"") == true)
            let lines = answer.body.components(separatedBy: "\r\n")
            #expect(lines.count == 4 && lines[0].hasPrefix("id,via,from_given,") && lines[1].hasPrefix("\(RecordFixture.id(3)),acme,4155550100,+14155550100,3,+14155551003,,"))
            #expect(try await fixture.request("GET", "/records?format=csv&limit=10000").body.hasPrefix("id,"))
            #expect(try await fixture.request("GET", "/records?format=json", ["Accept": "text/csv"]).json != nil)
            #expect(try await fixture.request("GET", "/records", ["Accept": "image/png"]).status == 406)
        }
    }

    @Test("a question that cannot be meant is refused", arguments: [
        "limit=0", "limit=1001", "limit=x", "limit=-1", "cursor=x", "cause=hangup", "since=yesterday", "min_seconds=1.5", "answered=yes", "format=xml", "rout=x",
        "via=a&via=b", "via=%zz", "via=%ff", "format=csv&limit=10001",
    ])
    func refused(query: String) async throws {
        try await APIFixture.run { fixture in
            let answer = try await fixture.request("GET", "/records?\(query)")
            #expect(answer.status == 400 && answer.headers["content-type"] == "application/problem+json" && answer["detail"]?.isEmpty == false)
        }
    }

    @Test("calls that run: the list, one, and its end")
    func running() async throws {
        try await APIFixture.run { fixture in
            var record = RecordFixture.whole()
            (record.endedAt, record.cause, record.sipCode, record.detail) = (nil, nil, nil, nil)
            fixture.calls.calls.withLockedValue { $0 = [RunningCall(state: "connected", record: record)] }
            let list = try await fixture.request("GET", "/calls")
            #expect(list.items("state") == ["connected"] && list.items("id") == [record.id.description] && list.json?["next"] == .null)
            let one = try #require(try await fixture.request("GET", "/calls/\(record.id)").json)
            #expect(one["ended_at"] == .null && one["cause"] == .null && one["explanation"]?["route"] == "support line")
            #expect(try await fixture.request("GET", "/calls/\(RecordFixture.id(9))").status == 404)
            #expect(try await fixture.request("DELETE", "/calls/\(RecordFixture.id(9))").status == 404)
            #expect(try await fixture.request("DELETE", "/calls/\(record.id)").status == 204)
            #expect(fixture.calls.ended.withLockedValue { $0 } == [record.id])
            #expect(try await fixture.request("PUT", "/calls").status == 405)
        }
    }

    @Test("trunks and agents without their secrets")
    func directory() async throws {
        try await APIFixture.run { fixture in
            let trunks = try await fixture.request("GET", "/trunks"), agents = try await fixture.request("GET", "/agents")
            #expect(trunks.items("name") == ["acme"] && agents.items("name") == ["demo", "bot"])
            #expect(!trunks.body.contains("hunter2") && !agents.body.contains("hunter2"))
            #expect(trunks.body.contains("\"has_credentials\":true") && agents.body.contains("\"has_token\":true") && agents.body.contains("wss://agents.example/media\""))
        }
    }

    @Test("the OpenAPI document is JSON and names exactly the paths that are served")
    func openAPI() async throws {
        try await APIFixture.run { fixture in
            let document = try #require(try await fixture.request("GET", "/openapi.json").json)
            #expect(document["openapi"] == "3.1.0")
            guard case .object(let paths)? = document["paths"] else { throw APIFixture.Broken(description: "no paths") }
            #expect(paths.count == 16)
            for (path, item) in paths {
                guard case .object(let methods) = item else { continue }
                let real = path.replacing("{id}", with: RecordFixture.id(1).description).replacing("{number}", with: "1")
                let allowed = try await fixture.request("OPTIONS", real).headers["allow"] ?? ""
                let named = Set(methods.keys.filter { $0 != "parameters" }.map { $0.uppercased() })
                #expect(Set(allowed.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }).subtracting(["OPTIONS", "HEAD"]) == named, "\(path): \(allowed)")
            }
        }
    }
}

@Suite("CSV")
struct RecordsCSVTests {
    @Test("quoting, and no formulas", arguments: [
        ("plain", "plain"), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\""), ("two\r\nlines", "\"two\r\nlines\""), ("+14155550100", "+14155550100"),
        ("=1+1", "'=1+1"), ("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""), ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"), ("@SUM(A1)", "'@SUM(A1)"), ("\t=1", "\"'\t=1\""), ("\r=1", "\"'\r=1\""), ("\n=1", "\"'\n=1\""), ("+", "'+"), ("＝1", "'＝1"), ("", ""),
        ("a;b", "\"a;b\""), ("+1\n2", "\"'+1\n2\""),
    ] as [(String, String)])
    func cells(text: String, expected: String) {
        #expect(RecordsCSV.cell(text) == expected)
    }

    @Test("every line has every column")
    func lines() {
        var record = RecordFixture.whole()
        record.from.given = "=cmd()"
        record.detail = "a, \"b\""
        let text = RecordsCSV.text([record, RecordFixture.call(2)])
        let lines = text.components(separatedBy: "\r\n").dropLast()
        #expect(lines.count == 3 && lines[0] == RecordsCSV.columns.joined(separator: ","))
        #expect(lines[2].count { $0 == "," } == RecordsCSV.columns.count - 1)
        #expect(lines[1].contains(",'=cmd(),") && lines[1].contains(",\"a, \"\"b\"\"\",") && lines[1].contains("trunk acme: busy; agent demo: answered"))
        #expect(lines[1].hasSuffix(",PCMU,500,499,3,1.2,40.5,60,4.38,human") || lines[1].hasSuffix(",PCMU,500,499,3,1.3,40.5,60,4.38,human"))
    }
}
