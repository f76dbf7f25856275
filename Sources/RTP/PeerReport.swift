import NIOCore

/// What the peer's last report said of the stream we send (RFC 3550, 6.4.1).
public struct PeerReport: Equatable, Sendable {
    /// Counts the reports of the peer from 1, so that a new one is told from one seen before.
    public var number: Int
    /// Packets sent between the report before and this one, as the peer's sequence numbers say.
    public var packets: Int
    /// Of these, 0 to 1.
    public var fractionLost: Double
    /// `nil` until a report named one of ours.
    public var roundTripMilliseconds: Double?
    /// When our report was sent that the round trip was measured with: what it says of the way is not newer than that.
    public var roundTripStart: NIODeadline?

    public init(
        number: Int, packets: Int, fractionLost: Double, roundTripMilliseconds: Double?, roundTripStart: NIODeadline?
    ) {
        self.number = number
        self.packets = packets
        self.fractionLost = fractionLost
        self.roundTripMilliseconds = roundTripMilliseconds
        self.roundTripStart = roundTripStart
    }
}
