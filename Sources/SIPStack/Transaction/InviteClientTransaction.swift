import NIOCore

/// The client side of an INVITE (RFC 3261 17.1.1 with the Accepted state of RFC 6026 8.4).
///
/// It acknowledges non-2xx responses itself, with the ACK its user hands in; the ACK of a 2xx is the dialog's.
struct InviteClientTransaction: Sendable {
    private enum State {
        /// Timer A (nil on reliable transports) repeats the request, timer B gives up.
        case calling(retransmit: NIODeadline?, interval: TimeAmount, giveUp: NIODeadline)
        case proceeding
        /// Timer D: repeated final responses are acknowledged again.
        case completed(acknowledgement: [UInt8], until: NIODeadline)
        /// Timer M: further 2xx, of other forks too, go to the user.
        case accepted(until: NIODeadline)
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
        state = .calling(retransmit: isReliable ? nil : now + timers.t1, interval: timers.t1, giveUp: now + timers.giveUp)
        out.append(.send(request))
    }

    var isTerminated: Bool { if case .terminated = state { true } else { false } }
    /// A provisional response came, and no final one.
    var isProceeding: Bool { if case .proceeding = state { true } else { false } }
    /// No final response came.
    var isOpen: Bool {
        switch state {
        case .calling, .proceeding: true
        case .completed, .accepted, .terminated: false
        }
    }

    var deadline: NIODeadline? {
        switch state {
        case .calling(let retransmit, _, let giveUp): retransmit.map { min($0, giveUp) } ?? giveUp
        case .completed(_, let until), .accepted(let until): until
        case .proceeding, .terminated: nil
        }
    }

    /// `acknowledgement` makes the ACK for this response (RFC 3261 17.1.1.3); it is asked for once.
    mutating func receive(status: Int, acknowledgement: () -> [UInt8], now: NIODeadline, into out: inout [TransactionOutput]) {
        switch (state, status) {
        case (.calling, ..<200), (.proceeding, ..<200):
            state = .proceeding
            out.append(.response(status: status))
        case (.calling, ..<300), (.proceeding, ..<300):
            state = .accepted(until: now + timers.giveUp)
            out.append(.response(status: status))
        case (.calling, _), (.proceeding, _):
            let ack = acknowledgement()
            state = isReliable ? .terminated : .completed(acknowledgement: ack, until: now + timers.absorbFinalResponses)
            out.append(.send(ack))
            out.append(.response(status: status))
        case (.completed(let ack, _), 300...):
            out.append(.retransmit(ack))
        case (.accepted, 200..<300):
            out.append(.response(status: status))
        case (.completed, _), (.accepted, _), (.terminated, _):
            break
        }
    }

    mutating func expire(now: NIODeadline, into out: inout [TransactionOutput]) {
        guard let deadline, deadline <= now else { return }
        switch state {
        case .calling(_, _, let giveUp) where giveUp <= now:
            state = .terminated
            out.append(.timedOut)
        case .calling(_, let interval, let giveUp):
            // Timer A doubles without a ceiling (17.1.1.2).
            state = .calling(retransmit: now + interval * 2, interval: interval * 2, giveUp: giveUp)
            out.append(.retransmit(request))
        case .completed, .accepted:
            state = .terminated
        case .proceeding, .terminated:
            break
        }
    }

    /// Ends without another word: the connection is gone, or the far end never said a last one to a CANCEL.
    mutating func abandon() { state = .terminated }
}
