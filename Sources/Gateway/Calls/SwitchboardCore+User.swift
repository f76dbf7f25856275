import Dialplan
import NIOCore
import RTCStack
import SIPStack

/// Calls to signed-in users: the far end of a browser step. All browsers of the user ring at once, and the first to accept has the
/// call. It is answered when that browser's media is up, for only then its user hears and is heard.
extension SwitchboardCore {
    // MARK: Who is there

    func signIn(_ socket: UserSocket) {
        users.add(socket)
        logger.info("user signed in")
    }

    /// The socket is gone, and with it the browser's ringing.
    func signOut(_ socket: UserSocket.ID) {
        users.remove(socket)
        for (invitation, call) in invitations where entries[call]?.invitation?.id == invitation {
            let failure = CallEnd(.unreachable, sipStatus: 480, detail: "The user's browser went away while it rang.")
            stopRinging(socket, of: call, failure)
        }
    }

    // MARK: Ringing

    func ring(_ step: BrowserStep, _ entry: CallEntry) {
        let id = entry.id
        entries[id]?.isStepRecorded = step.record
        entries[id]?.record.begin(step: "browser", target: step.user)
        let sockets = users.sockets(of: step.user)
        guard !sockets.isEmpty else {
            return userFailed(id, CallEnd(.unreachable, sipStatus: 480, detail: "The user is signed in at no browser."))
        }
        let invitation = Invitation(id: makeID(), step: step, ringing: Set(sockets.map(\.id)))
        entries[id]?.invitation = invitation
        invitations[invitation.id] = id
        entry.logger.info("ringing a user", metadata: ["browsers": "\(sockets.count)"])
        let (name, limit) = (invitation.id, step.ringSeconds.map { TimeAmount.seconds(Int64($0)) } ?? SIPCallOrder.defaultRingLimit)
        outlets.media(entry.loop) { loop, now in
            loop.perform(on: id, now: now) { $0.awaitUser(name, until: now + limit, now: now) }
        }
        let incoming = IncomingCall(
            invitation: name, from: entry.isBrowser || entry.withholdsNumber ? "" : entry.decision.from.e164, to: entry.decision.to.e164, parameters: entry.parameters)
        for socket in sockets { socket.observer(.incoming(incoming)) }
        update(id) { $0.progressed(isRinging: true, hasMedia: false, into: &$1) }
    }

    /// Nobody accepted in time.
    func rangOut(_ invitation: CallID, _ id: CallID) {
        guard let present = entries[id]?.invitation, present.id == invitation, present.isRinging else { return }
        userFailed(id, present.refusal ?? CallEnd(.noAnswer))
    }

    /// A browser declines. 6xx speaks for the user everywhere (RFC 3261 21.6), anything else for this browser only.
    func decline(_ invitation: CallID, by socket: UserSocket.ID, status: Int) {
        guard let id = invitations[invitation], let present = entries[id]?.invitation, present.id == invitation, present.isRinging,
            present.ringing.contains(socket)
        else { return }
        let reason = EndReason(sipStatus: status)
        let end = CallEnd(reason, sipStatus: status, detail: reason == .rejected ? "The user declined the call." : nil)
        if status >= 600 {
            entries[id]?.invitation?.ringing.remove(socket)
            return userFailed(id, end)
        }
        entries[id]?.invitation?.refusal = end
        stopRinging(socket, of: id, end)
    }

    /// One browser less may accept; the last one's reason is the step's, unless another one gave a reason before.
    private func stopRinging(_ socket: UserSocket.ID, of id: CallID, _ failure: CallEnd) {
        guard var invitation = entries[id]?.invitation, invitation.isRinging, invitation.ringing.remove(socket) != nil else { return }
        entries[id]?.invitation = invitation
        if invitation.ringing.isEmpty { userFailed(id, invitation.refusal ?? failure) }
    }

    // MARK: Accepting

    func accept(_ acceptance: CallAcceptance, _ reply: @escaping SwitchboardEvent.BrowserReply) {
        guard let id = invitations[acceptance.invitation], let entry = entries[id], var invitation = entry.invitation,
            invitation.id == acceptance.invitation, invitation.isRinging
        else {
            let end = CallEnd(.failed, sipStatus: 481, detail: "The call is over, or was accepted at another browser.")
            return reply(.failure(BrowserCallRefusal(httpStatus: 410, end: end, detail: end.detail)))
        }
        let offer: BrowserOffer
        do { offer = try BrowserOffer(parsing: acceptance.sdp) } catch {
            let end = CallEnd(.failed, sipStatus: error.httpStatus == 406 ? 488 : 400)
            return reply(.failure(BrowserCallRefusal(httpStatus: error.httpStatus, end: end, detail: error.description)))
        }
        let others = invitation.ringing.filter { $0 != acceptance.socket }
        invitation.ringing = []
        invitation.state = .accepted(observer: acceptance.observer, reply: reply)
        entries[id]?.invitation = invitation
        tell(others, of: invitation.id, CallEnd(.transferred, detail: "The call was accepted at another browser."))
        entry.logger.info("the user accepts")
        let (name, outlets) = (invitation.id, outlets)
        outlets.media(entry.loop) { loop, now in
            outlets.post(.userPrepared(id, invitation: name, loop.openUserLeg(of: id, invitation: name, offer: offer, now: now)))
        }
    }

