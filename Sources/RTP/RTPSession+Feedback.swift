import NIOCore

/// Feedback beside the reports: RTPFB of RFC 4585.
extension RTPSession {
    /// Whether missing packets of the peer are asked for, where it takes that: for a far end that can wait for what was lost.
    public mutating func setAsksAgain(_ asks: Bool) {
        reception.requests.isWanted = asks && formats.retransmission
    }

    /// Whether `writeFeedback` has something to send.
    public var hasFeedback: Bool { reception.requests.pending != nil }

    /// Writes what the peer should know at once: which packets to send again.
    /// - Parameter buffer: `controlPacketCapacity` bytes
    /// - Returns: the packet's length; `nil` when there is nothing to say.
    public mutating func writeFeedback(into buffer: UnsafeMutableRawBufferPointer) -> Int? {
        guard let missing = reception.requests.pending, let remote = reception.source?.ssrc else { return nil }
        reception.requests.written()
        var writer = PacketWriter(buffer)
        writeShortReport(to: &writer)
        writer.writeHeader(type: RTCPType.transportFeedback, count: TransportFeedback.negativeAcknowledgement, words: 3)
        writer.write(localSSRC)
        writer.write(remote)
        writer.write(missing.first)
        writer.write(UInt16(truncatingIfNeeded: (UInt32(1) << UInt32(min(max(missing.count - 1, 0), 16))) - 1))
        return writer.overflowed ? nil : writer.count
    }

    /// Takes one RTPFB packet; its length was checked.
    mutating func receiveFeedback(_ part: RTCPPacketView, now: NIODeadline, into events: inout [RTPEvent]) {
        guard part.count == TransportFeedback.negativeAcknowledgement, formats.retransmission, part.body.word(at: 4) == localSSRC
        else { return }
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
}
