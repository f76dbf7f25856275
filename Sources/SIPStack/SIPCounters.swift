/// Totals since the start, and what is alive now. Everything alive is zero when no call is up and 64*T1 have passed.
public struct SIPCounters: Sendable, Hashable {
    /// Datagrams and framed messages taken in, keep-alives not counted.
    public var messagesReceived: UInt64 = 0
    public var messagesSent: UInt64 = 0
    /// Nothing in them could be answered.
    public var unreadable: UInt64 = 0
    /// Answered with 400 or 505 by the reader.
    public var malformed: UInt64 = 0
    /// Requests from sources that are no trunk.
    public var refusedSources: UInt64 = 0
    /// Responses that answer no request of ours.
    public var strayResponses: UInt64 = 0
    public var retransmissionsReceived: UInt64 = 0
    public var retransmissionsSent: UInt64 = 0

    public var serverTransactionsAlive = 0
    public var clientTransactionsAlive = 0
    public var dialogsAlive = 0
    public var timersAlive = 0

    public init() {}
}
