import NIOCore
import Testing

@testable import Gateway

@Suite("Agent socket: messages", .timeLimit(.minutes(5)))
struct MessageTests {
    private static func connect(isDirect: Bool = true) async throws -> (SocketAgent, SocketLine) {
        let agent = try await SocketAgent()
        let line = try await SocketLine(to: agent, isDirect: isDirect)
        try await line.open()
        #expect(await line.next() == .opened)
        guard case .request = await agent.next() else {
            Issue.record("no request")
            return (agent, line)
        }
        return (agent, line)
    }

    private static func part(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("what is said arrives masked, in one final frame", arguments: [0, 1, 7, 8, 125, 126, 65535, 65536, 300_000], [true, false])
    func sends(length: Int, isDirect: Bool) async throws {
        let (agent, line) = try await Self.connect(isDirect: isDirect)
        let text = String((0..<length).map { Character(Unicode.Scalar(UInt8(32 + $0 % 90))) })
        try await line.send(text)
        try await line.send("next")
        #expect(await agent.next() == .frame(opcode: 1, payload: Self.part(text), isMasked: true))
        #expect(await agent.next() == .frame(opcode: 1, payload: Self.part("next"), isMasked: true))
        try await line.close()
        try await agent.stop()
    }

    @Test("what the agent says arrives whole", arguments: [0, 125, 126, 65535, 65536, 4 << 20], [true, false])
    func receives(length: Int, isDirect: Bool) async throws {
        let (agent, line) = try await Self.connect(isDirect: isDirect)
        let text = String(repeating: "x", count: length)
        try await agent.send(SocketAgent.text(text))
        #expect(await line.next() == .text(text))
        try await line.close()
        try await agent.stop()
    }

    @Test("fragments are put together, with a ping between them")
    func fragments() async throws {
        let (agent, line) = try await Self.connect()
        // The euro sign is cut in the middle.
        let euro = Self.part("€")
        try await agent.send(
            SocketAgent.frame(0x01, Self.part("12 ") + euro.prefix(1)) + SocketAgent.frame(0x89, [7])
                + SocketAgent.frame(0x00, Array(euro.dropFirst())) + SocketAgent.frame(0x80, []) + SocketAgent.text("after"))
        #expect(await line.next() == .text("12 €"))
        #expect(await line.next() == .text("after"))
        #expect(await agent.next() == .frame(opcode: 10, payload: [7], isMasked: true))
        try await line.close()
        try await agent.stop()
    }

    @Test("messages are told whole and in order however their bytes arrive", arguments: [true, false])
    func trickled(isDirect: Bool) async throws {
        let (agent, line) = try await Self.connect(isDirect: isDirect)
        let long = String(repeating: "l", count: 300)
        let bytes = SocketAgent.text("one") + SocketAgent.text(long) + SocketAgent.text("") + SocketAgent.text("two")
        for byte in bytes { try await agent.send([byte]) }
        for text in ["one", long, "", "two"] { #expect(await line.next() == .text(text)) }
        try await line.close()
        try await agent.stop()
    }

    @Test("4 MiB in fragments are a message, one byte more is not")
    func longest() async throws {
        let (agent, line) = try await Self.connect()
        let quarter = [UInt8](repeating: UInt8(ascii: "q"), count: 1 << 20)
        let three = SocketAgent.frame(0x01, quarter) + SocketAgent.frame(0, quarter) + SocketAgent.frame(0, quarter)
        try await agent.send(three + SocketAgent.frame(0x80, quarter))
        #expect(await line.next() == .text(String(repeating: "q", count: 4 << 20)))
        try await agent.send(three + SocketAgent.frame(0, quarter) + SocketAgent.frame(0x80, [1]))
        #expect(await line.next() == .closed(code: nil, reason: "it sent a message of more than 4096 KiB"))
        #expect(await agent.payload(of: 8) == [0x03, 0xF1])
        try await agent.close()
        #expect(try await line.rest() == [])
        try await agent.stop()
    }

    /// Were all that came copied for each fragment, this alone would take half a minute in a debug build.
    @Test("4 MiB in 65,536 fragments are a message")
    func manyFragments() async throws {
        let (agent, line) = try await Self.connect()
        let piece = [UInt8](repeating: UInt8(ascii: "p"), count: 64)
        let count = (4 << 20) / piece.count
        let fragments = [[UInt8]](repeating: SocketAgent.frame(0, piece), count: count - 2).joined()
        try await agent.send(SocketAgent.frame(0x01, piece) + fragments + SocketAgent.frame(0x80, piece))
        #expect(await line.next() == .text(String(repeating: "p", count: 4 << 20)))
        try await line.close()
        try await agent.stop()
    }

    @Test("binary messages come whole, between texts")
    func binary() async throws {
        let (agent, line) = try await Self.connect()
        try await agent.send(
            SocketAgent.frame(0x82, [1, 2]) + SocketAgent.frame(0x02, [3]) + SocketAgent.frame(0x80, [4]) + SocketAgent.text("t"))
        #expect(await line.next() == .binary([1, 2]))
        #expect(await line.next() == .binary([3, 4]))
        #expect(await line.next() == .text("t"))
        try await line.send(binary: [0, 255])
        #expect(await agent.payload(of: 2) == [0, 255])
        try await line.close()
        try await agent.stop()
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        var name: String
        var bytes: [UInt8]
        var code: UInt16
        var testDescription: String { name }
    }

    static let faults: [Fault] = [
        Fault(name: "invalid UTF-8", bytes: SocketAgent.frame(0x81, [0x41, 0xC3, 0x28]), code: 1007),
        Fault(name: "a surrogate in UTF-8", bytes: SocketAgent.frame(0x81, [0xED, 0xA0, 0x80]), code: 1007),
        Fault(name: "too long a frame", bytes: [0x81, 127, 0, 0, 0, 0, 0, 0x40, 0, 1], code: 1009),
        Fault(name: "a length of 63 bits", bytes: [0x81, 127, 0x7F, 255, 255, 255, 255, 255, 255, 255], code: 1009),
        Fault(name: "a length of 64 bits", bytes: [0x81, 127, 0xFF, 255, 255, 255, 255, 255, 255, 255], code: 1009),
        Fault(name: "masked", bytes: SocketAgent.frame(0x81, [1], mask: true), code: 1002),
        Fault(name: "reserved bit", bytes: SocketAgent.frame(0xC1, [65]), code: 1002),
        Fault(name: "unknown opcode", bytes: SocketAgent.frame(0x83, [65]), code: 1002),
        Fault(name: "unknown control", bytes: SocketAgent.frame(0x8B, []), code: 1002),
        Fault(name: "stray continuation", bytes: SocketAgent.frame(0x80, [65]), code: 1002),
        Fault(name: "text inside a text", bytes: SocketAgent.frame(0x01, [65]) + SocketAgent.text("b"), code: 1002),
        Fault(name: "fragmented ping", bytes: SocketAgent.frame(0x09, []), code: 1002),
        Fault(name: "ping of 126 bytes", bytes: SocketAgent.frame(0x89, [UInt8](repeating: 0, count: 126)), code: 1002),
        Fault(name: "close of one byte", bytes: SocketAgent.frame(0x88, [3]), code: 1002),
        Fault(name: "close with 1005", bytes: SocketAgent.frame(0x88, [0x03, 0xED]), code: 1002),
        Fault(name: "close with 0", bytes: SocketAgent.frame(0x88, [0, 0]), code: 1002),
        Fault(name: "close reason not UTF-8", bytes: SocketAgent.frame(0x88, [0x03, 0xE8, 0xFF]), code: 1007),
    ]

    @Test("an agent that breaks the protocol is told so and let go", arguments: faults, [true, false])
    func brokenProtocol(_ fault: Fault, isDirect: Bool) async throws {
        let (agent, line) = try await Self.connect(isDirect: isDirect)
        try await agent.send(fault.bytes + SocketAgent.text("too late"))
        guard case .closed(nil, let reason)? = await line.next() else {
            Issue.record("not closed")
            return
        }
        #expect(reason.hasPrefix("it "))
        #expect(await agent.payload(of: 8) == [UInt8(fault.code >> 8), UInt8(fault.code & 255)])
        try await agent.close()
        #expect(try await line.rest() == [])
        try await agent.stop()
    }

    @Test("an agent that does not read makes it unwritable, and writable again once it reads")
    func backlog() async throws {
        let agent = try await SocketAgent()
        let line = try await SocketLine(to: agent)
        try await line.open()
        #expect(await line.next() == .opened)
        guard case .request = await agent.next() else { return }
        #expect(try await line.call { $0.isWritable })
        try await agent.read(false)
        let sent = try await line.call { transport in
            var sent = 0
            while transport.isWritable, sent < 100_000 {
                var buffer = transport.makeBuffer(capacity: 320)
                buffer.writeRepeatingByte(UInt8(ascii: "a"), count: 320)
                transport.send(text: buffer)
                sent += 1
            }
            return sent
        }
        // 64 KiB here and what the two kernels take; not megabytes.
        #expect((200...6000).contains(sent))
        try await agent.read(true)
        for _ in 0..<sent { try #require(await agent.payload(of: 1)?.count == 320) }
        // What went by the channel is not overtaken by what no longer has to.
        for number in 0..<3 { try await line.send("\(number)") }
        for number in 0..<3 { #expect(await agent.payload(of: 1) == Self.part("\(number)")) }
        try await agent.send(SocketAgent.text("read"))
        #expect(await line.next() == .text("read"))
        #expect(try await line.call { $0.isWritable })
        try await line.close()
        try await agent.stop()
    }

    @Test("an agent that never reads is given up at a bound")
    func overflow() async throws {
        let agent = try await SocketAgent()
        let line = try await SocketLine(to: agent)
        try await line.open()
        #expect(await line.next() == .opened)
        try await agent.read(false)
        try await line.call { transport in
            for _ in 0..<10_000 {
                var buffer = transport.makeBuffer(capacity: 1000)
                buffer.writeRepeatingByte(UInt8(ascii: "m"), count: 1000)
                transport.send(text: buffer)
            }
        }
        #expect(await line.next() == .closed(code: nil, reason: "it does not read what it is sent"))
        #expect(try await line.rest() == [])
        try await agent.stop()
    }
}
