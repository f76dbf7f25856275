import NIOCore

/// The commands of the user of a call. For a call that is over they do nothing.
extension SIPEndpoint {
    /// A provisional response, `status` 101 to 199, e.g. 180, or 183 with `sdp` for early media; any number of them. The last is repeated
    /// every minute until the final one. Where the INVITE brought no offer `sdp` is left out: it would be an offer, and those need 100rel.
    public mutating func ring(
        _ call: SIPCallID, status: Int = 180, reason: String? = nil, sdp: String? = nil, now: NIODeadline, into out: inout [SIPOutput]
    ) {
        guard var dialog = dialogs[call], case .incoming(let number, _) = dialog.stage, (101...199).contains(status) else { return }
        let sdp = dialog.isDelayedOffer ? nil : sdp
        guard let response = response(number, status: status, reason: reason, sdp: sdp, fields: [("Allow", Self.allow)]) else { return }
        respond(number, status: status, response: response, now: now, into: &out)
        dialog.stage = .incoming(
            transaction: number, provisional: Dialog.Provisional(response: response, refresh: now + Self.provisionalInterval))
        store(dialog)
    }

    /// 200 with our description: the answer, or the offer where the INVITE brought none. Repeated until the ACK; without one for 64*T1 the call
    /// gets a BYE and ``SIPEnd/noAcknowledgement``.
    public mutating func accept(
        _ call: SIPCallID, sdp: String, headers: [(String, String)] = [], now: NIODeadline, into out: inout [SIPOutput]
    ) {
        guard var dialog = dialogs[call], case .incoming(let number, _) = dialog.stage else { return }
        dialog.stage = .established
        succeed(&dialog, transaction: number, sdp: sdp, headers: headers, expectsAnswer: dialog.isDelayedOffer, now: now, into: &out)
        store(dialog)
    }

    /// The final refusal, `status` 300 to 699; `headers` e.g. Retry-After or Reason.
    public mutating func reject(
        _ call: SIPCallID, status: Int, reason: String? = nil, headers: [(String, String)] = [], now: NIODeadline, into out: inout [SIPOutput]
    ) {
        guard let dialog = dialogs[call], case .incoming(let number, _) = dialog.stage else { return }
        let status = (300...699).contains(status) ? status : 500
        respond(number, status: status, reason: reason, fields: headers, now: now, into: &out)
        removeDialog(call)
    }

    /// Accepts the pending re-INVITE or UPDATE with our description. Does nothing if it was taken back.
    public mutating func answerReoffer(_ call: SIPCallID, sdp: String, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var dialog = dialogs[call], let pending = dialog.pendingReoffer else { return }
        dialog.pendingReoffer = nil
        if let target = pending.target { dialog.remoteTarget = target }
        if pending.isInvite {
            succeed(&dialog, transaction: pending.transaction, sdp: sdp, headers: [], expectsAnswer: !pending.hasOffer, now: now, into: &out)
        } else if let response = response(pending.transaction, status: 200, reason: nil, sdp: sdp, fields: [("Allow", Self.allow)]) {
            respond(pending.transaction, status: 200, response: response, now: now, into: &out)
        }
        store(dialog)
    }

    /// Refuses the pending re-INVITE or UPDATE; the session goes on as it was (RFC 3261 14.2).
    public mutating func rejectReoffer(
        _ call: SIPCallID, status: Int, reason: String? = nil, headers: [(String, String)] = [], now: NIODeadline, into out: inout [SIPOutput]
    ) {
        guard var dialog = dialogs[call], let pending = dialog.pendingReoffer else { return }
        dialog.pendingReoffer = nil
        store(dialog)
        respond(pending.transaction, status: (300...699).contains(status) ? status : 488, reason: reason, fields: headers, now: now, into: &out)
    }

