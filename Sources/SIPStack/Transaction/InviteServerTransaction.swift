import NIOCore

/// The server side of an INVITE (RFC 3261 17.2.1 with the Accepted state of RFC 6026 8.5).
///
/// Non-2xx responses are its own to repeat; a 2xx is repeated by the dialog until the ACK, which travels outside the transaction.
struct InviteServerTransaction: Sendable {
    private enum State {
        case proceeding(last: [UInt8]?)
        /// A non-2xx final response awaits its ACK. `retransmit` is timer G (nil on reliable transports), `giveUp` timer H.
        case completed(response: [UInt8], retransmit: NIODeadline?, interval: TimeAmount, giveUp: NIODeadline)
        /// Timer I: stray repetitions of the ACK are absorbed.
        case confirmed(until: NIODeadline)
        /// A 2xx was sent. Timer L: repetitions of the INVITE are absorbed.
        case accepted(until: NIODeadline)
        case terminated
    }

    private var state = State.proceeding(last: nil)
    private let isReliable: Bool
    private let timers: SIPTimers

    init(isReliable: Bool, timers: SIPTimers) {
        self.isReliable = isReliable
        self.timers = timers
    }

    var isTerminated: Bool { if case .terminated = state { true } else { false } }
    /// No final response yet.
    var isProceeding: Bool { if case .proceeding = state { true } else { false } }

    var deadline: NIODeadline? {
        switch state {
        case .proceeding, .terminated: nil
        case .completed(_, let retransmit, _, let giveUp): retransmit.map { min($0, giveUp) } ?? giveUp
        case .confirmed(let until), .accepted(let until): until
        }
    }

    /// The INVITE once more.
    mutating func receiveInvite(into out: inout [TransactionOutput]) {
        switch state {
        case .proceeding(let last?): out.append(.retransmit(last))
        case .completed(let response, _, _, _): out.append(.retransmit(response))
        case .proceeding, .confirmed, .accepted, .terminated: break
        }
    }

    /// An ACK with this transaction's branch.
    mutating func receiveAcknowledgement(now: NIODeadline, into out: inout [TransactionOutput]) {
        switch state {
        case .completed: state = isReliable ? .terminated : .confirmed(until: now + timers.t4)
        case .accepted: out.append(.acknowledgement)
        case .proceeding, .confirmed, .terminated: break
        }
    }

    /// A response of the user; ignored after a final one.
    mutating func respond(_ response: [UInt8], status: Int, now: NIODeadline, into out: inout [TransactionOutput]) {
        guard isProceeding else { return }
        out.append(.send(response))
        switch status {
        case ..<200: state = .proceeding(last: response)
        case ..<300: state = .accepted(until: now + timers.giveUp)
        default:
            state = .completed(
                response: response, retransmit: isReliable ? nil : now + timers.t1, interval: timers.t1, giveUp: now + timers.giveUp)
        }
    }

    mutating func expire(now: NIODeadline, into out: inout [TransactionOutput]) {
        guard let deadline, deadline <= now else { return }
        switch state {
        case .completed(_, _, _, let giveUp) where giveUp <= now:
            state = .terminated
            out.append(.timedOut)
        case .completed(let response, _, let interval, let giveUp):
            let next = timers.doubled(interval)
            state = .completed(response: response, retransmit: now + next, interval: next, giveUp: giveUp)
            out.append(.retransmit(response))
        case .confirmed, .accepted:
            state = .terminated
        case .proceeding, .terminated:
            break
        }
    }

    /// Ends without another word, where nobody is left to hear one.
    mutating func abandon() { state = .terminated }
}