    func userPrepared(_ id: CallID, _ name: CallID, _ answer: BrowserCallAnswer?) {
        guard let invitation = entries[id]?.invitation, invitation.id == name, case .accepted(let observer, let reply) = invitation.state else { return }
        guard let answer else { return userFailed(id, CallEnd(.failed)) }
        entries[id]?.invitation?.state = .accepted(observer: observer, reply: nil)
        reply?(.success(answer))
    }

    /// The browser that accepted has its media.
    func userReady(_ id: CallID) {
        guard let invitation = entries[id]?.invitation, case .accepted(let observer, _) = invitation.state else { return }
        entries[id]?.invitation?.state = .answered(observer: observer)
        entries[id]?.record.stepTook()
        note("The user accepted.", id)
        count("answered")
        observer(.connected)
        update(id) { $0.stepTook(into: &$1) }
    }

    // MARK: The end

    /// A browser hung up, or its signalling is lost for good.
    func browserHungUp(_ name: CallID, _ end: CallEnd) {
        guard let id = invitations[name], let entry = entries[id] else {
            return update(name) { $0.end(end, tellCaller: end.reason != .callerHangup, into: &$1) }
        }
        if entry.userParty?.id == name { update(id) { $0.end(end.ofUser, into: &$1) } } else { userEnded(id, end) }
    }

    /// The user that took the call, or was about to, is gone.
    func userEnded(_ id: CallID, _ end: CallEnd) {
        guard let invitation = entries[id]?.invitation else { return }
        let end = end.ofUser
        guard invitation.isAnswered else {
            let isWanted = end.reason == .calleeHangup
            return userFailed(id, isWanted ? CallEnd(.rejected, detail: "The user declined the call.") : CallEnd(.unreachable, sipStatus: 480, detail: end.detail))
        }
        entries[id]?.invitation = nil
        withdraw(invitation, end)
        update(id) { $0.calleeEnded(end, into: &$1) }
    }

    /// The user does not take the call: the step has failed.
    private func userFailed(_ id: CallID, _ failure: CallEnd) {
        guard let entry = entries[id] else { return }
        if let invitation = entry.invitation {
            entries[id]?.invitation = nil
            withdraw(invitation, failure)
            outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.dropCallee(now: now) } }
        }
        entries[id]?.record.stepFailed(failure)
        note("The user did not take the call: \(failure.detail)", id)
        count(failure.reason.rawValue)
        update(id) { $0.stepFailed(failure, into: &$1) }
    }

    /// The call ends, or goes on without its user.
    func letGoOfUser(_ entry: CallEntry, _ end: CallEnd) {
        guard let invitation = entry.invitation else { return }
        entries[entry.id]?.invitation = nil
        if !invitation.isAnswered { count(end.reason.rawValue) }
        withdraw(invitation, end)
    }

    /// Tells whoever still waits on an invitation, or talks by it, that it is over.
    func withdraw(_ invitation: Invitation, _ end: CallEnd) {
        invitations[invitation.id] = nil
        switch invitation.state {
        case .ringing: tell(invitation.ringing, of: invitation.id, end)
        case .accepted(_, let reply?): reply(.failure(BrowserCallRefusal(httpStatus: end.reason.httpStatus, end: end, detail: end.detail)))
        case .accepted(let observer, nil), .answered(let observer): observer(.ended(end))
        }
    }

    private func tell(_ sockets: Set<UserSocket.ID>, of invitation: CallID, _ end: CallEnd) {
        for socket in sockets.sorted() { users[socket]?.observer(.over(invitation, end)) }
    }

    private func count(_ result: String) { figures.userCalls[result, default: 0] += 1 }

    // MARK: Which leg

    /// The call that a browser's session is about, and whether the browser is its far end.
    func place(of session: CallID) -> (call: CallID, loop: Int, isCallee: Bool)? {
        if let entry = entries[session] { return (session, entry.loop, false) }
        guard let id = invitations[session], let entry = entries[id] else { return nil }
        return (id, entry.loop, entry.invitation?.id == session)
    }
}

extension CallEnd {
    /// As told of a browser that was called: what its media and signalling call the caller's hanging up is the callee's.
    fileprivate var ofUser: CallEnd { reason == .callerHangup ? CallEnd(.calleeHangup) : self }
}
