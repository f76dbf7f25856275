import NIOCore
import RTP

/// How the packets of one leg get out and in.
protocol LoadTransport: AnyObject {
    /// Whether sound can go out.
    var isReady: Bool { get }
    /// Why it never will.
    var failure: String? { get }
    /// Sends one RTP packet, protected where the leg has SRTP.
    func send(_ packet: [UInt8])
    /// Reads what has come: `media` gets each RTP packet in the clear and its time of arrival. Does what is due.
    func poll(now: NIODeadline, media: (_ packet: [UInt8], _ arrived: Int64) -> Void)
}

/// A phone: RTP and nothing else. With a key, a browser after its handshake: SRTP that began without ICE and DTLS.
final class DirectTransport: LoadTransport {
    let socket: LoadSocket
    /// Where the far end listens, once that is known.
    var remotePort: UInt16?
    let failure: String? = nil
    private let context: SRTPContext?

    init(context: SRTPContext? = nil) throws {
        socket = try LoadSocket()
        self.context = context
    }

    var isReady: Bool { remotePort != nil }

    func send(_ packet: [UInt8]) {
        guard let remotePort else { return }
        guard let context else {
            socket.send(packet, to: remotePort)
            return
        }
        var bytes = packet + [UInt8](repeating: 0, count: context.profile.packetOverhead)
        let capacity = bytes.count
        let length = bytes.withUnsafeMutableBytes { room in
            room.baseAddress.flatMap { context.protect($0, length: packet.count, capacity: capacity) }
        }
        if length == capacity { socket.send(bytes, to: remotePort) }
    }

    func poll(now: NIODeadline, media: (_ packet: [UInt8], _ arrived: Int64) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: 2048, alignment: 8) { room in
            while let arrival = socket.receive(into: room) {
                guard let context else {
                    media(Array(room[..<arrival.length]), arrival.time)
                    continue
                }
                guard let base = room.baseAddress, let length = context.unprotect(base, length: arrival.length) else { continue }
                media(Array(room[..<length]), arrival.time)
            }
        }
    }
}
