import NIOCore

/// A 2xx to an INVITE that waits for its ACK: repeated from T1 doubling to T2, over every transport, for 64*T1 (RFC 3261 13.3.1.4).
struct SuccessRetransmission: Sendable {
    enum Step: Sendable, Equatable { case nothing, retransmit, gaveUp }

    let response: [UInt8]
    let transaction: UInt64
    /// The INVITE's CSeq number, which the ACK repeats.
    let sequence: UInt32
    /// Our 2xx carried the offer, so the ACK brings the answer.
    let expectsAnswer: Bool
    var flow: SIPFlow
    private let timers: SIPTimers
    private var interval: TimeAmount
    private var retransmit: NIODeadline
    private let giveUp: NIODeadline

    init(
        response: [UInt8], transaction: UInt64, sequence: UInt32, expectsAnswer: Bool, flow: SIPFlow, timers: SIPTimers, now: NIODeadline
    ) {
        self.response = response
        self.transaction = transaction
        self.sequence = sequence
        self.expectsAnswer = expectsAnswer
        self.flow = flow
        self.timers = timers
        interval = timers.t1
        retransmit = now + timers.t1
        giveUp = now + timers.giveUp
    }

    var deadline: NIODeadline { min(retransmit, giveUp) }

    mutating func expire(now: NIODeadline) -> Step {
        if giveUp <= now { return .gaveUp }
        guard retransmit <= now else { return .nothing }
        interval = timers.doubled(interval)
        retransmit = now + interval
        return .retransmit
    }
}
