import NIOCore
import RTP

@testable import Gateway

/// Reads the streams of one line as a media loop does, every millisecond, on the line's event loop.
final class StreamTurner: DatagramReceiver, @unchecked Sendable {
    let streams: EpollMediaIO
    private let loop: any EventLoop
    private var isStopped = false

    init(on loop: any EventLoop) throws {
        guard let anyPort = TransportAddress(host: "127.0.0.1", port: 0) else { throw ChannelError.unknownLocalAddress }
        streams = try EpollMediaIO(browser: anyPort, trunkHost: anyPort, ports: PortPool(1024...1025))
        self.loop = loop
    }

    func turn() {
        guard !isStopped else { return }
        streams.poll(into: self)
        streams.flush()
        loop.scheduleTask(in: .milliseconds(1)) { self.turn() }
    }

    func stop() {
        isStopped = true
        streams.close()
    }

    func receive(_ datagram: UnsafeMutableRawBufferPointer, on socket: MediaSocket, from source: TransportAddress) {}
}
