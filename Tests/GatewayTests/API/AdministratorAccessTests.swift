import Testing

@testable import Gateway

@Suite("Who may use the API", .timeLimit(.minutes(5)))
struct AdministratorAccessTests {
    private typealias Credentials = AdministratorAccess.Credentials

    @Test("without a token: this machine, asked for by a loopback name, with no proxy between", arguments: [
        ("127.0.0.1", ["localhost"], true), ("127.0.0.1", ["LOCALHOST:8080"], true), ("127.8.9.1", ["127.0.0.1:8080"], true), ("::1", ["[::1]:8080"], true),
        ("::ffff:127.0.0.1", ["localhost"], true), ("192.0.2.1", ["localhost"], false), ("127.0.0.1", ["evil.example"], false),
        ("127.0.0.1", ["localhost.evil.example"], false), ("127.0.0.1", ["127.0.0.1.evil.example"], false), ("127.0.0.1", ["192.0.2.1"], false),
        ("127.0.0.1", ["localhost@evil.example"], false), ("127.0.0.1", [""], false), ("127.0.0.1", [], false), ("127.0.0.1", ["localhost", "evil.example"], false),
        ("127.0.0.1", ["0.0.0.0"], false), ("127.0.0.1", ["localhost:x"], false), (nil, ["localhost"], false), ("127.0.0.1", ["localhost evil"], false),
    ] as [(String?, [String], Bool)])
    func local(peer: String?, hosts: [String], isAllowed: Bool) {
        let access = AdministratorAccess(token: nil)
        #expect(access.administrator(Credentials(peer: peer, hosts: hosts)) == (isAllowed ? "local" : nil))
        #expect(access.administrator(Credentials(peer: peer, hosts: hosts, isForwarded: true)) == nil)
        // A token that nobody asked for changes nothing.
        #expect(access.administrator(Credentials(authorization: "Bearer ", peer: peer, hosts: hosts)) == (isAllowed ? "local" : nil))
    }

    @Test("with a token: whoever holds it, from wherever, and nobody else", arguments: [
        ("Bearer s3cret", true), ("bearer s3cret", true), ("Bearer  s3cret", true), ("Bearer s3cre", false), ("Bearer s3crett", false), ("Bearer S3cret", false),
        ("Bearer", false), ("Bearer ", false), ("", false), ("Basic s3cret", false), ("s3cret", false), ("Bearer s3crets3cret", false), (nil, false),
    ] as [(String?, Bool)])
    func token(field: String?, isAllowed: Bool) {
        let access = AdministratorAccess(token: "s3cret")
        for peer in ["192.0.2.1", "127.0.0.1"] {
            let credentials = Credentials(authorization: field, peer: peer, hosts: ["localhost"])
            #expect(access.administrator(credentials) == (isAllowed ? "admin" : nil))
        }
    }

    @Test("an empty token lets nobody in")
    func empty() {
        #expect(AdministratorAccess(token: "").administrator(Credentials(authorization: "Bearer ", peer: "127.0.0.1", hosts: ["localhost"])) == nil)
        #expect(!AdministratorAccess.isEqual([], []))
        #expect(!AdministratorAccess.isEqual([], [1]))
    }

    @Test("over a socket: every path wants the same")
    func paths() async throws {
        let paths = [
            "/calls", "/calls/\(RecordFixture.id(1))", "/records", "/records/\(RecordFixture.id(1))", "/trunks", "/agents", "/dialplan", "/dialplan/versions",
            "/dialplan/versions/1", "/openapi.json",
        ]
        try await APIFixture.run(token: "s3cret") { fixture in
            for path in paths {
                let refused = try await fixture.request("GET", path)
                #expect(refused.status == 401 && refused.headers["www-authenticate"] == "Bearer realm=\"tandem\"", "\(path)")
                #expect(refused.headers["content-type"] == "application/problem+json")
                #expect(try await fixture.request("GET", path, ["Authorization": "Bearer s3cret"]).status != 401)
            }
            for (method, path) in [("PUT", "/dialplan"), ("POST", "/dialplan/check"), ("POST", "/dialplan/route"), ("POST", "/dialplan/what-if"), ("DELETE", "/calls/1")] {
                #expect(try await fixture.request(method, path).status == 401, "\(path)")
            }
            // Two fields are none.
            let twice = "GET /api/v1/trunks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s3cret\r\nAuthorization: Bearer other\r\n\r\n"
            #expect(try await fixture.raw(twice).status == 401)
        }
    }

    @Test("over a socket: tricks with Host and proxies, without a token", arguments: [
        ("Host: localhost", 200), ("Host: 127.0.0.1:9", 200), ("Host: [::1]", 200), ("Host: evil.example", 401), ("Host: localhost\r\nX-Forwarded-For: 192.0.2.1", 401),
        ("Host: localhost\r\nForwarded: for=192.0.2.1", 401), ("Host: localhost\r\nx-forwarded-host: evil.example", 401), ("Host: localhost\r\nVia: 1.1 proxy", 401),
        ("Host: localhost\r\nX-Real-IP: 192.0.2.1", 401), ("Host: localhost\r\nX-Forwarded-Anything:", 401), ("Host: localhost\r\nHost: evil.example", 401),
        ("Host: evil.example\r\nHost: localhost", 401), ("X-No: host", 401),
    ] as [(String, Int)])
    func hosts(fields: String, status: Int) async throws {
        try await APIFixture.run { fixture in
            let answer = try await fixture.raw("GET /api/v1/trunks HTTP/1.1\r\n\(fields)\r\n\r\n").status
            // What HTTP itself forbids may be refused as such.
            #expect(answer == status || (status == 401 && answer == 400), "\(answer)")
        }
    }

    @Test("pages: the same origin yes, foreign ones never, allowed ones only with the token")
    func origins() async throws {
        try await APIFixture.run { fixture in
            let own = try await fixture.request("GET", "/trunks", ["Origin": "http://localhost:\(fixture.port)"])
            #expect(own.status == 200)
            for origin in ["https://evil.example", "http://localhost:1", "null", "https://shop.example"] {
                #expect(try await fixture.request("GET", "/trunks", ["Origin": origin]).status == 403, "\(origin)")
                #expect(try await fixture.request("DELETE", "/calls/\(RecordFixture.id(1))", ["Origin": origin]).status == 403, "\(origin)")
            }
        }
        try await APIFixture.run(token: "s3cret") { fixture in
            let token = ["Authorization": "Bearer s3cret"]
            #expect(try await fixture.request("GET", "/trunks", token.merging(["Origin": "https://evil.example"]) { $1 }).status == 403)
            let allowed = try await fixture.request("GET", "/trunks", token.merging(["Origin": "https://shop.example"]) { $1 })
            #expect(allowed.status == 200 && allowed.headers["access-control-allow-origin"] == "https://shop.example")
            let preflight = try await fixture.request(
                "OPTIONS", "/dialplan", ["Origin": "https://shop.example", "Access-Control-Request-Method": "PUT"])
            #expect(preflight.status == 204 && preflight.headers["access-control-allow-methods"]?.contains("PUT") == true)
            #expect(try await fixture.request("GET", "/trunks", ["Origin": "https://shop.example"]).status == 401)
        }
    }
}
