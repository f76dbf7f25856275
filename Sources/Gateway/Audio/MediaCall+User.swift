import NIOCore

/// A user's browser as the far end.
extension MediaCall {
    /// The time a user has to accept, and then the wait for the accepting browser's media.
    struct UserWait {
        let invitation: CallID
        /// Nil once a browser accepted.
        var until: NIODeadline?
    }

    /// A user is being rung, in place of the far end there was; `rangOut` is reported if nobody accepts in time. An agent that gives
    /// the call away stays until the user answers.
    func awaitUser(_ invitation: CallID, until: NIODeadline, now: NIODeadline) {
        guard !isEnding else { return }
        if !isTransferring || agent == nil { dropFarEnd(CallEnd(.failed), now: now) }
        userWait = UserWait(invitation: invitation, until: until)
    }

    /// The user accepted at this leg's browser; `calleeReady` is reported when sound can go both ways.
    func adopt(user leg: BrowserLeg) {
        userWait?.until = nil
        callee = leg
    }

    func reportReadyUser() {
        guard let wait = userWait, wait.until == nil, let callee, callee.isReady else { return }
        userWait = nil
        report(.calleeReady)
    }

    func expireUserWait(now: NIODeadline) {
        guard let wait = userWait, let until = wait.until, until <= now else { return }
        userWait = nil
        report(.rangOut(wait.invitation))
    }
}
