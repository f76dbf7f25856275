/// A key as RFC 4733 sends it: a packet every 20 ms, the last one three times.
struct KeyPress {
    struct Payload {
        var bytes: [UInt8]
        var isFirst: Bool
    }

    let event: UInt8
    let timestamp: UInt32
    let packets: Int
    /// RTP clock units of 20 ms.
    var step = 160
    private var sent = 0

    init(event: UInt8, timestamp: UInt32, packets: Int, step: Int = 160) {
        self.event = event
        self.timestamp = timestamp
        self.packets = packets
        self.step = step
    }

    var isOver: Bool { sent > packets }

    mutating func next() -> [Payload] {
        defer { sent += 1 }
        let isEnd = sent == packets
        let duration = UInt16(clamping: max(1, min(sent + 1, packets)) * step)
        let bytes: [UInt8] = [event, (isEnd ? 0x80 : 0) | 10, UInt8(duration >> 8), UInt8(duration & 0xFF)]
        return Array(repeating: Payload(bytes: bytes, isFirst: sent == 0), count: isEnd ? 3 : 1)
    }
}
