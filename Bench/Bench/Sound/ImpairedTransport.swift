import NIOCore

/// A transport behind a bad network: what is sent through it is lost or comes later, as a trace says.
final class ImpairedTransport: LoadTransport {
    private let transport: any LoadTransport
    private var trace: NetworkTrace
    private var underWay: [(packet: [UInt8], due: NIODeadline)] = []

    init(_ transport: any LoadTransport, trace: NetworkTrace) {
        self.transport = transport
        self.trace = trace
    }

    var isReady: Bool { transport.isReady }
    var failure: String? { transport.failure }

    func send(_ packet: [UInt8]) {
        if let due = trace.arrival(of: .now()) { underWay.append((packet, due)) }
    }

    func poll(now: NIODeadline, media: (_ packet: [UInt8], _ arrived: Int64) -> Void) {
        // In order of their times, for the trace keeps it.
        while let first = underWay.first, first.due <= now {
            transport.send(first.packet)
            underWay.removeFirst()
        }
        transport.poll(now: now, media: media)
    }
}
