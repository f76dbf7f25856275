import NIOCore
import RTP
import TestKit

/// What a browser says in RTCP of the stream it hears: a receiver report every few seconds.
final class ReceiverReporter {
    private var session: RTPSession
    private var events: [RTPEvent] = []
    private var highest: UInt16?

    /// - Parameters:
    ///   - ssrc: of what the browser sends
    ///   - retransmission: hears what is to be sent again
    init(audioType: UInt8, clockRate: Int, ssrc: UInt32, retransmission: Bool = false, seed: UInt64) {
        let format = RTPFormat(payloadType: audioType, clockRate: clockRate)
        var generator = SeededGenerator(seed: seed)
        let formats = RTPFormats(receiveAudio: [format], sendAudio: format, retransmission: retransmission)
        var configuration = RTPSession.Configuration(formats: formats, cname: "browser", using: &generator)
        configuration.localSSRC = ssrc
        session = RTPSession(configuration: configuration, now: VirtualGateway.start)
    }

    func receive(_ packet: [UInt8], now: NIODeadline) {
        events.removeAll(keepingCapacity: true)
        packet.withUnsafeBytes { session.receive($0, from: Self.gateway, now: now, into: &events) }
    }

    /// - Returns: sequence numbers that the gateway misses.
    func receiveControl(_ packet: [UInt8], now: NIODeadline) -> [UInt16] {
        events.removeAll(keepingCapacity: true)
        packet.withUnsafeBytes { session.receiveControl($0, now: now, into: &events) }
        return RTCPBytes.requests(in: packet, about: session.localSSRC)
    }

    /// A request for what is missing in front of a packet just heard; nil where that is nothing.
    func request(after packet: [UInt8]) -> [UInt8]? {
        let sequence = UInt16(packet[2]) << 8 | UInt16(packet[3])
        let step = sequence &- (highest ?? sequence &- 1)
        guard step > 0, step < 0x8000 else { return nil }
        highest = sequence
        guard (2...10).contains(step) else { return nil }
        let mask = UInt16(1) << (step - 2) - 1
        let words = [0x81CD_0003, session.localSSRC, RTCPBytes.word(packet, 8), UInt32(sequence &- step &+ 1) << 16 | UInt32(mask)]
        return RTCPBytes.bytes(words)
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

/// RTCP as bytes, read without the gateway's own reader.
enum RTCPBytes {
    static func word(_ packet: [UInt8], _ place: Int) -> UInt32 { packet[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) } }

    static func bytes(_ words: [UInt32]) -> [UInt8] {
        words.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) } }
    }

    /// The packets of `ssrc` that generic NACKs in a compound packet name.
    static func requests(in packet: [UInt8], about ssrc: UInt32) -> [UInt16] {
        var (sequences, offset): ([UInt16], Int) = ([], 0)
        func word(_ place: Int) -> UInt32 { self.word(packet, place) }
        while offset + 4 <= packet.count {
            let end = offset + 4 + Int(packet[offset + 2]) * 1024 + Int(packet[offset + 3]) * 4
            if packet[offset] & 0x1F == 1, packet[offset + 1] == 205, word(offset + 8) == ssrc {
                for place in stride(from: offset + 12, to: end, by: 4) {
                    let (first, mask) = (UInt16(word(place) >> 16), word(place) & 0xFFFF)
                    sequences += [first] + (0..<16).filter { mask >> $0 & 1 == 1 }.map { first &+ UInt16($0) &+ 1 }
                }
            }
            offset = end
        }
        return sequences
    }
}
