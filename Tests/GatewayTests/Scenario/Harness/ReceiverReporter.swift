import NIOCore
import RTP
import TestKit

/// What a browser says in RTCP of the stream it hears: a receiver report every few seconds.
final class ReceiverReporter {
    private var session: RTPSession
    private var events: [RTPEvent] = []

    init(audioType: UInt8, clockRate: Int, seed: UInt64) {
        let format = RTPFormat(payloadType: audioType, clockRate: clockRate)
        var generator = SeededGenerator(seed: seed)
        let formats = RTPFormats(receiveAudio: [format], sendAudio: format)
        let configuration = RTPSession.Configuration(formats: formats, cname: "browser", using: &generator)
        session = RTPSession(configuration: configuration, now: VirtualGateway.start)
    }

    func receive(_ packet: [UInt8], now: NIODeadline) {
        events.removeAll(keepingCapacity: true)
        packet.withUnsafeBytes { session.receive($0, from: Self.gateway, now: now, into: &events) }
    }

    func receiveControl(_ packet: [UInt8], now: NIODeadline) {
        packet.withUnsafeBytes { session.receiveControl($0, now: now, into: &events) }
    }

    /// The report that is due.
    func report(now: NIODeadline) -> [UInt8]? {
        guard now >= session.reportDeadline else { return nil }
        var bytes = [UInt8](repeating: 0, count: RTPSession.controlPacketCapacity)
        let wallClock = NTPTimestamp(seconds: 1, fraction: 0)
        let length = bytes.withUnsafeMutableBytes { session.writeControl(now: now, wallClock: wallClock, into: $0) }
        return length.map { Array(bytes[..<$0]) }
    }

    private static let gateway = VirtualGateway.address(VirtualGateway.host, 40000)
}
