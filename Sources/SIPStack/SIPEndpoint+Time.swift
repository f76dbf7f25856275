import NIOCore

/// Time that passes, and connections that break.
extension SIPEndpoint {
    /// Does everything whose time has come.
    public mutating func expire(now: NIODeadline, into out: inout [SIPOutput]) {
        while let owner = timers.popDue(now: now) {
            switch owner {
            case .server(let number): withServerTransaction(number, into: &out) { $0.expire(now: now, into: &$1) }
            case .client(let number) where clientInvites[number] != nil: expireInvite(number, now: now, into: &out)
            case .outgoing(let call): expireOutgoing(call, now: now, into: &out)
            case .client(let number): withClientTransaction(number, now: now, into: &out) { $0.expire(now: now, into: &$1) }
            case .call(let call): expire(call, now: now, into: &out)
            }
        }
    }

    private mutating func expire(_ call: SIPCallID, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var dialog = dialogs[call] else { return }
        if case .incoming(let number, var provisional?) = dialog.stage, provisional.refresh <= now {
            respond(number, status: 180, response: provisional.response, now: now, into: &out)
            provisional.refresh = now + Self.provisionalInterval
            dialog.stage = .incoming(transaction: number, provisional: provisional)
        }
        var gaveUp = false
        for index in dialog.unacknowledged.indices {
            switch dialog.unacknowledged[index].expire(now: now) {
            case .nothing: break
            case .retransmit: retransmit(dialog.unacknowledged[index].response, flow: dialog.unacknowledged[index].flow, into: &out)
            case .gaveUp: gaveUp = true
            }
        }
        store(dialog)
        expireReferral(call, now: now, into: &out)
        guard gaveUp else { return }
        var reason = SIPReason(cause: 408, text: "No ACK")
        if case .hangingUp(let given?) = dialog.stage { reason = given }
        terminatePending(dialog, now: now, into: &out)
        dialogs[call]?.pendingReoffer = nil
        sendBye(call, reason: reason, now: now, into: &out)
        if !dialog.isSilent { out.append(.ended(call, .noAcknowledgement)) }
    }

    /// A TCP or TLS connection is gone. Calls that were not established yet end; the others go on, and their next message opens a new one.
    public mutating func connectionClosed(_ connection: UInt64, now: NIODeadline, into out: inout [SIPOutput]) {
        guard connection != 0 else { return }
        for (number, transaction) in serverTransactions where transaction.template.flow.connection == connection {
            serverTransactions[number]?.template.connectionClosed(sentByPort: transaction.sentByPort)
        }
        loseTransport(now: now, into: &out) { $0.connection == connection }
        // In order, so that the same events always have the same outputs; of thousands only the few that are concerned are sorted.
        for call in dialogs.values.filter({ $0.flow.connection == connection }).map(\.id).sorted(by: { $0.number < $1.number }) {
            guard var dialog = dialogs[call] else { continue }
            dialog.flow.connection = 0
            if case .established = dialog.stage, dialog.unacknowledged.isEmpty {
                dialogs[call] = dialog
                continue
            }
            let isSilent = dialog.isSilent
            abandonTransactions(of: dialog, into: &out)
            removeDialog(call)
            if !isSilent { out.append(.ended(call, .transportLost)) }
        }
    }

    /// A connection that a message wanted could not be opened, or one was lost before its number was known here: what waits for an answer
    /// from that address fails at once instead of by its timers, and calls go on to their next host.
    public mutating func connectionFailed(
        to remote: SIPAddress, transport: SIPTransport, now: NIODeadline, into out: inout [SIPOutput]
    ) {
        loseTransport(now: now, into: &out) { $0.connection == 0 && $0.transport == transport && $0.remote == remote }
    }

    private mutating func loseTransport(now: NIODeadline, into out: inout [SIPOutput], _ isLost: (SIPFlow) -> Bool) {
        for number in clientTransactions.filter({ isLost($0.value.flow) }).keys.sorted() {
            guard let transaction = clientTransactions[number], isLost(transaction.flow) else { continue }
            withClientTransaction(number, now: now, into: &out) { machine, _ in machine.abandon() }
            if transaction.key.method != "BYE" { finished(transaction, response: nil, now: now, into: &out) }
            if transaction.key.method == "BYE", let dialog = dialogs[transaction.call], case .ending = dialog.stage { removeDialog(transaction.call) }
        }
        for number in clientInvites.filter({ isLost($0.value.flow) }).keys.sorted() {
            guard let invite = clientInvites[number], isLost(invite.flow) else { continue }
            loseTransport(invite: number, now: now, into: &out)
        }
    }

    /// Whether a call would miss this connection: an idle one without calls may be closed.
    public func isInUse(connection: UInt64) -> Bool {
        dialogs.values.contains { $0.flow.connection == connection } || clientInvites.values.contains { $0.flow.connection == connection }
    }

    /// Whether a call is still to be ended, or a far end has not said that it knows: what was lost on the way would be repeated.
    public var isEnding: Bool {
        !dialogs.isEmpty || !outgoing.isEmpty || clientTransactions.values.contains { $0.machine.isWaiting }
    }

    /// Nobody is left to answer.
    private mutating func abandonTransactions(of dialog: Dialog, into out: inout [SIPOutput]) {
        var numbers = dialog.unacknowledged.map(\.transaction)
        if case .incoming(let number, _) = dialog.stage { numbers.append(number) }
        if let pending = dialog.pendingReoffer { numbers.append(pending.transaction) }
        for number in numbers { withServerTransaction(number, into: &out) { transaction, _ in transaction.abandon() } }
    }
}
