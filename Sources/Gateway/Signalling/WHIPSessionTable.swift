import NIOCore

/// The WHIP sessions there are, and for a minute those there were: what a session URL answers. No lock, no clock.
struct WHIPSessionTable {
    /// How long a session URL tells how its call ended (CONTRACT section 5).
    static let retention = TimeAmount.seconds(60)
    /// Ended sessions remembered at most; beyond it the oldest are forgotten early.
    static let endedLimit = 20_000

    /// A session before and after its call has an identifier.
    struct Ticket: Hashable {
        fileprivate var number: UInt64
    }

    /// A running session.
    struct Session: Equatable {
        /// Our current ICE username fragment, in quotes.
        var entityTag: String
        /// The browser's current ones: another in a fragment asks for an ICE restart.
        var browserUfrags: Set<String>
    }

    enum Lookup: Equatable {
        case unknown
        case running(Session)
        case ended(CallEnd)
    }

    private enum State {
        case offering
        case running(CallID, Session)
        /// Ended before its identifier was known here.
        case endedEarly(CallEnd)
        case ended(CallID, CallEnd, forget: NIODeadline)
    }

    private var states: [Ticket: State] = [:]
    private var tickets: [CallID: Ticket] = [:]
    /// Ended sessions, oldest first.
    private var ended: [Ticket] = []
    private var nextNumber: UInt64 = 0

    /// Sessions held, running or ended.
    var count: Int { states.count }

    /// An offer came; its call may end before `taken` is called.
    mutating func begin(now: NIODeadline) -> Ticket {
        purge(now: now)
        nextNumber += 1
        let ticket = Ticket(number: nextNumber)
        states[ticket] = .offering
        return ticket
    }

    /// The offer was taken.
    mutating func taken(_ ticket: Ticket, as call: CallID, session: Session, now: NIODeadline) {
        switch states[ticket] {
        case .offering:
            states[ticket] = .running(call, session)
            tickets[call] = ticket
        case .endedEarly(let end):
            tickets[call] = ticket
            remember(ticket, call, end, now: now)
        case .running, .ended, nil:
            break
        }
    }

    /// The offer was refused.
    mutating func refused(_ ticket: Ticket) {
        states[ticket] = nil
    }

    /// The call ended. May be called again: the later word is the better one.
    mutating func ended(_ ticket: Ticket, _ end: CallEnd, now: NIODeadline) {
        switch states[ticket] {
        case .offering: states[ticket] = .endedEarly(end)
        case .running(let call, _): remember(ticket, call, end, now: now)
        case .ended(let call, _, let forget): states[ticket] = .ended(call, end, forget: forget)
        case .endedEarly, nil: break
        }
    }

    /// The browser hung up: for it the session is over now, whenever the call's end is reported.
    mutating func hungUp(_ call: CallID, now: NIODeadline) {
        guard let ticket = tickets[call], case .running = states[ticket] else { return }
        remember(ticket, call, CallEnd(.callerHangup), now: now)
    }

    /// ICE was restarted: new credentials on both sides.
    mutating func restarted(_ call: CallID, session: Session) {
        guard let ticket = tickets[call], case .running = states[ticket] else { return }
        states[ticket] = .running(call, session)
    }

    /// What the session URL of a call stands for.
    mutating func find(_ call: CallID, now: NIODeadline) -> Lookup {
        purge(now: now)
        guard let ticket = tickets[call], let state = states[ticket] else { return .unknown }
        switch state {
        case .running(_, let session): return .running(session)
        case .ended(_, let end, _): return .ended(end)
        case .offering, .endedEarly: return .unknown
        }
    }

    private mutating func remember(_ ticket: Ticket, _ call: CallID, _ end: CallEnd, now: NIODeadline) {
        states[ticket] = .ended(call, end, forget: now + Self.retention)
        ended.append(ticket)
        purge(now: now)
    }

    private mutating func purge(now: NIODeadline) {
        var count = 0
        for ticket in ended {
            guard case .ended(let call, _, let forget) = states[ticket] else { count += 1; continue }
            guard forget <= now || ended.count - count > Self.endedLimit else { break }
            states[ticket] = nil
            tickets[call] = nil
            count += 1
        }
        if count > 0 { ended.removeFirst(count) }
    }
}
