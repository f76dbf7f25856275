import Glibc
import NIOCore
import RTP
import Testing

@testable import Gateway

@Suite struct AwaitInputTests {
    private final class Counter: DatagramReceiver {
        var datagrams = 0

        func receive(_ datagram: UnsafeMutableRawBufferPointer, on socket: MediaSocket, from source: TransportAddress) { datagrams += 1 }
    }

    /// What has come ends the sleep and is still told by the next poll, though the sockets are watched by edges.
    @Test func endsWithADatagramAndLeavesItToThePoll() throws {
        let anyPort = try #require(TransportAddress(host: "127.0.0.1", port: 0))
        let io = try EpollMediaIO(browser: anyPort, trunkHost: anyPort, ports: PortPool(1024...1025))
        defer { io.close() }
        let counter = Counter()
        for expected in 1...3 {
            let room = try #require(io.slot())
            room.storeBytes(of: 1, as: UInt8.self)
            io.send(length: 1, on: .browser, to: io.browserAddress)
            io.flush()
            let deadline = NIODeadline.now() + .seconds(20)
            io.awaitInput(until: deadline)
            #expect(NIODeadline.now() < deadline)
            io.poll(into: counter)
            #expect(counter.datagrams == expected)
        }
        let deadline = NIODeadline.now() + .milliseconds(5)
        io.awaitInput(until: deadline)
        #expect(NIODeadline.now() >= deadline)
    }
}
