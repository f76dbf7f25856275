import Dialplan
import Foundation
import Testing

@testable import Gateway

@Suite("API: dial plan", .timeLimit(.minutes(5)))
struct DialplanAPITests {
    private static let second = """
        routes:
          - name: support
            when: { via: acme, to: "+1415555XXXX" }
            do: [{ agent: demo }]
          - name: demo
            when: { to: demo }
            do: [{ agent: bot }]
        tests:
          - { via: acme, from: "+442079460123", to: "4155550100", expect: support }

        """

    @Test("the plan in force, with an entity tag of its text")
    func get() async throws {
        try await APIFixture.run { fixture in
            let answer = try await fixture.request("GET", "/dialplan")
            #expect(answer.status == 200 && answer.body == APIFixture.plan && answer.headers["content-type"] == "application/yaml; charset=utf-8")
            let etag = try #require(answer.headers["etag"])
            #expect(etag == PlanText.etag(of: Array(APIFixture.plan.utf8)))
            let again = try await fixture.request("GET", "/dialplan", ["If-None-Match": "W/\"x\", \(etag)"])
            #expect(again.status == 304 && again.body.isEmpty && again.headers["etag"] == etag)
            #expect(try await fixture.request("GET", "/dialplan", ["If-None-Match": "\"other\""]).status == 200)
        }
    }

    @Test("a plan that passes is in force, in its file and in the history, and the answer says what changed")
    func put() async throws {
        try await APIFixture.run { fixture in
            let attributes: [FileAttributeKey: Any] = [.posixPermissions: 0o640]
            try FileManager.default.setAttributes(attributes, ofItemAtPath: fixture.planPath)
            let answer = try await fixture.put(Self.second)
            #expect(answer.status == 200)
            #expect(answer.headers["etag"] == PlanText.etag(of: Array(Self.second.utf8)) && answer["etag"] == answer.headers["etag"])
            #expect(answer.json?["diff"]?["added"] == ["support"] && answer.json?["diff"]?["changed"] == [["route": "demo", "parts": ["do"]]])
            #expect(answer.json?["routes"] == .integer(2) && answer.json?["tests"] == .integer(1) && answer.json?["version"] == .integer(2))
            #expect(fixture.planOnDisk == Self.second)
            #expect(try FileManager.default.attributesOfItem(atPath: fixture.planPath)[.posixPermissions] as? Int == 0o640)
            #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.records.folder).sorted() == ["data", "dialplan.yaml", "tandem.yaml"])
            #expect(fixture.applied.withLockedValue { $0 } == ["support"])
            #expect(try await fixture.request("GET", "/dialplan").body == Self.second)
        }
    }

    @Test("rules of If-Match: none 428, another's 412, weak ones never, * always")
    func conditions() async throws {
        try await APIFixture.run { fixture in
            let etag = fixture.service.current.etag
            let unconditional = try await fixture.request("PUT", "/dialplan", ["Content-Type": "text/yaml"], body: Self.second)
            #expect(unconditional.status == 428)
            for stale in ["\"0\"", "W/\(etag)", "", etag.replacing("\"", with: "")] {
                #expect(try await fixture.put(Self.second, ifMatch: stale).status == 412, "\(stale)")
            }
            #expect(fixture.planOnDisk == APIFixture.plan && fixture.applied.withLockedValue { $0.isEmpty })
            #expect(try await fixture.put(Self.second, ifMatch: "\"0\", \(etag)").status == 200)
            // Whoever edited the same plan comes too late.
            #expect(try await fixture.put(APIFixture.plan, ifMatch: etag).status == 412)
            #expect(try await fixture.put(APIFixture.plan, ifMatch: "*").status == 200)
        }
    }

