import NIOCore

/// The client side of every request but INVITE and ACK (RFC 3261 17.1.2).
struct NonInviteClientTransaction: Sendable {
    private enum State {
        /// Timer E (nil on reliable transports) repeats the request, timer F gives up. `isProceeding` after a 1xx.
        case waiting(retransmit: NIODeadline?, interval: TimeAmount, giveUp: NIODeadline, isProceeding: Bool)
        /// Timer K: repeated final responses are absorbed.
        case completed(until: NIODeadline)
        case terminated
    }

    private var state: State
    private let request: [UInt8]
    private let isReliable: Bool
    private let timers: SIPTimers

    /// Sends the request at once.
    init(request: [UInt8], isReliable: Bool, timers: SIPTimers, now: NIODeadline, into out: inout [TransactionOutput]) {
        self.request = request
        self.isReliable = isReliable
        self.timers = timers
        state = .waiting(
            retransmit: isReliable ? nil : now + timers.t1, interval: timers.t1, giveUp: now + timers.giveUp, isProceeding: false)
        out.append(.send(request))
    }

    var isTerminated: Bool { if case .terminated = state { true } else { false } }

    /// No final response came yet.
    var isWaiting: Bool { if case .waiting = state { true } else { false } }

    var deadline: NIODeadline? {
        switch state {
        case .waiting(let retransmit, _, let giveUp, _): retransmit.map { min($0, giveUp) } ?? giveUp
        case .completed(let until): until
        case .terminated: nil
        }
    }

    mutating func receive(status: Int, now: NIODeadline, into out: inout [TransactionOutput]) {
        guard case .waiting(let retransmit, let interval, let giveUp, _) = state else { return }
        out.append(.response(status: status))
        if status < 200 {
            state = .waiting(retransmit: retransmit, interval: interval, giveUp: giveUp, isProceeding: true)
        } else {
            state = isReliable ? .terminated : .completed(until: now + timers.t4)
        }
    }

    mutating func expire(now: NIODeadline, into out: inout [TransactionOutput]) {
        guard let deadline, deadline <= now else { return }
        switch state {
        case .waiting(_, _, let giveUp, _) where giveUp <= now:
            state = .terminated
            out.append(.timedOut)
        case .waiting(_, let interval, let giveUp, let isProceeding):
            // After a provisional response timer E runs at T2 (17.1.2.2).
            let next = isProceeding ? timers.t2 : timers.doubled(interval)
            state = .waiting(retransmit: now + next, interval: next, giveUp: giveUp, isProceeding: isProceeding)
            out.append(.retransmit(request))
        case .completed:
            state = .terminated
        case .terminated:
            break
        }
    }

    /// Ends without another word: the connection is gone.
    mutating func abandon() { state = .terminated }
}
