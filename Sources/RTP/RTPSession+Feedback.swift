import NIOCore

/// Feedback beside the reports: RTPFB of RFC 4585.
extension RTPSession {
    /// Whether missing packets of the peer are asked for, where it takes that: for a far end that can wait for what was lost.
    public mutating func setAsksAgain(_ asks: Bool) {
        reception.requests.isWanted = asks && formats.retransmission
    }

    /// Whether `writeFeedback` has something to send.
    public func hasFeedback(now: NIODeadline) -> Bool { reception.requests.pending != nil || reception.arrivals.isDue(now) }

    /// Writes what the peer should know at once: which packets to send again, and when its packets came. To be called again
    /// until it returns `nil`.
    /// - Parameter buffer: `controlPacketCapacity` bytes
    /// - Returns: the packet's length; `nil` when there is nothing to say.
    public mutating func writeFeedback(now: NIODeadline, into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard let remote = reception.source?.ssrc else { return nil }
        var writer = PacketWriter(buffer)
        if let missing = reception.requests.pending {
            reception.requests.written()
            writeRequest(missing, of: remote, to: &writer)
        } else if reception.arrivals.isDue(now) {
            writeArrivals(of: remote, to: &writer, now: now)
            control.transportReportsSent += 1
        } else {
            return nil
        }
        return writer.overflowed ? nil : writer.count
    }

    private mutating func writeRequest(_ missing: (first: UInt16, count: Int), of remote: UInt32, to writer: inout PacketWriter) {
        if !formats.reducedSize { writeShortReport(to: &writer) }
        writer.writeHeader(type: RTCPType.transportFeedback, count: TransportFeedback.negativeAcknowledgement, words: 3)
        writer.write(localSSRC)
        writer.write(remote)
        writer.write(missing.first)
        writer.write(UInt16(truncatingIfNeeded: (UInt32(1) << UInt32(min(max(missing.count - 1, 0), 16))) - 1))
    }

    private mutating func writeArrivals(of remote: UInt32, to writer: inout PacketWriter, now: NIODeadline) {
        if !formats.reducedSize { writeShortReport(to: &writer) }
        let start = writer.count
        writer.writeHeader(type: RTCPType.transportFeedback, count: TransportFeedback.transportWide, words: 0)
        writer.write(localSSRC)
        writer.write(remote)
        reception.arrivals.write(to: &writer, now: now)
        // The times end anywhere; whole words are made by padding that says how much it is (RFC 3550, 6.4.1).
        let padding = -(writer.count - start) & 3
        if padding > 0 {
            for _ in 1..<padding { writer.write(UInt8(0)) }
            writer.write(UInt8(padding))
            writer.patch(UInt16(0xA0 | TransportFeedback.transportWide) << 8 | UInt16(RTCPType.transportFeedback), at: start)
        }
        writer.patch(UInt16(truncatingIfNeeded: (writer.count - start) / 4 - 1), at: start + 2)
    }

    /// What the peer's transport-wide feedback said last; `nil` until enough of it came.
    public var transportReport: TransportReport? { transport.report }

    /// Takes one RTPFB packet; its length was checked.
    mutating func receiveFeedback(_ part: RTCPPacketView, now: NIODeadline, into events: inout [RTPEvent]) {
        switch UInt8(part.count) {
        case TransportFeedback.negativeAcknowledgement:
            if formats.retransmission, part.body.word(at: 4) == localSSRC { receiveRequests(part, now: now, into: &events) }
        case TransportFeedback.transportWide:
            guard formats.transportSequence != nil else { return }
            let body = UnsafeRawBufferPointer(rebasing: part.body[TransportFeedback.headerLength...])
            guard let arrivals = TransportArrivals(body) else {
                control.malformed += 1
                return
            }
            transport.receive(arrivals, now: now)
        default: break
        }
    }

    private mutating func receiveRequests(_ part: RTCPPacketView, now: NIODeadline, into events: inout [RTPEvent]) {
        var offset = TransportFeedback.headerLength
        while offset + 4 <= part.body.count {
            let entry = part.body.word(at: offset)
            let first = UInt16(entry >> 16)
            resend(first, now: now, into: &events)
            for bit in 0..<16 where entry & (1 << UInt32(bit)) != 0 {
                resend(first &+ UInt16(bit) &+ 1, now: now, into: &events)
            }
            offset += 4
        }
    }

    private mutating func resend(_ sequence: UInt16, now: NIODeadline, into events: inout [RTPEvent]) {
        guard history.mayResend(sequence, roundTrip: control.roundTrip.milliseconds, now: now) else { return }
        control.resent += 1
        events.append(.resend(sequence: sequence))
    }
}

/// RTCP transport-layer feedback (RFC 4585 section 6.2).
enum TransportFeedback {
    /// The SSRCs of its sender and of the stream it is about.
    static let headerLength = 8
    /// FMT of a generic NACK.
    static let negativeAcknowledgement: UInt8 = 1
    /// FMT of the feedback on a whole transport.
    static let transportWide: UInt8 = 15
}
