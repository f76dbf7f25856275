import NIOCore
import Testing

@testable import Gateway

@Suite("Agent socket: the end", .timeLimit(.minutes(5)))
struct EndTests {
    private static func connect(limits: WebSocketAgentTransport.Limits = .patient) async throws -> (SocketAgent, SocketLine) {
        let agent = try await SocketAgent()
        let line = try await SocketLine(to: agent, limits: limits)
        try await line.open()
        #expect(await line.next() == .opened)
        return (agent, line)
    }

    @Test("the agent closes: its code is told, echoed, and the TCP connection is left to it", arguments: [1000, 1001, 1011, 3000, 4999])
    func agentCloses(code: UInt16) async throws {
        let (agent, line) = try await Self.connect()
        let bytes = [UInt8(code >> 8), UInt8(code & 255)]
        try await agent.send(SocketAgent.frame(0x88, bytes + Array("bye".utf8)) + SocketAgent.text("too late"))
        #expect(await line.next() == .closed(code: code, reason: "it closed with code \(code): bye"))
        #expect(await agent.payload(of: 8) == bytes)
        try await agent.close()
        #expect(try await line.rest() == [])
        try await agent.stop()
    }

    @Test("a Close frame without a code is 1005 and answered without one")
    func emptyClose() async throws {
        let (agent, line) = try await Self.connect()
        try await agent.send(SocketAgent.frame(0x88, []))
        #expect(await line.next() == .closed(code: 1005, reason: "it closed with code 1005"))
        #expect(await agent.payload(of: 8) == [])
        try await agent.close()
        #expect(try await line.rest() == [])
        try await agent.stop()
    }

    @Test("an agent that closes but leaves the TCP connection open loses it")
    func lingering() async throws {
        var limits = WebSocketAgentTransport.Limits.patient
        limits.closing = .milliseconds(50)
        let (agent, line) = try await Self.connect(limits: limits)
        try await agent.send(SocketAgent.frame(0x88, [0x03, 0xE8]))
        #expect(await line.next() == .closed(code: 1000, reason: "it closed with code 1000"))
        #expect(await agent.gone())
        try await agent.stop()
    }

    @Test("we close: Close frame, the agent's answer is told, nothing after it")
    func weClose() async throws {
        let (agent, line) = try await Self.connect()
        try await line.send("stop")
        try await line.close(1000)
        try await line.close(1001)
        try await line.send("not sent")
        #expect(await agent.payload(of: 1) == Array("stop".utf8))
        #expect(await agent.next() == .frame(opcode: 8, payload: [0x03, 0xE8], isMasked: true))
        try await agent.send(SocketAgent.text("not told") + SocketAgent.frame(0x88, [0x03, 0xE8]))
        #expect(await line.next() == .closed(code: 1000, reason: "it closed with code 1000"))
        try await agent.close()
        #expect(await agent.next() == .gone)
        #expect(try await line.rest() == [])
        try await agent.stop()
    }

    @Test("we close and the agent does not answer: the connection ends all the same")
    func unanswered() async throws {
        var limits = WebSocketAgentTransport.Limits.patient
        limits.closing = .milliseconds(50)
        let (agent, line) = try await Self.connect(limits: limits)
        try await line.close(1001)
        #expect(await line.next() == .closed(code: nil, reason: "closed"))
        #expect(await agent.payload(of: 8) == [0x03, 0xE9])
        #expect(await agent.gone())
        #expect(try await line.rest() == [])
        try await agent.stop()
    }

    @Test("the agent's machine resets the connection")
    func reset() async throws {
        let (agent, line) = try await Self.connect()
        try await agent.reset()
        guard case .closed(nil, let reason)? = await line.next() else {
            Issue.record("not closed")
            return
        }
        #expect(reason == "connection reset by peer")
        #expect(try await line.rest() == [])
        try await agent.stop()
    }

    @Test("the agent's process ends without a Close frame")
    func brokenOff() async throws {
        let (agent, line) = try await Self.connect()
        try await agent.close()
        #expect(await line.next() == .closed(code: nil, reason: "it broke off without a Close frame"))
        #expect(try await line.rest() == [])
        try await agent.stop()
    }

    @Test("writing to an agent that is gone ends it outside the call")
    func goneUnderWrite() async throws {
        let (agent, line) = try await Self.connect()
        try await agent.reset()
        // Many writes in one turn: the loop cannot read the reset before them.
        try await line.call { transport in
            for _ in 0..<100 {
                var buffer = transport.makeBuffer(capacity: 8)
                buffer.writeString("audio")
                transport.send(text: buffer)
            }
        }
        guard case .closed(nil, let reason)? = await line.next() else {
            Issue.record("not closed")
            return
        }
        #expect(reason != "told from within a call")
        #expect(try await line.rest() == [])
        try await agent.stop()
    }

    @Test("a transport let go of while it is up takes leave")
    func dropped() async throws {
        let (agent, line) = try await Self.connect()
        try await line.drop()
        #expect(await agent.payload(of: 8) == [0x03, 0xE9])
        try await agent.close()
        #expect(try await line.rest() == [])
        try await agent.stop()
    }
}
