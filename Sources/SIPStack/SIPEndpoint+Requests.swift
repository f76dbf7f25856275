import NIOCore

/// Requests outside a dialog (RFC 3261 8.2), and CANCEL.
extension SIPEndpoint {
    mutating func handleOutOfDialog(_ request: SIPRequest, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) {
        guard let scheme = SIPURI.scheme(of: request.uri), SIPURI.knownSchemes.contains(scheme) else {
            answer(request, flow: flow, status: 416, now: now, into: &out)
            return
        }
        guard SIPURI(request.uri) != nil else {
            answer(request, flow: flow, status: 400, reason: "Malformed Request-URI", now: now, into: &out)
            return
        }
        // An endpoint answers OPTIONS whatever the count (RFC 4475 3.3.11); a call would go on from here (RFC 7332).
        if request.method == "INVITE", request.maxForwards == 0 {
            answer(request, flow: flow, status: 483, now: now, into: &out)
            return
        }
        if let key = MergeKey(request), mergeIndex[key] != nil {
            answer(request, flow: flow, status: 482, now: now, into: &out)
            return
        }
        guard checkRequire(request, flow: flow, now: now, into: &out) else { return }
        switch request.method {
        case "INVITE":
            invite(request, flow: flow, now: now, into: &out)
        case "MESSAGE":
            message(request, call: nil, flow: flow, now: now, into: &out)
        case "OPTIONS":
            if let seconds = drainRetryAfterSeconds {
                answer(request, flow: flow, status: 503, fields: [("Retry-After", String(seconds))], now: now, into: &out)
            } else {
                answerOptions(request, flow: flow, now: now, into: &out)
            }
        default:
            // BYE, INFO, UPDATE and NOTIFY mean nothing without a dialog.
            answer(request, flow: flow, status: 481, now: now, into: &out)
        }
    }

    /// False when the request demands an extension, and 420 was sent (RFC 3261 8.2.2.3). We support none that needs naming.
    mutating func checkRequire(_ request: SIPRequest, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) -> Bool {
        let required = request.headers.tokens("require")
        guard !required.isEmpty else { return true }
        answer(request, flow: flow, status: 420, fields: [("Unsupported", required.joined(separator: ", "))], now: now, into: &out)
        return false
    }

    /// What we can do (RFC 3261 11.2).
    mutating func answerOptions(_ request: SIPRequest, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) {
        answer(
            request, flow: flow, status: 200,
            fields: [("Allow", Self.allow), ("Accept", Self.sessionDescriptionType), ("Supported", "")], now: now, into: &out)
    }

    /// The offer of a request that may carry one: `.some(nil)` for none, nil when the body was refused.
    mutating func offer(in request: SIPRequest, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) -> String?? {
        switch MessageBody(headers: request.headers, body: request.body) {
        case .none: return .some(nil)
        case .sessionDescription(let text): return .some(text)
        case .unsupported:
            answer(request, flow: flow, status: 415, fields: [("Accept", Self.sessionDescriptionType)], now: now, into: &out)
        case .encoded:
            answer(
                request, flow: flow, status: 415, fields: [("Accept", Self.sessionDescriptionType), ("Accept-Encoding", "identity")],
                now: now, into: &out)
        }
        return nil
    }

    private mutating func invite(_ request: SIPRequest, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) {
        guard let offer = offer(in: request, flow: flow, now: now, into: &out) else { return }
        // Our answer would be a description, which this caller says it cannot read (RFC 4475 3.3.15).
        let accepted = request.headers.tokens("accept")
        guard accepted.isEmpty || accepted.contains(where: { MediaType($0)?.coversSessionDescription == true }) else {
            answer(request, flow: flow, status: 406, now: now, into: &out)
            return
        }
        guard !isLoop(request) else {
            totals.loopsRefused += 1
            answer(request, flow: flow, status: 482, now: now, into: &out)
            return
        }
        let call = SIPCallID(takeNumber())
        let tag = randomToken()
        let transaction = openTransaction(request, flow: flow, call: call, tag: tag)
        let key = DialogKey(callID: request.callID, localTag: tag, remoteTag: request.from.tag ?? "")
        dialogs[call] = Dialog(
            id: call, key: key, request: request,
            localIdentity: serverTransactions[transaction]?.template.localIdentity(tag: tag) ?? [], flow: flow,
            transaction: transaction, isDelayedOffer: offer == nil)
        dialogIndex[key] = call
        respond(transaction, status: 100, now: now, into: &out)
        out.append(.incoming(SIPIncomingCall(id: call, flow: flow, request: request, offer: offer)))
    }

    /// Whether an INVITE is one of ours that has come back (RFC 3261 16.3 step 4): straight from ourselves, for the same user over proxies or
    /// gateways that kept its marks, or for the third time.
    private func isLoop(_ request: SIPRequest) -> Bool {
        let user = SIPURI(request.uri)?.user ?? ""
        let vias = request.headers.all("via").flatMap { field in
            String(decoding: field.value, as: UTF8.self).split(separator: ",").compactMap { value in
                Via(reading: Array(value.utf8))?.branch.map { String($0.dropFirst(Self.branchCookie.count)) }
            }
        }
        if let top = vias.first, CallPath.verdict(top, seed: statelessSeed, user: user) != .foreign { return true }
        let verdicts = Set(vias + CallPath.marks(request.headers)).map { CallPath.verdict($0, seed: statelessSeed, user: user) }
        return verdicts.contains(.loop) || verdicts.filter { $0 == .ours }.count >= CallPath.maximumPasses
    }

    /// RFC 3261 9.2: answered by itself; the INVITE, if nothing final was said to it, gets 487.
    mutating func cancel(_ request: SIPRequest, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) {
        guard let number = transaction(matching: request, method: "INVITE"), let invite = serverTransactions[number] else {
            answer(request, flow: flow, status: 481, now: now, into: &out)
            return
        }
        answer(request, flow: flow, status: 200, tag: invite.tag, now: now, into: &out)
        guard invite.isProceedingInvite else { return }
        respond(number, status: 487, now: now, into: &out)
        guard let call = invite.call, var dialog = dialogs[call] else { return }
        if case .incoming(let transaction, _) = dialog.stage, transaction == number {
            removeDialog(call)
            out.append(.cancelled(call))
        } else if dialog.pendingReoffer?.transaction == number {
            // A re-INVITE taken back: the session goes on as it was.
            dialog.pendingReoffer = nil
            dialogs[call] = dialog
        }
    }
}