    /// Ends the call, right in every state: a call of ours without an answer is taken back by `cancel`; an unanswered INVITE
    /// gets `rejectStatus`; an unacknowledged 200 a BYE after its ACK, or when that is given up; an established call a BYE at once. Nothing more is heard of the call.
    public mutating func hangUp(
        _ call: SIPCallID, reason: SIPReason? = nil, rejectStatus: Int = 480, now: NIODeadline, into out: inout [SIPOutput]
    ) {
        if outgoing[call] != nil {
            cancel(call, reason: reason, now: now, into: &out)
            return
        }
        guard var dialog = dialogs[call], !dialog.isSilent else { return }
        if case .incoming = dialog.stage {
            let headers = reason.map { [("Reason", $0.value)] } ?? []
            reject(call, status: rejectStatus, headers: headers, now: now, into: &out)
            return
        }
        terminatePending(dialog, now: now, into: &out)
        dialog.pendingReoffer = nil
        if dialog.unacknowledged.isEmpty {
            store(dialog)
            sendBye(call, reason: reason, now: now, into: &out)
        } else {
            dialog.stage = .hangingUp(reason: reason)
            store(dialog)
        }
    }

    /// RFC 3261 13.3.1.1: a proxy may give up after three minutes of silence.
    static let provisionalInterval = TimeAmount.seconds(60)

    // MARK: Shared by the commands

    /// A response of the dialog: with Contact, Record-Route and, if there is one, a description.
    private func response(_ number: UInt64, status: Int, reason: String?, sdp: String?, fields: [(String, String)]) -> [UInt8]? {
        guard let transaction = serverTransactions[number] else { return nil }
        var writer = transaction.template.begin(status, reason: reason, tag: transaction.tag, recordRoute: true)
        writer.add("Contact", contact(transaction.template.flow))
        writer.add("Server", configuration.serverName)
        writer.addForeign(fields)
        return writer.finished(body: Array((sdp ?? "").utf8), type: Self.sessionDescriptionType)
    }

    private mutating func succeed(
        _ dialog: inout Dialog, transaction number: UInt64, sdp: String, headers: [(String, String)], expectsAnswer: Bool, now: NIODeadline,
        into out: inout [SIPOutput]
    ) {
        let fields = [("Allow", Self.allow), ("Accept", Self.sessionDescriptionType)] + headers
        guard let transaction = serverTransactions[number],
            let response = response(number, status: 200, reason: nil, sdp: sdp, fields: fields)
        else { return }
        dialog.unacknowledged.append(
            SuccessRetransmission(
                response: response, transaction: number, sequence: transaction.sequence.number, expectsAnswer: expectsAnswer,
                flow: transaction.template.flow, timers: configuration.timers, now: now))
        respond(number, status: 200, response: response, now: now, into: &out)
    }

    /// A request the far end still waits on is answered before the dialog ends (RFC 3261 15.1.2).
    mutating func terminatePending(_ dialog: Dialog, now: NIODeadline, into out: inout [SIPOutput]) {
        if case .incoming(let number, _) = dialog.stage { respond(number, status: 487, now: now, into: &out) }
        if let pending = dialog.pendingReoffer { respond(pending.transaction, status: 487, now: now, into: &out) }
    }

    mutating func sendBye(_ call: SIPCallID, reason: SIPReason?, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var dialog = dialogs[call] else { return }
        dialog.stage = .ending
        dialog.unacknowledged = []
        let flow = dialog.nextHop
        let via = via(flow)
        var fields = [("User-Agent", configuration.serverName)]
        if let reason { fields.append(("Reason", reason.value)) }
        let uri = dialog.requestURI
        fields += dialog.digest?.fields(method: "BYE", uri: uri, cnonce: randomToken()) ?? []
        let request = dialog.request("BYE", via: via.value, fields: fields)
        store(dialog)
        openClientTransaction(request, branch: via.branch, method: "BYE", call: call, flow: flow, now: now, into: &out)
    }

    mutating func updateTarget(_ call: SIPCallID, _ target: String?) {
        guard let target else { return }
        dialogs[call]?.remoteTarget = target
    }

    mutating func store(_ dialog: Dialog) {
        dialogs[dialog.id] = dialog
        timers.schedule(.call(dialog.id), at: dialog.deadline)
    }

    mutating func removeDialog(_ call: SIPCallID) {
        guard let dialog = dialogs.removeValue(forKey: call) else { return }
        timers.schedule(.call(call), at: nil)
        if dialogIndex[dialog.key] == call { dialogIndex[dialog.key] = nil }
    }
}
