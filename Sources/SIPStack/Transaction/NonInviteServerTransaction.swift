import NIOCore

/// The server side of every request but INVITE and ACK (RFC 3261 17.2.2).
struct NonInviteServerTransaction: Sendable {
    private enum State {
        case trying
        case proceeding(last: [UInt8])
        /// Timer J: repetitions of the request get the response again.
        case completed(response: [UInt8], until: NIODeadline)
        case terminated
    }

    private var state = State.trying
    private let isReliable: Bool
    private let timers: SIPTimers

    init(isReliable: Bool, timers: SIPTimers) {
        self.isReliable = isReliable
        self.timers = timers
    }

    var isTerminated: Bool { if case .terminated = state { true } else { false } }
    var deadline: NIODeadline? { if case .completed(_, let until) = state { until } else { nil } }

    /// The request once more.
    mutating func receiveRequest(into out: inout [TransactionOutput]) {
        switch state {
        case .proceeding(let last): out.append(.retransmit(last))
        case .completed(let response, _): out.append(.retransmit(response))
        case .trying, .terminated: break
        }
    }

    /// A response of the user; ignored after a final one.
    mutating func respond(_ response: [UInt8], status: Int, now: NIODeadline, into out: inout [TransactionOutput]) {
        switch state {
        case .trying, .proceeding: break
        case .completed, .terminated: return
        }
        out.append(.send(response))
        if status < 200 {
            state = .proceeding(last: response)
        } else {
            state = isReliable ? .terminated : .completed(response: response, until: now + timers.giveUp)
        }
    }

    mutating func expire(now: NIODeadline) {
        if let deadline, deadline <= now { state = .terminated }
    }

    mutating func abandon() { state = .terminated }
}
