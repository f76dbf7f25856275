import NIOCore

/// What happened in a session so far. Counters only grow.
public struct RTPStatistics: Equatable, Sendable {
    /// RTP packets of the accepted source, duplicates included.
    public var packetsReceived = 0
    /// Payload bytes of these.
    public var octetsReceived = 0
    public var packetsSent = 0
    public var octetsSent = 0
    /// Packets expected and never seen, late ones counted as seen (RFC 3550, A.3).
    public var lost = 0
    /// Packets that came after they had been given up, and were dropped.
    public var late = 0
    /// Packets that came after a successor and still in time.
    public var reordered = 0
    public var duplicates = 0
    /// Lost frames whose successor was there to recover them from.
    public var recoverable = 0
    /// Lost frames of which a later packet brought a copy (RFC 2198).
    public var restored = 0
    /// Lost frames announced to be concealed, the recoverable ones among them.
    public var concealable = 0
    /// Packets that were asked for again and came in time, and those of ours that the peer asked for and got (RFC 4585).
    public var retransmitted = 0
    public var resent = 0
    /// Reports made of the peer's transport-wide feedback.
    public var transportReports = 0
    /// Transport-wide feedback sent to the peer.
    public var transportReportsSent = 0
    /// Bytes that were no RTP packet.
    public var malformed = 0
    /// Packets of a payload type that was not negotiated, and redundant ones that could not be read.
    public var unknownPayload = 0
    /// Packets of another SSRC or far out of sequence, not accepted.
    public var discarded = 0
    /// Compound packets received, and those that were no RTCP.
    public var controlReceived = 0
    public var controlMalformed = 0
    /// Interarrival jitter (RFC 3550, A.8).
    public var jitterMilliseconds = 0.0
    /// From the last report of the peer on us; `nil` until one came.
    public var roundTripMilliseconds: Double?
    /// What the peer's last report said of our stream: 0 to 1, packets, milliseconds; `nil` until one came.
    public var peerFractionLost: Double?
    public var peerLost: Int?
    public var peerJitterMilliseconds: Double?
    /// How long a hole is waited for at present.
    public var reorderingWait = TimeAmount.zero

    public init() {}
}
