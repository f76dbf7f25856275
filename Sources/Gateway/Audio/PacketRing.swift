/// A first-in first-out store of packets of different lengths in one piece of memory. Loop-confined; allocates only to grow.
final class PacketRing {
    /// One packet; its bytes are valid until the ring is changed.
    struct Packet {
        /// Of its first sample, in whatever terms the owner counts.
        var position: Int64
        /// Its length in samples of those terms.
        var samples: Int
        var payload: UnsafeRawBufferPointer
    }

    private struct Entry {
        var position: Int64
        var samples: Int
        var offset: Int
        var length: Int
    }

    private(set) var count = 0
    /// The length of all packets together.
    private(set) var samples = 0
    private var entries: UnsafeMutableBufferPointer<Entry>
    private var head = 0
    private var bytes: UnsafeMutableRawBufferPointer

    /// - Parameters:
    ///   - packets: for so many of them there is room
    ///   - bytes: and for so many bytes
    init(packets: Int, bytes: Int) {
        entries = .allocate(capacity: packets)
        self.bytes = .allocate(byteCount: bytes, alignment: 8)
    }

    deinit {
        entries.deallocate()
        bytes.deallocate()
    }

    /// The packet at a place counted from the oldest one, which must exist.
    subscript(index: Int) -> Packet {
        let entry = entry(index)
        let payload = UnsafeRawBufferPointer(rebasing: bytes[entry.offset..<(entry.offset + entry.length)])
        return Packet(position: entry.position, samples: entry.samples, payload: payload)
    }

    var first: Packet? { count > 0 ? self[0] : nil }
    var last: Packet? { count > 0 ? self[count - 1] : nil }

    /// Adds a packet behind the last one.
    /// - Returns: false when there is no room for it.
    func append(_ payload: UnsafeRawBufferPointer, position: Int64, samples: Int) -> Bool {
        guard count < entries.count, let offset = room(for: payload.count) else { return false }
        UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<(offset + payload.count)]).copyMemory(from: payload)
        entries[(head + count) % entries.count] = Entry(position: position, samples: samples, offset: offset, length: payload.count)
        count += 1
        self.samples += samples
        return true
    }

    func removeFirst() {
        guard count > 0 else { return }
        samples -= entry(0).samples
        head = (head + 1) % entries.count
        count -= 1
    }

    func removeAll() {
        (count, samples, head) = (0, 0, 0)
    }

    /// Makes room for twice as much.
    func grow() {
        let larger = PacketRing(packets: entries.count * 2, bytes: bytes.count * 2)
        for index in 0..<count {
            let packet = self[index]
            _ = larger.append(packet.payload, position: packet.position, samples: packet.samples)
        }
        swap(&entries, &larger.entries)
        swap(&bytes, &larger.bytes)
        head = 0
        (larger.count, larger.head) = (0, 0)
    }

    private func entry(_ index: Int) -> Entry { entries[(head + index) % entries.count] }

    /// Where so many bytes lie free in one piece.
    private func room(for length: Int) -> Int? {
        guard count > 0 else { return length <= bytes.count ? 0 : nil }
        let (first, last) = (entry(0), entry(count - 1))
        let end = last.offset + last.length
        if last.offset < first.offset { return first.offset - end >= length ? end : nil }
        if bytes.count - end >= length { return end }
        return first.offset >= length ? 0 : nil
    }
}
