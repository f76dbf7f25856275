import NIOCore
import NIOEmbedded
import Testing

@testable import Gateway

/// On virtual time: the handler alone in an embedded channel.
@Suite("Agent socket: liveness")
struct LivenessTests {
    private final class Owner: WebSocketAgentTransportOwner {
        var texts = 0
        var ends: [String] = []
        func received(_ text: ByteBuffer, now: NIODeadline) { texts += 1 }
        func received(binary: ByteBuffer, now: NIODeadline) {}
        func ended(code: UInt16?, reason: String) { ends.append(reason) }
    }

    private let owner = Owner()
    private let channel: EmbeddedChannel
    private let handler: WebSocketAgentTransport.Handler

    init() throws {
        handler = WebSocketAgentTransport.Handler(owner: owner, limits: .init(), generator: FixedGenerator())
        channel = EmbeddedChannel(handler: handler)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 80)).wait()
        handler.start(nil)
    }

    /// The opcodes of the frames written since the last time.
    private func written() throws -> [UInt8] {
        var opcodes: [UInt8] = []
        while let frame = try channel.readOutbound(as: ByteBuffer.self) {
            opcodes.append((frame.getInteger(at: frame.readerIndex) ?? 0) & 15)
        }
        return opcodes
    }

    private func advance(_ seconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .seconds(seconds)) }

    @Test("a ping every 15 s; 45 s without anything is the end, once")
    func silence() throws {
        advance(14)
        #expect(try written() == [])
        advance(1)
        #expect(try written() == [9])
        advance(15)
        #expect(try written() == [9])
        advance(14)
        #expect(owner.ends == [])
        advance(1)
        #expect(owner.ends == ["nothing came from it for 45 s"])
        #expect(!channel.isActive)
        advance(100)
        #expect(owner.ends.count == 1)
        #expect(try written() == [])
    }

    @Test("anything heard counts: pongs, and parts of frames not yet whole", arguments: [true, false])
    func life(isFrame: Bool) throws {
        for round in 1...20 {
            advance(40)
            if isFrame {
                channel.pipeline.fireChannelRead(ByteBuffer(bytes: SocketAgent.frame(0x8A, [])))
            }
            channel.pipeline.fireChannelReadComplete()
            #expect(owner.ends == [], "round \(round)")
        }
        #expect(try written().allSatisfy { $0 == 9 })
        advance(44)
        #expect(owner.ends == [])
        advance(1)
        #expect(owner.ends.count == 1)
    }

    @Test("after our Close the agent has a second, and no pings are sent")
    func closing() throws {
        handler.close(code: 1000)
        #expect(try written() == [8])
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(999))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .milliseconds(1))
        #expect(!channel.isActive)
        #expect(owner.ends == ["closed"])
        advance(60)
        #expect(try written() == [])
    }

    @Test("a channel that is gone leaves no timer")
    func noTimer() throws {
        try channel.close().wait()
        #expect(owner.ends == ["it broke off without a Close frame"])
        advance(100)
        #expect(owner.ends.count == 1)
        #expect(try written() == [])
    }
}
