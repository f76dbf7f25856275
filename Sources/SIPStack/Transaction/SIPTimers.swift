import NIOCore

/// The timer values of RFC 3261 17 (Table 4) and RFC 6026, all derived from three.
public struct SIPTimers: Sendable, Hashable {
    /// Estimate of the round trip: first retransmission (timers A, E, G).
    public var t1: TimeAmount
    /// Ceiling of retransmission intervals for non-INVITE requests and INVITE responses.
    public var t2: TimeAmount
    /// The longest a message stays in the network (timers I, K).
    public var t4: TimeAmount

    public init(t1: TimeAmount = .milliseconds(500), t2: TimeAmount = .seconds(4), t4: TimeAmount = .seconds(5)) {
        self.t1 = t1
        self.t2 = t2
        self.t4 = t4
    }

    /// 64*T1: how long anything is waited for (timers B, F, H, J, L, M), 32 s.
    var giveUp: TimeAmount { t1 * 64 }
    /// Timer D: how long an INVITE client stays to acknowledge repeated final responses over UDP; at least 32 s.
    var absorbFinalResponses: TimeAmount { max(.seconds(32), giveUp) }

    /// The next interval of a retransmission that doubles up to T2.
    func doubled(_ interval: TimeAmount) -> TimeAmount { min(interval * 2, t2) }
}
