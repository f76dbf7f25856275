import NIOCore

/// A transport that keeps what comes.
final class RecordingTransport: LoadTransport {
    private let transport: any LoadTransport
    private(set) var packets: [[UInt8]] = []

    init(_ transport: any LoadTransport) {
        self.transport = transport
    }

    var isReady: Bool { transport.isReady }
    var failure: String? { transport.failure }

    func send(_ packet: [UInt8]) { transport.send(packet) }

    func poll(now: NIODeadline, media: (_ packet: [UInt8], _ arrived: Int64) -> Void) {
        transport.poll(now: now) { packet, arrived in
            packets.append(packet)
            media(packet, arrived)
        }
    }
}
