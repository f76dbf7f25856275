import NIOCore

/// Requests within a dialog (RFC 3261 12.2.2, 14.2, 15.1.2), and ACK.
extension SIPEndpoint {
    mutating func handleInDialog(_ request: SIPRequest, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) {
        guard let call = dialog(matching: request), var dialog = dialogs[call] else {
            if earlyCall(matching: request) != nil {
                handleBeforeAnswer(request, flow: flow, now: now, into: &out)
                return
            }
            answer(request, flow: flow, status: 481, now: now, into: &out)
            return
        }
        guard request.sequence.number >= dialog.remoteSequence else {
            answer(request, flow: flow, status: 500, reason: "CSeq Out Of Order", now: now, into: &out)
            return
        }
        dialog.remoteSequence = request.sequence.number
        // A phone that changed its address or connection is answered, and called, where it is now.
        dialog.flow = flow
        dialogs[call] = dialog
        guard checkRequire(request, flow: flow, now: now, into: &out) else { return }
        switch request.method {
        case "BYE":
            bye(request, dialog: dialog, flow: flow, now: now, into: &out)
        case "OPTIONS":
            answerOptions(request, flow: flow, now: now, into: &out)
        case _ where dialog.isSilent:
            answer(request, flow: flow, status: 481, now: now, into: &out)
        case "INFO":
            info(request, call: call, flow: flow, now: now, into: &out)
        case "MESSAGE":
            message(request, call: call, flow: flow, now: now, into: &out)
        case "NOTIFY":
            notify(request, dialog: dialog, flow: flow, now: now, into: &out)
        default:
            reoffer(request, dialog: dialog, flow: flow, now: now, into: &out)
        }
    }

    /// A phone that we call wants something before it has answered. Our offer is open, so another one has to wait (RFC 3311 5.2); and a BYE
    /// it must not send (RFC 3261 15).
    private mutating func handleBeforeAnswer(_ request: SIPRequest, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) {
        switch request.method {
        case "OPTIONS":
            answerOptions(request, flow: flow, now: now, into: &out)
        case "UPDATE" where request.body.isEmpty, "INFO":
            answer(request, flow: flow, status: 200, now: now, into: &out)
        case "UPDATE", "INVITE":
            answer(request, flow: flow, status: 491, now: now, into: &out)
        case "MESSAGE":
            answer(request, flow: flow, status: 480, now: now, into: &out)
        default:
            answer(request, flow: flow, status: 481, now: now, into: &out)
        }
    }

    private mutating func bye(_ request: SIPRequest, dialog: Dialog, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) {
        answer(request, flow: flow, status: 200, now: now, into: &out)
        if case .ending = dialog.stage {
            // Two BYEs crossed: ours is answered by itself, and then the dialog goes.
            return
        }
        terminatePending(dialog, now: now, into: &out)
        removeDialog(dialog.id)
        guard !dialog.isSilent else { return }
        let reason = request.headers.first("reason").flatMap { SIPReason(reading: $0.value) }
        out.append(.ended(dialog.id, .hungUp(reason: reason)))
    }

    private mutating func info(_ request: SIPRequest, call: SIPCallID, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) {
        // Info packages are negotiated, and we offered none (RFC 6086 4.2.2).
        guard request.headers.first("info-package") == nil else {
            answer(request, flow: flow, status: 469, fields: [("Recv-Info", "")], now: now, into: &out)
            return
        }
        answer(request, flow: flow, status: 200, now: now, into: &out)
        guard !request.body.isEmpty else { return }
        out.append(.info(call, contentType: request.headers.first("content-type")?.text ?? "", body: request.body))
    }

    /// Re-INVITE and UPDATE.
    private mutating func reoffer(_ request: SIPRequest, dialog: Dialog, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) {
        let isInvite = request.method == "INVITE"
        guard let offer = offer(in: request, flow: flow, now: now, into: &out) else { return }
        if !isInvite, offer == nil {
            // An UPDATE without a description refreshes the target and no more (RFC 3311 5.2).
            updateTarget(dialog.id, Dialog.contact(request))
            answer(request, flow: flow, status: 200, fields: [("Allow", Self.allow)], now: now, into: &out)
            return
        }
        if case .incoming = dialog.stage {
            refuseOverlap(request, flow: flow, now: now, into: &out)
        } else if dialog.pendingReoffer != nil || dialog.unacknowledged.count >= Self.maximumUnacknowledged {
            refuseOverlap(request, flow: flow, now: now, into: &out)
        } else if dialog.unacknowledged.contains(where: \.expectsAnswer) {
            // Our own offer is still unanswered (RFC 3261 14.2).
            answer(request, flow: flow, status: 491, now: now, into: &out)
        } else {
            let number = openTransaction(request, flow: flow, call: dialog.id, tag: dialog.key.localTag)
            if isInvite { respond(number, status: 100, now: now, into: &out) }
            var dialog = dialog
            dialog.pendingReoffer = Dialog.PendingReoffer(
                transaction: number, isInvite: isInvite, hasOffer: offer != nil, target: Dialog.contact(request))
            dialogs[dialog.id] = dialog
            out.append(.reoffer(dialog.id, offer: offer))
        }
    }

    /// A re-INVITE shows that our 200 to the one before arrived, whose ACK may be lost or late (RFC 5407 section 3.1.4), so it is taken; but each
    /// leaves a response behind that is repeated for 32 s.
    private static let maximumUnacknowledged = 4

    /// A second offer before the first was answered (RFC 3261 14.2, RFC 3311 5.2).
    private mutating func refuseOverlap(_ request: SIPRequest, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) {
        answer(request, flow: flow, status: 500, fields: [("Retry-After", randomRetryAfter())], now: now, into: &out)
    }

    /// An ACK belongs to a refusal of ours, to a 2xx of ours, or to nothing and is dropped; it is never answered.
    mutating func acknowledge(_ request: SIPRequest, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) {
        if let number = transaction(matching: request, method: "INVITE") {
            withServerTransaction(number, into: &out) { $0.receiveAcknowledgement(now: now, into: &$1) }
        }
        guard let call = dialog(matching: request), var dialog = dialogs[call],
            let index = dialog.unacknowledged.firstIndex(where: { $0.sequence == request.sequence.number })
        else { return }
        dialog.unacknowledged.remove(at: index)
        dialog.flow = flow
        dialogs[call] = dialog
        timers.schedule(.call(call), at: dialog.deadline)
        if case .hangingUp(let reason) = dialog.stage {
            if dialog.unacknowledged.isEmpty { sendBye(call, reason: reason, now: now, into: &out) }
        } else {
            var answer: String?
            if case .sessionDescription(let text) = MessageBody(headers: request.headers, body: request.body) { answer = text }
            out.append(.acknowledged(call, answer: answer))
        }
    }
}
