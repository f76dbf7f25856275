import NIOCore
import Testing

@testable import Gateway

@Suite("Agent socket: opening handshake", .timeLimit(.minutes(5)))
struct HandshakeTests {
    @Test("the request carries address, token, subprotocol and no extensions")
    func request() async throws {
        let agent = try await SocketAgent(.upgrade(lines: ["Sec-WebSocket-Protocol: tandem.media.v1"]))
        let line = try await SocketLine(to: agent, path: "/media?tenant=7&x=%20", token: "s3cret", subprotocol: "tandem.media.v1")
        try await line.open()
        #expect(await line.next() == .opened)
        guard case .request(let text)? = await agent.next() else {
            Issue.record("no request")
            return
        }
        let lines = text.split(separator: "\r\n").map(String.init)
        #expect(lines.first == "GET /media?tenant=7&x=%20 HTTP/1.1")
        let fields = Set(lines.dropFirst().map { $0.lowercased() })
        #expect(fields.contains("host: 127.0.0.1:\(agent.port)"))
        #expect(fields.contains("authorization: bearer s3cret"))
        #expect(fields.contains("upgrade: websocket"))
        #expect(fields.contains("connection: upgrade"))
        #expect(fields.contains("sec-websocket-version: 13"))
        #expect(fields.contains("sec-websocket-protocol: tandem.media.v1"))
        #expect(lines.contains("Sec-WebSocket-Key: WlpaWlpaWlpaWlpaWlpaWg=="))
        #expect(!fields.contains { $0.hasPrefix("sec-websocket-extensions") })
        #expect(!fields.contains { $0.hasPrefix("transfer-encoding") || $0.hasPrefix("content-length") })
        try await line.close()
        try await agent.stop()
    }

    @Test("frames in the same packet as the 101 come after opened")
    func early() async throws {
        let agent = try await SocketAgent(.upgrade(bytes: SocketAgent.text("one") + SocketAgent.text("two")))
        let line = try await SocketLine(to: agent)
        try await line.open()
        #expect(await line.next() == .opened)
        #expect(await line.next() == .text("one"))
        #expect(await line.next() == .text("two"))
        try await line.close()
        try await agent.stop()
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var answer: SocketAgent.Answer
        var subprotocol: String?
        var reason: String
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "404", answer: .text("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno!"), reason: "it answered HTTP 404"),
        Case(name: "200 without a body yet", answer: .text("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), reason: "it answered HTTP 200"),
        Case(name: "401", answer: .text("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"), reason: "it answered HTTP 401"),
        Case(name: "302", answer: .text("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"), reason: "it answered HTTP 302"),
        Case(
            name: "wrong accept",
            answer: .text("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n"),
            reason: "its Sec-WebSocket-Accept is wrong"),
        Case(
            name: "101 to something else", answer: .text("HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"),
            reason: "it did not switch to WebSocket"),
        Case(name: "101 without Upgrade", answer: .text("HTTP/1.1 101 X\r\n\r\n"), reason: "it did not switch to WebSocket"),
        Case(name: "no HTTP", answer: .text("SSH-2.0-OpenSSH_9.2\r\n\r\n"), reason: "it does not speak HTTP"),
        Case(name: "closes", answer: .close, reason: "it closed the connection before it answered"),
        Case(
            name: "subprotocol unasked", answer: .upgrade(lines: ["Sec-WebSocket-Protocol: chat"]),
            reason: "it selected a subprotocol unasked"),
        Case(
            name: "subprotocol not selected", answer: .upgrade(), subprotocol: "tandem.media.v1",
            reason: "it did not select the subprotocol tandem.media.v1"),
        Case(
            name: "extension unasked", answer: .upgrade(lines: ["Sec-WebSocket-Extensions: permessage-deflate"]),
            reason: "it selected an extension unasked"),
    ]

    @Test("an answer that is no WebSocket is refused, said why, and closed", arguments: cases)
    func refusals(_ tried: Case) async throws {
        let agent = try await SocketAgent(tried.answer)
        let line = try await SocketLine(to: agent, subprotocol: tried.subprotocol)
        try await line.open()
        #expect(await line.next() == .closed(code: nil, reason: tried.reason))
        #expect(await agent.gone())
        #expect(try await line.rest() == [])
        try await agent.stop()
    }

    @Test("nobody listens")
    func nobody() async throws {
        let line = try await SocketLine(url: "ws://127.0.0.1:\(try await SocketAgent.freePort())/")
        try await line.open()
        #expect(await line.next() == .closed(code: nil, reason: "connection refused"))
        #expect(try await line.rest() == [])
    }

    @Test("an agent that never answers the request")
    func silent() async throws {
        let agent = try await SocketAgent(.nothing)
        var limits = WebSocketAgentTransport.Limits.patient
        // Long enough that the connection is there before it runs out, on a machine that stands still too: else nobody is gone.
        limits.connect = .seconds(3)
        let line = try await SocketLine(to: agent, limits: limits)
        try await line.open()
        #expect(await line.next() == .closed(code: nil, reason: "it did not answer within 3000 ms"))
        #expect(await agent.gone())
        #expect(try await line.rest() == [])
        try await agent.stop()
    }

    @Test("given up while it is dialled", arguments: [false, true])
    func givenUp(isAsked: Bool) async throws {
        let agent = try await SocketAgent(.nothing)
        let line = try await SocketLine(to: agent)
        try await line.open()
        if isAsked { _ = await agent.next() }
        try await line.close(1001)
        #expect(await line.next() == .closed(code: nil, reason: "it was given up while it was dialled"))
        if isAsked { #expect(await agent.gone()) }
        try await line.close(1001)
        #expect(try await line.rest() == [])
        try await agent.stop()
    }

    @Test("closed before it was opened")
    func closedFirst() async throws {
        let line = try await SocketLine(url: "ws://127.0.0.1:1/")
        try await line.close()
        try await line.open()
        #expect(await line.next() == .closed(code: nil, reason: "it was given up before it was dialled"))
        #expect(try await line.rest() == [])
    }

    @Test("an address or a token that cannot be used fails like an agent that cannot be reached")
    func unusable() async throws {
        let wrong = try await SocketLine(url: "https://127.0.0.1/")
        try await wrong.open()
        #expect(await wrong.next() == .closed(code: nil, reason: "its address is no ws:// or wss:// URL"))
        let token = try await SocketLine(url: "ws://127.0.0.1:1/", token: "a\r\nX-Forged: 1")
        try await token.open()
        #expect(await token.next() == .closed(code: nil, reason: "its token has characters that no HTTP header may have"))
    }
}
