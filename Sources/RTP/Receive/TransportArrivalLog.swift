import NIOCore

/// When the peer's packets came, by the number each carries of the whole transport, and the feedback on them that lets the
/// peer find out what the way to us carries (draft-holmer-rmcat-transport-wide-cc-extensions-01, 2 and 3.1).
struct TransportArrivalLog: ~Copyable {
    /// Packets remembered: 5 s of the usual ones. A power of two.
    private static let capacity = 256
    /// From one feedback to the next: often enough to see a queue grow, seldom enough for a narrow way back.
    static let interval = TimeAmount.milliseconds(200)
    /// Packets that one feedback is about at most, so that it fits `RTPSession.controlPacketCapacity`.
    static let mostPackets = 105
    private static let tickNanoseconds: UInt64 = 250_000
    /// Ticks in a unit of the reference time.
    private static let referenceTicks: Int64 = 256
    private static let missing: Int64 = -1

    /// The number of the header extension, 1 to 14; nil: none was agreed on.
    var identifier: UInt8?
    /// Ticks of 250 µs, by sequence number; allocated with the first packet.
    private var ticks: UnsafeMutablePointer<Int64>?
    private var highest: Int64 = 0
    /// The first one that no feedback was about.
    private var next: Int64 = 0
    private var lastWritten = NIODeadline.uptimeNanoseconds(0)
    private var written: UInt8 = 0

    init(identifier: UInt8?) { self.identifier = identifier }

    deinit { ticks?.deallocate() }

    /// Takes the number from a packet that came, where it has one.
    @inline(__always)
    mutating func receive(_ packet: RTPPacketView, now: NIODeadline) {
        guard let identifier, packet.extensionProfile == PacketSender.Extension.profile,
            let sequence = Self.number(identifier, in: packet.extensionData)
        else { return }
        came(sequence, at: Int64(truncatingIfNeeded: now.uptimeNanoseconds / Self.tickNanoseconds), now: now)
    }

    /// Whether there is something to tell, and the last time is long enough ago.
    func isDue(_ now: NIODeadline) -> Bool {
        ticks != nil && next <= highest && now - lastWritten >= Self.interval
    }

    /// Writes what follows the SSRCs of the feedback, and forgets what it is about.
    mutating func write(to writer: inout PacketWriter, now: NIODeadline) {
        guard let ticks, next <= highest else { return }
        lastWritten = now
        let base = next
        // What was lost in front of the first packet that came has no time to start from, so it is told together with that one.
        var first = base
        while first < highest, ticks[Self.place(first)] == Self.missing { first += 1 }
        let reference = ticks[Self.place(first)] / Self.referenceTicks
        let count = countThatFits(from: base, after: reference * Self.referenceTicks, ticks)
        next = base + Int64(count)
        writer.write(UInt16(truncatingIfNeeded: base))
        writer.write(UInt16(truncatingIfNeeded: count))
        writer.write(UInt32(truncatingIfNeeded: reference) << 8 | UInt32(written))
        written &+= 1
        writeSymbols(from: base, count, after: reference * Self.referenceTicks, ticks, to: &writer)
        var last = reference * Self.referenceTicks
        for sequence in base..<next {
            let tick = ticks[Self.place(sequence)]
            guard tick != Self.missing else { continue }
            let step = tick - last
            last = tick
            if (0...255).contains(step) { writer.write(UInt8(step)) } else { writer.write(UInt16(bitPattern: Int16(clamping: step))) }
        }
    }

    // MARK: Inside

    private static func place(_ sequence: Int64) -> Int { Int(truncatingIfNeeded: sequence) & (capacity - 1) }

    /// The two bytes of an element in the one-byte form (RFC 8285, 4.2).
    private static func number(_ identifier: UInt8, in data: UnsafeRawBufferPointer) -> UInt16? {
        var offset = 0
        while offset < data.count {
            let head = data[offset]
            offset += 1
            // Padding is a zero byte; 15 ends the elements.
            if head == 0 { continue }
            guard head >> 4 != 15 else { return nil }
            let length = Int(head & 15) + 1
            guard offset + length <= data.count else { return nil }
            if head >> 4 == identifier { return length >= 2 ? UInt16(data[offset]) << 8 | UInt16(data[offset + 1]) : nil }
            offset += length
        }
        return nil
    }

    private mutating func came(_ sequence: UInt16, at tick: Int64, now: NIODeadline) {
        guard let ticks else {
            let ticks = UnsafeMutablePointer<Int64>.allocate(capacity: Self.capacity)
            ticks.initialize(repeating: Self.missing, count: Self.capacity)
            self.ticks = ticks
            lastWritten = now
            return begin(at: Int64(sequence), tick, ticks)
        }
        let step = Int64(Int16(bitPattern: sequence &- UInt16(truncatingIfNeeded: highest)))
        let extended = highest + step
        if step > 0 {
            // So far ahead that not all between could be told of: it begins anew.
            guard extended - next < Int64(Self.capacity) else {
                ticks.update(repeating: Self.missing, count: Self.capacity)
                return begin(at: extended, tick, ticks)
            }
            for between in highest + 1..<extended { ticks[Self.place(between)] = Self.missing }
            highest = extended
            ticks[Self.place(extended)] = tick
        } else if step > -Int64(Self.mostPackets), extended >= 0, ticks[Self.place(extended)] == Self.missing {
            ticks[Self.place(extended)] = tick
            // It was told of as lost: told again.
            next = min(next, extended)
        }
    }

    private mutating func begin(at sequence: Int64, _ tick: Int64, _ ticks: UnsafeMutablePointer<Int64>) {
        highest = sequence
        next = sequence
        ticks[Self.place(sequence)] = tick
    }

    /// How many packets one feedback tells of: the step from one to the next has 16 bits.
    private func countThatFits(from base: Int64, after start: Int64, _ ticks: UnsafeMutablePointer<Int64>) -> Int {
        var (last, count) = (start, 0)
        for sequence in base...min(highest, base + Int64(Self.mostPackets) - 1) {
            let tick = ticks[Self.place(sequence)]
            if tick != Self.missing {
                guard Int16(exactly: tick - last) != nil else { return count }
                last = tick
            }
            count += 1
        }
        return count
    }

    /// One run where all are alike, else seven symbols of two bits in a chunk.
    private func writeSymbols(from base: Int64, _ count: Int, after start: Int64, _ ticks: UnsafeMutablePointer<Int64>, to writer: inout PacketWriter) {
        var last = start
        var alike = true
        let first = Self.symbol(ticks[Self.place(base)], after: &last)
        for index in 1..<max(count, 1) {
            let symbol = Self.symbol(ticks[Self.place(base + Int64(index))], after: &last)
            if symbol != first { alike = false }
        }
        guard !alike else { return writer.write(first << 13 | UInt16(truncatingIfNeeded: count)) }
        last = start
        var index = 0
        while index < count {
            var bits: UInt16 = 0xC000
            for place in 0..<min(7, count - index) {
                let symbol = Self.symbol(ticks[Self.place(base + Int64(index + place))], after: &last)
                bits |= symbol << UInt16(12 - 2 * place)
            }
            writer.write(bits)
            index += 7
        }
    }

    /// 0: it did not come; 1: so short a time after `last` that a byte holds it; 2: two bytes.
    private static func symbol(_ tick: Int64, after last: inout Int64) -> UInt16 {
        guard tick != missing else { return 0 }
        defer { last = tick }
        return (0...255).contains(tick - last) ? 1 : 2
    }
}
