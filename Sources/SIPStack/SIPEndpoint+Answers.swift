import NIOCore

/// Final responses to INVITEs of ours (RFC 3261 13.2.2).
extension SIPEndpoint {
    /// 2xx: every phone that answers gets its ACK. The first one has the call; the others, and any after the call was taken back, a BYE.
    mutating func success(_ response: SIPResponse, invite: ClientInvite, number: UInt64, now: NIODeadline, into out: inout [SIPOutput]) {
        let tag = response.to.tag ?? ""
        if let fork = invite.forks.first(where: { $0.tag == tag }) {
            retransmit(fork.acknowledgement, flow: fork.flow, into: &out)
            return
        }
        guard invite.forks.count < ClientInvite.maximumForks else {
            totals.strayResponses += 1
            return
        }
        let call = outgoing[invite.call].flatMap { $0.transaction == number ? $0 : nil }
        var dialog = Dialog(
            id: call == nil ? SIPCallID(takeNumber()) : invite.call, request: invite.request, response: response, flow: invite.flow)
        dialog.digest = call?.digest
        dialog.digest?.accepted()
        acknowledge(&dialog, number: number, tag: tag, into: &out)
        store(dialog)
        dialogIndex[dialog.key] = dialog.id
        if let call {
            _ = removeOutgoing(invite.call)
            totals.callsOutAnswered += 1
            var answer = call.earlyAnswers[tag]
            if case .sessionDescription(let text) = MessageBody(headers: response.headers, body: response.body) { answer = text }
            out.append(.answered(invite.call, answer: answer, from: invite.target.address))
        } else {
            totals.forksEnded += 1
            let reason = invite.isWithdrawn ? invite.withdrawal : SIPReason(cause: 200, text: "Call completed elsewhere")
            sendBye(dialog.id, reason: reason, now: now, into: &out)
        }
    }

    /// The ACK of a 2xx travels by itself, the way of the dialog (RFC 3261 13.2.2.4).
    private mutating func acknowledge(_ dialog: inout Dialog, number: UInt64, tag: String, into out: inout [SIPOutput]) {
        guard var invite = clientInvites[number] else { return }
        let flow = dialog.nextHop
        let acknowledgement = dialog.acknowledgement(
            sequence: invite.request.sequence, via: via(flow).value,
            fields: [("User-Agent", configuration.serverName)] + invite.request.authorization)
        invite.forks.append(ClientInvite.Fork(tag: tag, acknowledgement: acknowledgement, flow: flow))
        clientInvites[number] = invite
        send(acknowledgement, flow: flow, into: &out)
    }

    /// 3xx to 6xx; the transaction has acknowledged it.
    mutating func refusal(_ response: SIPResponse, invite: ClientInvite, number: UInt64, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var call = outgoing[invite.call], call.transaction == number else { return }
        let refusal = OutgoingCall.Refusal(response)
        if response.status == 401 || response.status == 407, call.digest != nil {
            authenticate(invite, response, now: now, into: &out)
            return
        }
        if response.status == 503, let time = refusal.retryAfter { hold(invite.target, for: time, now: now) }
        let attempt = SIPAttempt.Result.refused(status: refusal.status, reason: refusal.reason)
        // 408 after ringing is a proxy's way to say that nobody answered: the next host would ring the same phone again.
        let isNextHosts = (500...599).contains(refusal.status) || refusal.status == 408 && !call.isRinging
        if isNextHosts {
            call.keep(refusal)
            outgoing[invite.call] = call
            leaveHost(invite.call, attempt, now: now, into: &out)
        } else {
            call.attempts.append(SIPAttempt(target: invite.target, result: attempt))
            outgoing[invite.call] = call
            fail(invite.call, refusal, now: now, into: &out)
        }
    }

    /// Sends the INVITE again with an answer to the challenge, or gives up where that would not help.
    private mutating func authenticate(_ invite: ClientInvite, _ response: SIPResponse, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var call = outgoing[invite.call] else { return }
        totals.challenges += 1
        let verdict = call.digest?.receive(response.headers) ?? .unsupported
        if verdict == .retry {
            if call.hostLimit != nil { call.hostLimit = now + call.order.hostLimit }
            outgoing[invite.call] = call
            timers.schedule(.outgoing(invite.call), at: call.deadline)
            sendInvite(invite.call, flow: invite.flow, now: now, into: &out)
            return
        }
        let refusal = OutgoingCall.Refusal(response)
        call.attempts.append(
            SIPAttempt(target: invite.target, result: .refused(status: refusal.status, reason: refusal.reason)))
        outgoing[invite.call] = call
        let detail =
            verdict == .wrongCredentials
            ? "the trunk refused the username or password" : "the trunk asks for a kind of authentication that is not supported"
        fail(
            invite.call, .authenticationFailed, status: refusal.status, reason: refusal.reason, cause: refusal.cause, detail: detail, now: now,
            into: &out)
    }
}
