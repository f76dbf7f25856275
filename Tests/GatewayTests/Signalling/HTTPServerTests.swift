import NIOCore
import NIOPosix
import Testing
@testable import Gateway

@Suite(.timeLimit(.minutes(5))) struct HTTPServerTests {
    @Test func servesPagesWithTheirHeaders() async throws {
        try await ServerFixture.run { fixture in
            for (path, type) in [("/", "text/html"), ("/?processing=off", "text/html"), ("/tandem.js", "text/javascript")] {
                let page = try await fixture.request("GET", path)
                #expect(page.status == 200)
                #expect(page.headers["content-type"]?.hasPrefix(type) == true)
                #expect(page.headers["content-security-policy"]?.contains("default-src 'none'") == true)
                #expect(page.headers["x-content-type-options"] == "nosniff")
                #expect(!page.body.isEmpty)
                let again = try await fixture.request("GET", path, ["If-None-Match": page.headers["etag"] ?? ""])
                #expect(again.status == 304)
                #expect(again.body.isEmpty)
                let head = try await fixture.request("HEAD", path)
                #expect(head.status == 200)
                #expect(head.headers["content-length"] == "\(page.body.utf8.count)")
            }
        }
    }

    @Test func reportsHealthAndMetrics() async throws {
        try await ServerFixture.run { fixture in
            let health = try await fixture.request("GET", "/healthz")
            #expect(health.status == 200 && health["status"] == "ok")
            #expect(try await fixture.request("GET", "/readyz").status == 200)
            let metrics = try await fixture.request("GET", "/metrics")
            #expect(metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(metrics.body.hasSuffix("tandem_calls 0\n"))
            fixture.health.drain()
            let draining = try await fixture.request("GET", "/readyz")
            #expect(draining.status == 503)
            #expect(Int(draining.headers["retry-after"] ?? "") ?? 0 > 0)
            #expect(try await fixture.request("GET", "/healthz").status == 200)
        }
    }

    @Test func refusesUnknownPathsAndMethods() async throws {
        try await ServerFixture.run { fixture in
            for path in ["/nothing", "/whip", "/whip/", "/whip/a/b/c", "/admin"] {
                let response = try await fixture.request("GET", path)
                #expect(response.status == 404, "\(path)")
                #expect(response.headers["content-type"] == "application/problem+json")
                #expect(response.headers["x-content-type-options"] == "nosniff")
                #expect(response["title"] == "Not Found" && response["status"] == "404")
                #expect(response["detail"]?.isEmpty == false)
            }
            for (method, path, allow) in [
                ("POST", "/", "GET, HEAD, OPTIONS"), ("DELETE", "/metrics", "GET, HEAD, OPTIONS"), ("GET", "/whip/demo", "OPTIONS, POST"),
                ("PUT", "/whip/demo", "OPTIONS, POST"), ("POST", "/signal", "GET, HEAD, OPTIONS"),
            ] {
                let response = try await fixture.request(method, path)
                #expect(response.status == 405, "\(method) \(path)")
                #expect(response.headers["allow"] == allow)
                #expect(response.headers["content-type"] == "application/problem+json")
            }
            #expect(try await fixture.request("HEAD", "/nothing").status == 404)
        }
    }

    @Test func keepsConnectionsAndSurvivesNonsense() async throws {
        try await ServerFixture.run { fixture in
            let kept = try await fixture.connect()
            for _ in 0..<3 { #expect(try await kept.request("GET", "/healthz").status == 200) }
            for nonsense in ["\r\n\r\n\0\0\0", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\(String(repeating: "x", count: 100_000)): 1\r\n\r\n"] {
                let connection = try await fixture.connect()
                // The server may have closed before the last byte was written.
                try? await connection.send(nonsense)
                let response = try? await connection.response()
                #expect(response == nil || response?.status == 400)
            }
            try await kept.send("BREW / HTTP/1.1\r\n\r\n")
            #expect(try await kept.response().status == 400)
            #expect(try await fixture.request("GET", "/healthz").status == 200)
        }
    }

    @Test func aClientThatAsksBeforeItSendsItsBodyIsToldToGoOn() async throws {
        try await ServerFixture.run { fixture in
            let connection = try await fixture.connect()
            let body = "v=0"
            let head = "POST /whip/demo HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\nContent-Length: \(body.utf8.count)\r\nExpect: 100-continue\r\n\r\n"
            // On a connection's later requests too.
            for _ in 0..<2 {
                try await connection.send(head)
                let interim = try await connection.response()
                #expect(interim.status == 100 && interim.headers.isEmpty)
                try await connection.send(body)
                #expect(try await connection.response().status != 100)
            }
            try await connection.send(head.replacing("HTTP/1.1", with: "HTTP/1.0") + body)
            #expect(try await connection.response().status != 100)
        }
    }

    @Test func bindFailureNamesTheAddress() async throws {
        try await ServerFixture.run { fixture in
            let second = HTTPServer(
                configuration: .init(host: "127.0.0.1", port: fixture.port), calls: fixture.calls, health: fixture.health,
                group: MultiThreadedEventLoopGroup.singleton)
            let error = await #expect(throws: HTTPServer.BindFailure.self) { try await second.start() }
            #expect(error?.description == "HTTP cannot listen on 127.0.0.1:\(fixture.port): the address is in use")
        }
    }

    @Test func stopsWithConnectionsOpen() async throws {
        var open: [RawConnection] = []
        try await ServerFixture.run { fixture in
            // One that said nothing, one between requests, one in the middle of a body.
            open.append(try await fixture.connect())
            let idle = try await fixture.connect()
            #expect(try await idle.request("GET", "/healthz").status == 200)
            open.append(idle)
            let half = try await fixture.connect()
            try await half.send("POST /whip/demo HTTP/1.1\r\nHost: a\r\nContent-Type: application/sdp\r\nContent-Length: 100\r\n\r\nv=0")
            open.append(half)
        }
        for connection in open { #expect(await connection.isClosedByPeer()) }
    }

    @Test func tellsSocketsThatItStops() async throws {
        var socket: RawConnection?
        // Long: on a busy machine a third of a second could be over before anything is told.
        try await ServerFixture.run({ $0.stopTimeout = .seconds(60) }) { socket = try await $0.socket() }
        #expect(try await socket?.frame().code == 1001)
    }
}