    @Test("of two who edited the same plan one is too late, however close they come")
    func race() async throws {
        try await APIFixture.run { fixture in
            let etag = fixture.service.current.etag, port = fixture.port, service = fixture.service
            #expect(port != 0)
            let texts = (0..<8).map { Array("routes: [{ name: r\($0), do: [{ agent: demo }] }]\n".utf8) }
            let results = await withTaskGroup(of: Bool.self) { group in
                for text in texts {
                    group.addTask { if case .success = await service.put(text, ifMatch: etag, author: "admin") { true } else { false } }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(results == 1)
            #expect(fixture.planOnDisk.map { Array($0.utf8) } == service.current.text)
        }
    }

    @Test("a plan that does not pass changes nothing, and every problem has its place", arguments: [
        ("routes:\n- { name: a, do: [{ agent: nobody }] }\n- { name: a, do: [] }\n", [2, 3]), ("routes: [", [2]),
        // Its own test says otherwise.
        ("routes:\n- { name: a, do: [{ agent: demo }] }\ntests:\n- { via: browser, to: x, expect: refused }\n", [4]),
        ("a: &a [x]\nroutes: *a\n", [1]),
    ] as [(String, [Int64])])
    func refused(text: String, lines: [Int64]) async throws {
        try await APIFixture.run { fixture in
            let answer = try await fixture.put(text)
            #expect(answer.status == 422 && answer.headers["content-type"] == "application/problem+json")
            guard case .array(let problems)? = answer.json?["problems"] else { throw APIFixture.Broken(description: answer.body) }
            let places = Set(problems.compactMap { problem -> Int64? in if case .integer(let line)? = problem["line"] { line } else { nil } })
            #expect(places.isSuperset(of: lines), "\(answer.body)")
            #expect(problems.allSatisfy { $0["message"]?.text?.isEmpty == false && $0["column"] != nil && $0["severity"] != nil })
            #expect(fixture.planOnDisk == APIFixture.plan && fixture.applied.withLockedValue { $0.isEmpty })
            #expect(try await fixture.request("GET", "/dialplan").body == APIFixture.plan)
            // The same text, only asked about.
            let verdict = try await fixture.request("POST", "/dialplan/check", ["Content-Type": "application/yaml"], body: text)
            #expect(verdict.status == 200 && verdict.json?["valid"] == .bool(false) && verdict.json?["problems"] == answer.json?["problems"])
        }
    }

    @Test("bodies that are too large, of another type or no text")
    func bodies() async throws {
        try await APIFixture.run { fixture in
            for path in ["/dialplan/check", "/dialplan/what-if"] {
                #expect(try await fixture.request("POST", path, ["Content-Type": "application/json"], body: "{}").status == 415)
                #expect(try await fixture.request("POST", path, ["Content-Type": "image/png"], body: "routes: []").status == 415)
                // What says nothing of itself, or what curl says of every body, is read.
                for type in [[:], ["Content-Type": "application/x-www-form-urlencoded"], ["Content-Type": "text/plain; charset=utf-8"]] {
                    #expect(try await fixture.request("POST", path, type, body: "routes: []").status == 200, "\(type)")
                }
            }
            #expect(try await fixture.put("{}", ["Content-Type": "application/json"]).status == 415)
            // Announced, and refused before it is sent.
            let head = "PUT /api/v1/dialplan HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/yaml\r\nIf-Match: *\r\n"
            #expect(try await fixture.raw(head + "Content-Length: 4194305\r\n\r\n").status == 413)
            let large = "# " + String(repeating: "x", count: 4 << 20)
            let chunked = head + "Transfer-Encoding: chunked\r\n\r\n\(String(large.utf8.count, radix: 16))\r\n\(large)\r\n0\r\n\r\n"
            #expect(try await fixture.raw(chunked).status == 413)
            #expect(fixture.planOnDisk == APIFixture.plan)
            let service = fixture.service
            guard case .failure(.invalid(let problems)) = await service.put([0xFF, 0xFE, 0x00], ifMatch: "*", author: "admin") else {
                throw APIFixture.Broken(description: "bytes that are no text were taken")
            }
            #expect(!problems.isEmpty)
        }
    }

    @Test("a file that was edited by hand is not overwritten, one that cannot be replaced leaves the old plan in force")
    func files() async throws {
        try await APIFixture.run { fixture in
            let edited = APIFixture.plan + "# by hand\n"
            try Data(edited.utf8).write(to: URL(fileURLWithPath: fixture.planPath))
            #expect(try await fixture.put(Self.second).status == 409)
            #expect(fixture.planOnDisk == edited && fixture.applied.withLockedValue { $0.isEmpty })
            // The very text of the file may come in.
            #expect(try await fixture.put(edited).status == 200)
            try FileManager.default.removeItem(atPath: fixture.planPath)
            let answer = try await fixture.put(Self.second)
            #expect(answer.status == 500 && answer["detail"]?.contains("No such file or directory") == true)
            #expect(try await fixture.request("GET", "/dialplan").body == edited)
        }
    }

    @Test("versions, and going back to one")
    func versions() async throws {
        try await APIFixture.run { fixture in
            #expect(try await fixture.put(Self.second).status == 200)
            let list = try await fixture.request("GET", "/dialplan/versions")
            #expect(list.items("number") == ["2", "1"] && list.items("author") == ["local", "file"] && list.items("at") == ["2026-11-22T00:00:00.000Z", "2026-11-22T00:00:00.000Z"])
            #expect(list.items("etag").first == fixture.service.current.etag)
            let first = try await fixture.request("GET", "/dialplan/versions/1")
            #expect(first.body == APIFixture.plan && first.headers["etag"] == list.items("etag").last)
            let back = try await fixture.put(first.body)
            #expect(back.status == 200 && back.json?["version"] == .integer(3) && back.json?["diff"]?["removed"] == ["support"])
            #expect(fixture.planOnDisk == APIFixture.plan && fixture.applied.withLockedValue { $0 } == ["support", "demo"])
            // Once more is no further version.
            #expect(try await fixture.put(first.body).json?["version"] == .integer(3))
            for path in ["/dialplan/versions/9", "/dialplan/versions/0", "/dialplan/versions/x", "/dialplan/versions/-1"] {
                #expect(try await fixture.request("GET", path).status == 404)
            }
        }
        try await APIFixture.run(token: "s3cret") { fixture in
            let token = ["Authorization": "Bearer s3cret"]
            let answer = try await fixture.put(Self.second, token)
            #expect(answer.status == 200)
            #expect(try await fixture.request("GET", "/dialplan/versions", token).items("author") == ["admin", "file"])
        }
    }

    @Test("where a call would go, in the words of tandem route --json")
    func route() async throws {
        try await APIFixture.run { fixture in
            func ask(_ body: String) async throws -> RawConnection.Response {
                try await fixture.request("POST", "/dialplan/route", ["Content-Type": "application/json; charset=utf-8"], body: body)
            }
            let answer = try await ask(#"{"via":"acme","from":"4155550100","to":"demo","at":"2026-11-22T09:30:00Z","headers":{"X-A":"1","X-B":["2","3"]}}"#)
            let query = CallQuery(
                via: .trunk("acme"), from: "4155550100", to: "demo", headers: [("X-A", "1"), ("X-B", "2"), ("X-B", "3")],
                time: try #require(RFC3339.parse("2026-11-22T09:30:00Z")))
            #expect(answer.status == 200 && answer.json == JSONValue(encoding: Explanation(fixture.service.current.plan.route(query))))
            #expect(answer.json?["route"] == "demo" && answer.json?["refused"] == .bool(false))
            #expect(try await ask(#"{"via":"browser","from":"","to":"nowhere"}"#).json?["refused"] == .bool(true))
            for body in [
                "", "[]", "null", "{", #"{"via":"browser","from":""}"#, #"{"via":"nobody","from":"","to":"x"}"#, #"{"via":1,"from":"","to":"x"}"#,
                #"{"via":"browser","from":"","to":"x","at":"now"}"#, #"{"via":"browser","from":"","to":"x","headers":[]}"#,
                #"{"via":"browser","from":"","to":"x","headers":{"a":1}}"#, #"{"via":"browser","from":"","to":"x","frm":""}"#,
                String(repeating: "[", count: 60_000),
            ] {
                #expect(try await ask(body).status == 400, "\(body.prefix(60))")
            }
            #expect(try await ask(#"{"via":"browser","from":"","to":""# + String(repeating: "x", count: 70_000) + "\"}").status == 413)
            #expect(try await fixture.request("POST", "/dialplan/route", ["Content-Type": "text/plain"], body: "{}").status == 415)
            #expect(try await fixture.request("POST", "/dialplan/route", body: #"{"via":"browser","from":"","to":"demo"}"#).status == 200)
        }
    }

    @Test("past calls through an edited plan")
    func whatIf() async throws {
        try await APIFixture.run { fixture in
            for number in 1...5 {
                var record = RecordFixture.call(number, via: "browser")
                record.to = .init(given: number == 1 ? "nobody" : "demo", e164: number == 1 ? "nobody" : "demo")
                fixture.store.store(record)
            }
            await fixture.store.flush()
            let edited = APIFixture.plan.replacing("agent: demo", with: "agent: bot")
            func ask(_ plan: String, _ query: String = "") async throws -> RawConnection.Response {
                try await fixture.request("POST", "/dialplan/what-if" + query, ["Content-Type": "application/yaml"], body: plan)
            }
            let report = try #require(try await ask(edited).json)
            #expect(report["total"] == .integer(5) && report["unchanged"] == .integer(1))
            guard case .array(let changes)? = report["changes"] else { throw APIFixture.Broken(description: "no changes") }
            #expect(changes.count == 1 && changes[0]["count"] == .integer(4) && changes[0]["after"]?["target"] == "agent bot")
            #expect(try await ask(edited, "?last=2").json?["total"] == .integer(2))
            #expect(try await ask(APIFixture.plan).json?["unchanged"] == .integer(5))
            #expect(try await ask("routes: [", "").status == 422)
            for query in ["?last=0", "?last=100001", "?lst=2"] { #expect(try await ask(edited, query).status == 400) }
            #expect(fixture.applied.withLockedValue { $0.isEmpty } && fixture.planOnDisk == APIFixture.plan)
        }
    }
}
