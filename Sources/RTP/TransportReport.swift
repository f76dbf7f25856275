import NIOCore

/// What the peer's transport-wide feedback says of the packets we sent in the last half second or so.
public struct TransportReport: Equatable, Sendable {
    /// Counts the reports from 1, so that a new one is told from one seen before.
    public var number: Int
    /// Packets it is about, and how many of them did not come.
    public var packets: Int
    public var lost: Int
    /// The shortest time that any of these packets took, in milliseconds on a clock of its own: only differences tell anything.
    public var delayMilliseconds: Double
    /// What came, headers included, in bits per second; `nil` where the packets came within too short a time to say, or
    /// nothing was sent for a while among them.
    public var deliveredBitsPerSecond: Double?
    /// When the first of these packets was sent.
    public var sentFrom: NIODeadline

    public init(
        number: Int, packets: Int, lost: Int, delayMilliseconds: Double, deliveredBitsPerSecond: Double?, sentFrom: NIODeadline
    ) {
        self.number = number
        self.packets = packets
        self.lost = lost
        self.delayMilliseconds = delayMilliseconds
        self.deliveredBitsPerSecond = deliveredBitsPerSecond
        self.sentFrom = sentFrom
    }
}
