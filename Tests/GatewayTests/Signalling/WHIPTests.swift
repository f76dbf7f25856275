import Testing
@testable import Gateway

@Suite(.timeLimit(.minutes(5))) struct WHIPTests {
    static let sdp = """
        v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r
        a=mid:0\r\na=ice-ufrag:theirs\r\na=ice-pwd:0123456789012345678901\r\n
        """
    static let fragmentType = "application/trickle-ice-sdpfrag"

    static func fragment(_ ufrag: String, candidate: Bool = true) -> String {
        "a=ice-ufrag:\(ufrag)\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
            + (candidate ? "a=candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host\r\n" : "")
    }

    private func post(
        _ fixture: ServerFixture, _ path: String = "/whip/demo", _ headers: [String: String] = [:], body: String? = sdp
    ) async throws -> RawConnection.Response {
        try await fixture.request("POST", path, ["Content-Type": "application/sdp"].merging(headers) { $1 }, body: body)
    }

    /// Places a call; the path of its session.
    private func place(_ fixture: ServerFixture) async throws -> String {
        let response = try await post(fixture)
        #expect(response.status == 201)
        return response.headers["location"] ?? ""
    }

    private func patch(
        _ fixture: ServerFixture, _ path: String, _ body: String, ifMatch: String? = "\"ours0\"", type: String = fragmentType
    ) async throws -> RawConnection.Response {
        var headers = ["Content-Type": type]
        headers["If-Match"] = ifMatch
        return try await fixture.request("PATCH", path, headers, body: body)
    }

    @Test func placesACall() async throws {
        try await ServerFixture.run { fixture in
            let response = try await post(fixture, "/whip/+1%20415%2f5?queue=sup+port&vip", ["Accept": "text/html, application/*;q=0.5"])
            #expect(response.status == 201)
            #expect(response.headers["content-type"] == "application/sdp")
            #expect(response.headers["location"] == "/whip/sessions/\(FakeBrowserCalls.call(1))")
            #expect(response.headers["etag"] == "\"ours0\"")
            #expect(response.headers["link"] ==
                #"<turn:turn.example:3478?transport=udp>; rel="ice-server"; username="1700000000:a"; credential="secret"; credential-type="password""#)
            #expect(response.body == "answer to +1 415/5")
            #expect(response.headers["access-control-allow-origin"] == nil)
            #expect(await fixture.calls.actions(1) == [.offered(to: "+1 415/5", parameters: ["queue": "sup port", "vip": ""])])
            #expect(try await post(fixture, "/whip/sessions").body == "answer to sessions")
        }
    }

    @Test(arguments: [
        (400, "/whip/%zz", [:], nil), (400, "/whip/%ff", [:], nil), (400, "/whip/a%0ab", [:], nil),
        (400, "/whip/demo?a=%", [:], nil), (400, "/whip/demo?" + (0...32).map { "p\($0)=1" }.joined(separator: "&"), [:], nil),
        (400, "/whip/demo?a=" + String(repeating: "x", count: 1025), [:], nil),
        (400, "/whip/demo", [:], ""), (400, "/whip/demo", [:], "no description"),
        (406, "/whip/demo", ["Accept": "text/html"], nil),
        (413, "/whip/demo", [:], String(repeating: "x", count: 64 * 1024 + 1)), (413, "/whip/demo", [:], String(repeating: "x", count: 3_000_000)),
        (415, "/whip/demo", ["Content-Type": "text/plain"], nil), (415, "/whip/demo", ["Content-Type": "application/sdpx"], nil),
        (400, "/whip/broken", [:], nil), (403, "/whip/forbidden", [:], nil), (404, "/whip/nobody", [:], nil),
        (406, "/whip/codec", [:], nil), (503, "/whip/closed", [:], nil),
        (403, "/whip/demo", ["Origin": "https://evil.example"], nil), (403, "/whip/demo", ["Origin": "null"], nil),
    ] as [(Int, String, [String: String], String?)])
    func refuses(status: Int, path: String, headers: [String: String], body: String?) async throws {
        try await ServerFixture.run { fixture in
            let response = try await post(fixture, path, headers, body: body ?? Self.sdp)
            #expect(response.status == status)
            #expect(response.headers["content-type"] == "application/problem+json")
            #expect(response["status"] == "\(status)" && response["detail"]?.isEmpty == false && response["type"] == "about:blank")
            #expect(response["title"]?.isEmpty == false)
            if status == 503 {
                #expect(Int(response.headers["retry-after"] ?? "") ?? 0 > 0)
                #expect(response["cause"] == "draining" && response["sip_code"] == "503")
            }
        }
    }

    @Test func limitsABodyWithoutAnnouncedLength() async throws {
        try await ServerFixture.run { fixture in
            let connection = try await fixture.connect()
            try await connection.send("POST /whip/demo HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<5 { try await connection.send("4000\r\n" + String(repeating: "x", count: 0x4000) + "\r\n") }
            try await connection.send("0\r\n\r\n")
            #expect(try await connection.response().status == 413)
            #expect(try await connection.request("GET", "/healthz").status == 200)
        }
    }

    @Test func answersCORS() async throws {
        try await ServerFixture.run { fixture in
            let origin = ["Origin": "https://shop.example"]
            let created = try await post(fixture, "/whip/demo", origin)
            #expect(created.status == 201)
            #expect(created.headers["access-control-allow-origin"] == "https://shop.example")
            #expect(created.headers["vary"] == "Origin")
            for name in ["Location", "ETag", "Link"] {
                #expect(created.headers["access-control-expose-headers"]?.contains(name) == true)
            }
            let refused = try await post(fixture, "/whip/nobody", origin)
            #expect(refused.status == 404 && refused.headers["access-control-allow-origin"] == "https://shop.example")
            #expect(try await post(fixture, "/whip/demo", ["Origin": "https://gateway.example:8080"]).status == 201)

            for path in ["/whip/demo", created.headers["location"] ?? ""] {
                let preflight = try await fixture.request(
                    "OPTIONS", path, ["Origin": "https://shop.example", "Access-Control-Request-Method": "PATCH"])
                #expect(preflight.status == 204)
                #expect(preflight.headers["access-control-allow-origin"] == "https://shop.example")
                #expect(preflight.headers["access-control-allow-methods"] == "POST, PATCH, DELETE, OPTIONS")
                #expect(
                    preflight.headers["access-control-allow-headers"] == "Content-Type, If-Match, If-None-Match, Authorization, Idempotency-Key")
            }
            let options = try await fixture.request("OPTIONS", "/whip/demo")
            #expect(options.status == 204 && options.headers["accept-post"] == "application/sdp")
            #expect(options.headers["access-control-allow-methods"] == nil)
            let foreign = try await fixture.request("OPTIONS", "/whip/demo", ["Origin": "https://evil.example"])
            #expect(foreign.status == 403 && foreign.headers["access-control-allow-origin"] == nil)
        }
    }

    @Test func takesCandidates() async throws {
        try await ServerFixture.run { fixture in
            let session = try await place(fixture)
            for condition in ["\"ours0\"", "*", "\"other\" , \"ours0\""] {
                #expect(try await patch(fixture, session, Self.fragment("theirs"), ifMatch: condition).status == 204)
            }
            #expect(try await patch(fixture, session, "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=end-of-candidates\r\n").status == 204)
            #expect(await fixture.calls.actions(1).count == 1)
        }
    }

    @Test func restartsICE() async throws {
        try await ServerFixture.run { fixture in
            let session = try await place(fixture)
            let restarted = try await patch(fixture, session, Self.fragment("fresh"), ifMatch: "*")
            #expect(restarted.status == 200)
            #expect(restarted.headers["etag"] == "\"ours1\"")
            #expect(restarted.headers["content-type"] == Self.fragmentType)
            #expect(restarted.body == "a=ice-ufrag:ours1\r\n")
            #expect(await fixture.calls.actions(2).last == .restarted(FakeBrowserCalls.call(1), ufrag: "fresh"))
            // The old tag is stale now, and the new credentials are the current ones.
            #expect(try await patch(fixture, session, Self.fragment("fresh")).status == 412)
            #expect(try await patch(fixture, session, Self.fragment("fresh"), ifMatch: "\"ours1\"").status == 204)
            #expect(try await patch(fixture, session, Self.fragment("lost"), ifMatch: "*").status == 404)
        }
    }

    @Test func refusesBadPatches() async throws {
        try await ServerFixture.run { fixture in
            let session = try await place(fixture)
            let good = Self.fragment("theirs")
            #expect(try await patch(fixture, session, good, ifMatch: nil).status == 428)
            for stale in ["\"other\"", "ours0", "W/\"ours0\"", ""] {
                #expect(try await patch(fixture, session, good, ifMatch: stale).status == 412, "\(stale)")
            }
            let type = try await patch(fixture, session, good, type: "application/json")
            #expect(type.status == 415 && type.headers["accept-patch"] == Self.fragmentType)
            #expect(try await patch(fixture, session, "a=mid:0\r\n").status == 422)
            #expect(try await patch(fixture, session, "a=ice-ufrag:alone\r\n").status == 400)
            #expect(try await patch(fixture, session, "nonsense").status == 400)
            #expect(try await patch(fixture, session, String(repeating: "x", count: 70_000)).status == 413)
            let unknown = "/whip/sessions/\(FakeBrowserCalls.call(99))"
            #expect(try await patch(fixture, unknown, good).status == 404)
            #expect(try await patch(fixture, "/whip/sessions/short", good).status == 404)
            for method in ["GET", "HEAD", "POST", "PUT"] {
                let response = try await fixture.request(method, session)
                #expect(response.status == 405 && response.headers["allow"] == "DELETE, OPTIONS, PATCH", "\(method)")
                #expect(try await fixture.request(method, unknown).status == 404, "\(method)")
            }
        }
    }

    @Test func tellsTheEndForAMinute() async throws {
        try await ServerFixture.run { fixture in
            let session = try await place(fixture)
            fixture.calls.tell(FakeBrowserCalls.call(1), .ringing)
            fixture.calls.tell(FakeBrowserCalls.call(1), .ended(CallEnd(.busy)))
            for method in ["GET", "PATCH", "DELETE", "POST", "PUT"] {
                let response = try await fixture.request(method, session)
                #expect(response.status == 410, "\(method)")
                #expect(response.headers["content-type"] == "application/problem+json")
                #expect(response["cause"] == "busy" && response["sip_code"] == "486")
            }
            fixture.pass(seconds: 59)
            #expect(try await fixture.request("GET", session).status == 410)
            fixture.pass(seconds: 1)
            for method in ["GET", "PATCH", "DELETE"] { #expect(try await fixture.request(method, session).status == 404) }
            #expect(await fixture.calls.actions(1).count == 1)
        }
    }

    @Test func hangsUp() async throws {
        try await ServerFixture.run { fixture in
            let session = try await place(fixture)
            #expect(try await fixture.request("DELETE", session, ["Origin": "https://evil.example"]).status == 403)
            #expect(try await fixture.request("DELETE", session).status == 200)
            #expect(await fixture.calls.actions(2).last == .hungUp(FakeBrowserCalls.call(1), .callerHangup))
            let again = try await fixture.request("DELETE", session)
            #expect(again.status == 410 && again["cause"] == "caller_hangup")
        }
    }

    @Test func endBeforeTheAnswerIsTold() async throws {
        try await ServerFixture.run { fixture in
            let response = try await post(fixture, "/whip/over")
            #expect(response.status == 201)
            let end = try await fixture.request("GET", response.headers["location"] ?? "")
            #expect(end.status == 410 && end["cause"] == "agent_unavailable")
        }
    }
}
