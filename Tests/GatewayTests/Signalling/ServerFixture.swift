import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
@testable import Gateway

/// A running HTTP server before a fake switchboard, for the length of one test.
struct ServerFixture {
    let calls = FakeBrowserCalls()
    let health = FakeHealth()
    let server: HTTPServer
    let port: Int
    let clock = NIOLockedValueBox(NIODeadline.uptimeNanoseconds(1_000_000_000))

    private init(_ adjust: (inout HTTPServer.Configuration) -> Void) async throws {
        var configuration = HTTPServer.Configuration(host: "127.0.0.1", port: 0)
        configuration.origins = ["https://shop.example"]
        configuration.iceServers = { [ICEServer(urls: ["turn:turn.example:3478?transport=udp"], username: "1700000000:a", credential: "secret")] }
        configuration.stopTimeout = .milliseconds(300)
        adjust(&configuration)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        server = HTTPServer(
            configuration: configuration, calls: calls, health: health, group: MultiThreadedEventLoopGroup.singleton, logger: logger,
            now: { [clock] in clock.withLockedValue { $0 } })
        port = try await server.start()
    }

    static func run(
        _ adjust: (inout HTTPServer.Configuration) -> Void = { _ in }, _ test: (ServerFixture) async throws -> Void
    ) async throws {
        let fixture = try await ServerFixture(adjust)
        do { try await test(fixture) } catch {
            await fixture.server.stop()
            throw error
        }
        await fixture.server.stop()
    }

    func connect() async throws -> RawConnection {
        try await RawConnection(port: port, group: MultiThreadedEventLoopGroup.singleton)
    }

    /// A connection that has become a signal socket.
    func socket() async throws -> RawConnection {
        let connection = try await connect()
        let response = try await connection.handshake()
        guard response.status == 101 else { throw RawConnection.Closed() }
        return connection
    }

    func request(_ method: String, _ path: String, _ headers: [String: String] = [:], body: String? = nil) async throws -> RawConnection.Response {
        let connection = try await connect()
        let response = try await connection.request(method, path, headers, body: body)
        // The server may have closed it already.
        try? await connection.close()
        return response
    }

    /// Moves the clock of ended sessions.
    func pass(seconds: Int64) {
        clock.withLockedValue { $0 = $0 + .seconds(seconds) }
    }
}
