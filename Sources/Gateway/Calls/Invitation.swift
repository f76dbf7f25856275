import Dialplan

/// A user as the far end of a call: rung, then accepted at one browser, then answered, when sound can go both ways.
struct Invitation {
    enum State {
        case ringing
        /// `reply` waits for the answer description, and is nil once it was given.
        case accepted(observer: @Sendable (BrowserCallEvent) -> Void, reply: SwitchboardEvent.BrowserReply?)
        case answered(observer: @Sendable (BrowserCallEvent) -> Void)
    }

    /// By which browsers know the call.
    let id: CallID
    let step: BrowserStep
    /// Sockets that were told of the call and may still accept it.
    var ringing: Set<UserSocket.ID>
    var state = State.ringing
    /// How the last browser declined that only spoke for itself.
    var refusal: CallEnd?

    var isRinging: Bool { if case .ringing = state { true } else { false } }
    var isAnswered: Bool { if case .answered = state { true } else { false } }

    /// Hears of the call, once a browser accepted it.
    var observer: (@Sendable (BrowserCallEvent) -> Void)? {
        switch state {
        case .ringing: nil
        case .accepted(let observer, _), .answered(let observer): observer
        }
    }
}
