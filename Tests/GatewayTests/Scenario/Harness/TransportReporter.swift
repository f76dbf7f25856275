import NIOCore

/// A browser's transport-wide feedback, every 100 ms, written without the gateway's own code.
final class TransportReporter {
    private let ssrc: UInt32
    private let identifier: UInt8
    private var arrivals: [UInt16: NIODeadline] = [:]
    private var next: UInt16?
    private var highest: UInt16 = 0
    private var remote: UInt32 = 0
    private var number: UInt8 = 0
    private var due: NIODeadline?

    init(ssrc: UInt32, identifier: UInt8) {
        self.ssrc = ssrc
        self.identifier = identifier
    }

    /// - Returns: whether the packet carries a number.
    @discardableResult
    func receive(_ packet: [UInt8], now: NIODeadline) -> Bool {
        guard packet.count > 20, packet[0] & 0x10 != 0, packet[12] == 0xBE, packet[13] == 0xDE, packet[16] == identifier << 4 | 1
        else { return false }
        let sequence = UInt16(packet[17]) << 8 | UInt16(packet[18])
        remote = RTCPBytes.word(packet, 8)
        if next == nil { (next, highest, due) = (sequence, sequence, now + .milliseconds(100)) }
        if sequence &- highest < 0x8000 { highest = sequence }
        arrivals[sequence] = now
        return true
    }

    /// The feedback that is due.
    func report(now: NIODeadline) -> [UInt8]? {
        guard let due, due <= now, let first = next, let earliest = arrivals.values.min() else { return nil }
        self.due = now + .milliseconds(100)
        next = highest &+ 1
        let count = Int(highest &- first) + 1
        let reference = Int64(earliest.uptimeNanoseconds / 64_000_000)
        var chunks: [UInt8] = []
        var times: [UInt8] = []
        var last = reference * 64_000_000
        for start in stride(from: 0, to: count, by: 7) {
            var chunk: UInt16 = 0xC000
            for place in 0..<min(7, count - start) {
                guard let arrival = arrivals[first &+ UInt16(start + place)] else { continue }
                chunk |= 2 << UInt16(12 - 2 * place)
                let ticks = Int16(clamping: (Int64(arrival.uptimeNanoseconds) - last) / 250_000)
                last += Int64(ticks) * 250_000
                times += [UInt8(truncatingIfNeeded: ticks >> 8), UInt8(truncatingIfNeeded: ticks)]
            }
            chunks += [UInt8(chunk >> 8), UInt8(chunk & 0xFF)]
        }
        arrivals.removeAll(keepingCapacity: true)
        var body = RTCPBytes.bytes([
            ssrc, remote, UInt32(first) << 16 | UInt32(count), UInt32(truncatingIfNeeded: reference) << 8 | UInt32(number),
        ])
        number &+= 1
        body += chunks + times
        let padding = (4 - body.count % 4) % 4
        if padding > 0 { body += [UInt8](repeating: 0, count: padding - 1) + [UInt8(padding)] }
        let words = UInt16(body.count / 4)
        // As Chromium pads: up to the next word.
        return [(padding > 0 ? 0xA0 : 0x80) | 15, 205, UInt8(words >> 8), UInt8(words & 0xFF)] + body
    }
}
