import Logging
import NIOConcurrencyHelpers
import NIOPosix
import Testing

@testable import Gateway

@Suite("Webhooks", .timeLimit(.minutes(5)))
struct WebhookTests {
    typealias URL = WebSocketAgentTransport.URL

    private static func notice(_ call: Int, _ text: String, _ url: URL) -> CallNotice {
        CallNotice(call: RecordFixture.id(call), url: url, body: .string(text))
    }

    /// Answers each post as the test says, the last answer again and again, and keeps what came.
    private final class Server: Sendable {
        let bodies = NIOLockedValueBox<[String]>([])
        private let answers: NIOLockedValueBox<[Int]>

        init(_ answers: [Int]) { self.answers = NIOLockedValueBox(answers) }

        /// 0 is no answer.
        func post(_ body: [UInt8]) throws -> Int {
            bodies.withLockedValue { $0.append(String(decoding: body, as: UTF8.self)) }
            let status = answers.withLockedValue { $0.count > 1 ? $0.removeFirst() : $0[0] }
            if status == 0 { throw WebhookPost.Failure(description: "there was no answer") }
            return status
        }
    }

    @Test("tried three times, unless the answer says that it is of no use", arguments: [
        ([204], 1), ([500, 200], 2), ([0, 0, 200], 3), ([0], 3), ([503], 3), ([429, 200], 2), ([408, 200], 2), ([400], 1), ([404], 1), ([301], 1),
    ])
    func attempts(answers: [Int], count: Int) async throws {
        let server = Server(answers)
        let url = try #require(URL(web: "http://shop.example/"))
        let webhooks = CallWebhooks(logger: RecordFixture.logger, pauses: [.zero, .zero]) { _, content in try server.post(content.bytes) }
        webhooks.send(Self.notice(1, "a", url))
        await webhooks.close()
        #expect(server.bodies.withLockedValue { $0 } == Array(repeating: "\"a\"", count: count))
    }

    @Test("a call's notices come in order, others do not wait for them")
    func order() async throws {
        let server = Server([0, 0, 0, 200])
        let url = try #require(URL(web: "http://shop.example/"))
        let webhooks = CallWebhooks(logger: RecordFixture.logger, pauses: [.zero, .zero]) { _, content in try server.post(content.bytes) }
        for text in ["a", "b", "c"] { webhooks.send(Self.notice(1, text, url)) }
        await webhooks.close()
        #expect(server.bodies.withLockedValue { $0 } == ["a", "a", "a", "b", "c"].map { "\"\($0)\"" })
    }

    @Test("a dead server does not fill the memory")
    func limit() async throws {
        let server = Server([200])
        let url = try #require(URL(web: "http://shop.example/"))
        let (gate, open) = AsyncStream<Void>.makeStream()
        let webhooks = CallWebhooks(logger: RecordFixture.logger, pauses: []) { _, content in
            for await _ in gate {}
            return try server.post(content.bytes)
        }
        for _ in 0..<CallWebhooks.waitingLimit + 10 { webhooks.send(Self.notice(1, "a", url)) }
        open.finish()
        await webhooks.close()
        #expect(server.bodies.withLockedValue { $0.count } == CallWebhooks.waitingLimit)
    }

    @Test("what is sent, and the answer's status")
    func exchange() async throws {
        let server = try await SocketAgent(.text("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"))
        let url = try #require(URL(web: "http://127.0.0.1:\(server.port)/calls?key=1"))
        #expect(try await WebhookPost(group: MultiThreadedEventLoopGroup.singleton)(url, WebhookContent(type: MediaTypes.json, bytes: Array("{}".utf8))) == 202)
        guard case .request(let request)? = await server.next() else {
            Issue.record("no request")
            return
        }
        #expect(request.hasPrefix("POST /calls?key=1 HTTP/1.1\r\n") && request.contains("\r\nHost: 127.0.0.1:\(server.port)\r\n"))
        #expect(request.contains("\r\nContent-Type: application/json\r\n") && request.contains("\r\nContent-Length: 2\r\n"))
        try await server.stop()
    }

    @Test("a server that closes, and one that is not there")
    func failures() async throws {
        let post = WebhookPost(group: MultiThreadedEventLoopGroup.singleton)
        let server = try await SocketAgent(.close)
        let url = try #require(URL(web: "http://127.0.0.1:\(server.port)/"))
        await #expect(throws: (any Error).self) { try await post(url, WebhookContent(type: MediaTypes.json, bytes: [])) }
        try await server.stop()
        let free = try #require(URL(web: "http://127.0.0.1:\(try await SocketAgent.freePort())/"))
        await #expect(throws: (any Error).self) { try await post(free, WebhookContent(type: MediaTypes.json, bytes: [])) }
    }

    @Test("addresses", arguments: [
        ("http://shop.example", true), ("HTTPS://shop.example:8443/x?y", true), ("http://[::1]:80/", true), ("ws://shop.example/", false), ("https://", false),
        ("http://u:p@shop.example/", false), ("http://shop.example/#x", false), ("httpx://shop.example/", false), ("", false),
    ])
    func addresses(text: String, isAddress: Bool) { #expect((URL(web: text) != nil) == isAddress) }
}
