import NIOCore

/// The transaction tables: opening, responding, and taking out what has ended.
extension SIPEndpoint {
    /// Enters a server transaction for a request that repeats none.
    mutating func openTransaction(_ request: SIPRequest, flow: SIPFlow, call: SIPCallID? = nil, tag: String? = nil) -> UInt64 {
        let number = takeNumber()
        let reliable = flow.transport.isReliable
        let key = ServerTransactionKey(request, method: request.method)
        var mergeKey = MergeKey(request)
        if let key = mergeKey, mergeIndex[key] != nil { mergeKey = nil }
        let tag = tag ?? randomToken()
        serverTransactions[number] = ServerTransaction(
            key: key, mergeKey: mergeKey, sequence: request.sequence, sentByPort: request.via.port, tag: tag, call: call,
            template: ResponseTemplate(headers: request.headers, via: request.via, flow: flow, honoursMaddr: true),
            machine: request.method == "INVITE"
                ? .invite(InviteServerTransaction(isReliable: reliable, timers: configuration.timers))
                : .other(NonInviteServerTransaction(isReliable: reliable, timers: configuration.timers)))
        serverIndex[key] = number
        if let mergeKey { mergeIndex[mergeKey] = number }
        return number
    }

    /// Responds without body to a request that needs nothing more, by a transaction of its own.
    mutating func answer(
        _ request: SIPRequest, flow: SIPFlow, status: Int, reason: String? = nil, tag: String? = nil, fields: [(String, String)] = [],
        now: NIODeadline, into out: inout [SIPOutput]
    ) {
        let transaction = openTransaction(request, flow: flow, tag: tag)
        respond(transaction, status: status, reason: reason, fields: fields, now: now, into: &out)
    }

    /// Responds without body by a transaction that is open; nothing happens if it has gone or answered already.
    mutating func respond(
        _ number: UInt64, status: Int, reason: String? = nil, fields: [(String, String)] = [], now: NIODeadline, into out: inout [SIPOutput]
    ) {
        guard let transaction = serverTransactions[number] else { return }
        var writer = transaction.template.begin(status, reason: reason, tag: transaction.tag)
        if status > 100 { writer.add("Server", configuration.serverName) }
        writer.addForeign(fields)
        respond(number, status: status, response: writer.finished(), now: now, into: &out)
    }

    mutating func respond(_ number: UInt64, status: Int, response: [UInt8], now: NIODeadline, into out: inout [SIPOutput]) {
        withServerTransaction(number, into: &out) { $0.respond(response, status: status, now: now, into: &$1) }
    }

    /// Lets a transaction do something, carries out what it asks for, and keeps its deadline and the tables right.
    mutating func withServerTransaction(
        _ number: UInt64, into out: inout [SIPOutput], _ body: (inout ServerTransaction, inout [TransactionOutput]) -> Void
    ) {
        guard var transaction = serverTransactions[number] else { return }
        var outputs: [TransactionOutput] = []
        body(&transaction, &outputs)
        serverTransactions[number] = transaction
        for output in outputs {
            switch output {
            case .send(let bytes): send(bytes, flow: transaction.template.flow, into: &out)
            case .retransmit(let bytes): retransmit(bytes, flow: transaction.template.flow, into: &out)
            case .response, .acknowledgement, .timedOut: break
            }
        }
        if transaction.isTerminated {
            removeServerTransaction(number)
        } else {
            timers.schedule(.server(number), at: transaction.deadline)
        }
    }

    func transaction(matching request: SIPRequest, method: String) -> UInt64? {
        serverIndex[ServerTransactionKey(request, method: method)]
    }

    private mutating func removeServerTransaction(_ number: UInt64) {
        guard let transaction = serverTransactions.removeValue(forKey: number) else { return }
        timers.schedule(.server(number), at: nil)
        if serverIndex[transaction.key] == number { serverIndex[transaction.key] = nil }
        if let mergeKey = transaction.mergeKey, mergeIndex[mergeKey] == number { mergeIndex[mergeKey] = nil }
    }

    /// Sends a request of a dialog by a client transaction of its own.
    mutating func openClientTransaction(
        _ request: [UInt8], branch: String, method: String, call: SIPCallID, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]
    ) {
        let number = takeNumber()
        let key = ClientTransactionKey(branch: branch, method: method)
        var outputs: [TransactionOutput] = []
        let machine = NonInviteClientTransaction(
            request: request, isReliable: flow.transport.isReliable, timers: configuration.timers, now: now, into: &outputs)
        clientTransactions[number] = ClientTransaction(key: key, call: call, flow: flow, machine: machine)
        clientIndex[key] = number
        perform(outputs, client: number, response: nil, now: now, into: &out)
    }

    mutating func withClientTransaction(
        _ number: UInt64, response: SIPResponse? = nil, now: NIODeadline, into out: inout [SIPOutput],
        _ body: (inout NonInviteClientTransaction, inout [TransactionOutput]) -> Void
    ) {
        guard var transaction = clientTransactions[number] else { return }
        var outputs: [TransactionOutput] = []
        body(&transaction.machine, &outputs)
        clientTransactions[number] = transaction
        perform(outputs, client: number, response: response, now: now, into: &out)
    }

    private mutating func perform(
        _ outputs: [TransactionOutput], client number: UInt64, response: SIPResponse?, now: NIODeadline, into out: inout [SIPOutput]
    ) {
        guard let transaction = clientTransactions[number] else { return }
        if transaction.machine.isTerminated {
            clientTransactions[number] = nil
            clientIndex[transaction.key] = nil
            timers.schedule(.client(number), at: nil)
        } else {
            timers.schedule(.client(number), at: transaction.machine.deadline)
        }
        for output in outputs {
            switch output {
            case .send(let bytes): send(bytes, flow: transaction.flow, into: &out)
            case .retransmit(let bytes): retransmit(bytes, flow: transaction.flow, into: &out)
            case .response(let status) where status >= 200: finished(transaction, response: response, now: now, into: &out)
            case .timedOut: finished(transaction, response: nil, now: now, into: &out)
            case .response, .acknowledgement: break
            }
        }
    }

    /// A CANCEL's answer says nothing: the INVITE's does. A BYE's answer, any answer, ends the dialog (RFC 3261 15.1.1), but for a challenge
    /// that we can meet.
    mutating func finished(
        _ transaction: ClientTransaction, response: SIPResponse?, now: NIODeadline, into out: inout [SIPOutput]
    ) {
        let branch = dialogs[transaction.call]?.textBranch
        if branch == transaction.key.branch { return textAnswered(transaction.call, response, now: now, into: &out) }
        if transaction.key.method == "REFER" { return referAnswered(transaction.call, response, now: now, into: &out) }
        if transaction.key.method == "INFO" { return informed(transaction.call, response, now: now, into: &out) }
        guard transaction.key.method == "BYE", var dialog = dialogs[transaction.call], case .ending = dialog.stage else { return }
        if let response, response.status == 401 || response.status == 407, dialog.digest?.receive(response.headers) == .retry {
            totals.challenges += 1
            store(dialog)
            sendBye(dialog.id, reason: nil, now: now, into: &out)
        } else {
            removeDialog(transaction.call)
        }
    }

    mutating func send(_ bytes: [UInt8], flow: SIPFlow, into out: inout [SIPOutput]) {
        totals.messagesSent += 1
        out.append(.send(bytes: bytes, flow: flow))
    }

    mutating func retransmit(_ bytes: [UInt8], flow: SIPFlow, into out: inout [SIPOutput]) {
        totals.retransmissionsSent += 1
        send(bytes, flow: flow, into: &out)
    }
}
