import NIOCore

/// Numbers our packets over the whole transport, remembers when they went, and makes reports of what the peer says of them.
struct TransportHistory: ~Copyable {
    /// Packets remembered: 5 s of the usual ones. A power of two.
    static let capacity = 256
    /// A report covers at least so much.
    static let interval = TimeAmount.milliseconds(400)
    /// Packets that came within less say nothing of a rate, microseconds.
    private static let shortestSpan: Int64 = 150_000
    /// Headers of IP, UDP and RTP and the tag of SRTP, bytes.
    static let headerBytes = 54

    fileprivate struct Sent {
        var sequence: UInt16
        var bytes: Int
        var at: NIODeadline
        var afterPause: Bool
        var isLost = false
        var isDone = false
    }

    /// What has been heard since the last report.
    fileprivate struct Interval {
        var packets = 0
        var lost = 0
        var sentFrom: NIODeadline?
        var delay: Int64?
        /// Without those of the first one to come: the time runs from there.
        var bytes = 0
        var arrivals: ClosedRange<Int64>?
        /// Microseconds of arrivals before a feedback was missing.
        var spanBefore: Int64 = 0
        /// Nothing was sent for a while: what came says nothing of what could have come.
        var hasPause = false
    }

    /// Allocated with the first packet, by sequence number.
    private var memory: UnsafeMutablePointer<Sent?>?
    private var next: UInt16 = 1
    private var interval = Interval()
    private var intervalBegan: NIODeadline?
    /// The peer's last reference time: as it came, and extended past its 24 bits.
    private var reference: (wire: UInt32, extended: Int64)?
    private(set) var report: TransportReport?
    /// The number that the next feedback begins with, if none is lost.
    private var expected: UInt16?

    deinit { memory?.deallocate() }

    /// - Parameters:
    ///   - bytes: of the payload
    ///   - afterPause: nothing was sent for a while before it
    /// - Returns: the number for the packet's header extension.
    mutating func sent(bytes: Int, afterPause: Bool, now: NIODeadline) -> UInt16 {
        let memory = memory ?? Self.allocate()
        self.memory = memory
        let sequence = next
        next &+= 1
        memory[Int(sequence) & (Self.capacity - 1)] = Sent(
            sequence: sequence, bytes: bytes + Self.headerBytes, at: now, afterPause: afterPause)
        return sequence
    }

    mutating func receive(_ arrivals: TransportArrivals, now: NIODeadline) {
        guard let memory else { return }
        let base = extend(arrivals.reference) &* TransportArrivals.referenceMicroseconds
        var interval = interval
        // What a lost feedback was about is not known: its packets and its time do not count.
        if let expected, Int16(bitPattern: arrivals.first &- expected) > 0 { interval.interrupt() }
        expected = arrivals.first &+ UInt16(truncatingIfNeeded: arrivals.count)
        arrivals.forEach { sequence, time in
            let place = memory + (Int(sequence) & (Self.capacity - 1))
            guard let sent = place.pointee, sent.sequence == sequence, !sent.isDone else { return }
            if let time {
                place.pointee?.isDone = true
                interval.came(sent, at: base &+ time)
            } else if !sent.isLost {
                // It may still come, and be told of then.
                place.pointee?.isLost = true
                interval.missed(sent)
            }
        }
        self.interval = interval
        let began = intervalBegan ?? now
        intervalBegan = began
        if now - began >= Self.interval { close(now: now) }
    }

    private mutating func close(now: NIODeadline) {
        intervalBegan = now
        let interval = interval
        self.interval = Interval()
        guard let delay = interval.delay, let sentFrom = interval.sentFrom, interval.packets > 0 else { return }
        var delivered: Double?
        let span = interval.span
        if span >= Self.shortestSpan, !interval.hasPause {
            delivered = Double(interval.bytes) * 8e6 / Double(span)
        }
        report = TransportReport(
            number: (report?.number ?? 0) + 1, packets: interval.packets, lost: min(max(interval.lost, 0), interval.packets),
            delayMilliseconds: Double(delay) / 1000, deliveredBitsPerSecond: delivered, sentFrom: sentFrom)
    }

    private mutating func extend(_ wire: UInt32) -> Int64 {
        guard let reference else {
            self.reference = (wire, Int64(wire))
            return Int64(wire)
        }
        // The shortest way on 24 bits.
        let step = Int32(bitPattern: (wire &- reference.wire) << 8) >> 8
        let extended = reference.extended &+ Int64(step)
        self.reference = (wire, extended)
        return extended
    }

    private static func allocate() -> UnsafeMutablePointer<Sent?> {
        let memory = UnsafeMutablePointer<Sent?>.allocate(capacity: capacity)
        memory.initialize(repeating: nil, count: capacity)
        return memory
    }
}

extension TransportHistory.Interval {
    /// - Parameter time: microseconds of the peer's clock
    fileprivate mutating func came(_ sent: TransportHistory.Sent, at time: Int64) {
        if sent.isLost { lost -= 1 } else { packets += 1 }
        hasPause = hasPause || sent.afterPause
        sentFrom = sentFrom.map { min($0, sent.at) } ?? sent.at
        let delay = time &- Int64(truncatingIfNeeded: sent.at.uptimeNanoseconds / 1000)
        self.delay = self.delay.map { min($0, delay) } ?? delay
        guard let arrivals else {
            arrivals = time...time
            return
        }
        bytes += sent.bytes
        self.arrivals = min(arrivals.lowerBound, time)...max(arrivals.upperBound, time)
    }

    /// Microseconds in which `bytes` came.
    fileprivate var span: Int64 { spanBefore &+ (arrivals.map { $0.upperBound &- $0.lowerBound } ?? 0) }

    fileprivate mutating func interrupt() {
        spanBefore = span
        arrivals = nil
    }

    fileprivate mutating func missed(_ sent: TransportHistory.Sent) {
        packets += 1
        lost += 1
        hasPause = hasPause || sent.afterPause
        sentFrom = sentFrom.map { min($0, sent.at) } ?? sent.at
    }
}
