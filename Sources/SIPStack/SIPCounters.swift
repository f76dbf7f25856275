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
    /// Datagrams that their socket did not take, counted by the driver.
    public var datagramsDropped: UInt64 = 0

    /// Calls ordered, and what became of them; those still ringing are missing in the other three.
    public var callsOut: UInt64 = 0
    public var callsOutAnswered: UInt64 = 0
    public var callsOutFailed: UInt64 = 0
    public var callsOutCancelled: UInt64 = 0
    /// A host did not take a call, and the next one was tried.
    public var hostsLeft: UInt64 = 0
    /// 401 and 407 that credentials were there for.
    public var challenges: UInt64 = 0
    /// Phones that answered a call another had, or nobody wanted any more.
    public var forksEnded: UInt64 = 0
    /// INVITEs of ours that came back to us, refused with 482.
    public var loopsRefused: UInt64 = 0

    /// Calls of ours without an outcome.
    public var callsOutAlive = 0
    public var serverTransactionsAlive = 0
    public var clientTransactionsAlive = 0
    public var dialogsAlive = 0
    public var timersAlive = 0

    public init() {}
}
