import CShims
import Glibc
import NIOCore
import RTP
import Testing

@testable import Gateway

@Suite struct StreamOrderTests {
    /// Keeps what the kernel did not take, as an agent's connection does that has another way for it.
    private final class Reader: StreamReader {
        var refused: [UInt8] = []

        func received(_ bytes: ByteBuffer) {}
        func streamEnded(error: Int32?) {}
        func streamRefused(_ bytes: UnsafeRawBufferPointer) { refused += bytes }
    }

    /// More than a turn's batch takes, to a far end that takes it only later: the message for which the batch is written early comes
    /// after what the kernel refused of it, so it must not be written itself once there is room again.
    @Test func nothingOvertakesWhatWasRefusedInTheMidstOfATurn() throws {
        let anyPort = try #require(TransportAddress(host: "127.0.0.1", port: 0))
        let streams = try EpollMediaIO(browser: anyPort, trunkHost: anyPort, ports: PortPool(1024...1025))
        var pair: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        defer { for end in pair { close(end) } }
        let reader = Reader()
        streams.watch(stream: pair[0], reader: reader)

        var sent: [UInt8] = []
        var number: UInt32 = 0
        while reader.refused.isEmpty, number < 10_000 {
            let message = (0..<100).flatMap { _ in withUnsafeBytes(of: number.bigEndian, Array.init) }
            message.withUnsafeBytes { streams.send($0, on: pair[0]) }
            sent += message
            number += 1
        }
        try #require(!reader.refused.isEmpty)
        var arrived = Self.read(pair[1])
        streams.flush()
        arrived += Self.read(pair[1])
        let isInOrder = arrived + reader.refused == sent
        #expect(isInOrder)
        streams.unwatch(stream: pair[0])
        streams.close()
    }

    /// Everything that has arrived.
    private static func read(_ descriptor: Int32) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        return Array(bytes.prefix(max(0, count)))
    }
}
