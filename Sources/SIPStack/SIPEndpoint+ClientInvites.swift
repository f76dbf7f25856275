import NIOCore

/// The INVITEs of calls of ours: sending, taking back, and the table of their transactions.
extension SIPEndpoint {
    /// Sends the call's next INVITE: the first to a host, or the same once more with credentials.
    mutating func sendInvite(_ id: SIPCallID, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var call = outgoing[id] else { return }
        let order = call.order
        let mark = CallPath.mark(random: randomToken(), seed: statelessSeed, user: order.user.text)
        let via = via(flow, token: mark)
        let uri = "sip:\(order.user.encoded)@\(call.target.authority)\(call.target.transportParameter)"
        let caller = caller(order, flow: flow)
        call.sequence += 1
        let request = InviteRequest(
            uri: uri, via: via.value, branch: via.branch, maxForwards: order.maxForwards,
            from: Array("\(caller.from);tag=\(call.tag)".utf8), tag: call.tag, to: Array("<sip:\(order.user.encoded)@\(call.target.authority)>".utf8),
            callID: call.callID, sequence: call.sequence,
            authorization: call.digest?.fields(method: "INVITE", uri: uri, cnonce: randomToken()) ?? [])
        var fields = [("Contact", contact(flow))]
        if let identity = caller.identity { fields.append(("P-Asserted-Identity", identity)) }
        fields += [("Allow", Self.allow), ("Accept", Self.sessionDescriptionType), ("User-Agent", configuration.serverName)]
        let marks = order.path.filter(CallPath.isMark).suffix(CallPath.maximumMarks - 1) + [mark]
        fields.append((CallPath.fieldName, marks.joined(separator: ", ")))

        var outputs: [TransactionOutput] = []
        let machine = InviteClientTransaction(
            request: request.bytes(own: fields, foreign: order.headers, offer: order.offer), isReliable: flow.transport.isReliable,
            timers: configuration.timers, now: now, into: &outputs)
        let number = takeNumber()
        let invite = ClientInvite(
            key: ClientTransactionKey(branch: via.branch, method: "INVITE"), call: id, target: call.target, request: request, flow: flow,
            machine: machine)
        call.transaction = number
        outgoing[id] = call
        clientInvites[number] = invite
        clientIndex[invite.key] = number
        perform(outputs, invite: number, response: nil, now: now, into: &out)
    }

    /// From and P-Asserted-Identity without the tag.
    private func caller(_ order: SIPCallOrder, flow: SIPFlow) -> (from: String, identity: String?) {
        guard let user = order.fromUser else { return ("\"Anonymous\" <sip:anonymous@anonymous.invalid>", nil) }
        let host = order.from.host ?? listener(flow).host
        let text = order.from.displayName.unicodeScalars.filter { $0.value >= 32 && $0.value != 127 && $0 != "\"" && $0 != "\\" }
        let name = text.isEmpty ? "" : "\"\(String(String.UnicodeScalarView(text)))\" "
        let address = "\(name)<sip:\(user.encoded)@\(host.contains(":") ? "[\(host)]" : host)>"
        return (address, address)
    }

    /// Nobody wants this INVITE any more: CANCEL now, or when the first provisional response allows it.
    mutating func withdraw(_ number: UInt64, reason: SIPReason?, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var invite = clientInvites[number], !invite.isWithdrawn else { return }
        invite.cancellation = .wanted
        invite.withdrawal = reason
        clientInvites[number] = invite
        if invite.hasProvisional { sendCancel(number, now: now, into: &out) }
    }

    private mutating func sendCancel(_ number: UInt64, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var invite = clientInvites[number], case .wanted = invite.cancellation, invite.machine.isProceeding else { return }
        invite.cancellation = .sent(giveUp: now + configuration.timers.giveUp)
        clientInvites[number] = invite
        timers.schedule(.client(number), at: invite.deadline)
        openClientTransaction(
            invite.request.cancel(reason: invite.withdrawal), branch: invite.request.branch, method: "CANCEL", call: invite.call, flow: invite.flow,
            now: now, into: &out)
    }

    mutating func receive(_ response: SIPResponse, invite number: UInt64, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var invite = clientInvites[number] else { return }
        // The ACK of a refusal and the CANCEL follow the INVITE, on its connection if there is one.
        if flow.transport == invite.flow.transport { invite.flow.connection = flow.connection }
        let to = response.headers.first("to")?.value ?? invite.request.to
        var outputs: [TransactionOutput] = []
        invite.machine.receive(
            status: response.status, acknowledgement: { invite.request.acknowledgement(to: to) }, now: now, into: &outputs)
        clientInvites[number] = invite
        perform(outputs, invite: number, response: response, now: now, into: &out)
    }

    mutating func expireInvite(_ number: UInt64, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var invite = clientInvites[number] else { return }
        var outputs: [TransactionOutput] = []
        invite.machine.expire(now: now, into: &outputs)
        // Neither the CANCEL nor the INVITE was ever answered in full (RFC 3261 9.1).
        if case .sent(let giveUp) = invite.cancellation, giveUp <= now, invite.machine.isProceeding { invite.machine.abandon() }
        clientInvites[number] = invite
        perform(outputs, invite: number, response: nil, now: now, into: &out)
    }

    /// The connection of this INVITE could not be opened or is gone.
    mutating func loseTransport(invite number: UInt64, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var invite = clientInvites[number] else { return }
        let isOpen = invite.machine.isOpen
        if isOpen {
            invite.machine.abandon()
            clientInvites[number] = invite
            perform([], invite: number, response: nil, now: now, into: &out)
            if outgoing[invite.call]?.transaction == number { leaveHost(invite.call, .transport, now: now, into: &out) }
        } else {
            // It is answered: repetitions of the answer come, and are acknowledged, on another connection.
            invite.flow.connection = 0
            clientInvites[number] = invite
        }
    }

    private mutating func perform(
        _ outputs: [TransactionOutput], invite number: UInt64, response: SIPResponse?, now: NIODeadline, into out: inout [SIPOutput]
    ) {
        guard let invite = clientInvites[number] else { return }
        // The table is right before the call hears of anything: what it does then may open the next transaction, or cancel this one.
        if invite.machine.isTerminated {
            clientInvites[number] = nil
            clientIndex[invite.key] = nil
            timers.schedule(.client(number), at: nil)
        } else {
            timers.schedule(.client(number), at: invite.deadline)
        }
        for output in outputs {
            switch output {
            case .send(let bytes): send(bytes, flow: invite.flow, into: &out)
            case .retransmit(let bytes): retransmit(bytes, flow: invite.flow, into: &out)
            case .response(let status):
                guard let response else { continue }
                if status < 200 {
                    provisional(response, invite: number, now: now, into: &out)
                } else if status < 300 {
                    success(response, invite: invite, number: number, now: now, into: &out)
                } else {
                    refusal(response, invite: invite, number: number, now: now, into: &out)
                }
            case .timedOut:
                if outgoing[invite.call]?.transaction == number { leaveHost(invite.call, .silent, now: now, into: &out) }
            case .acknowledgement: break
            }
        }
    }

    private mutating func provisional(_ response: SIPResponse, invite number: UInt64, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var invite = clientInvites[number] else { return }
        invite.hasProvisional = true
        clientInvites[number] = invite
        if case .wanted = invite.cancellation { sendCancel(number, now: now, into: &out) }
        guard var call = outgoing[invite.call], call.transaction == number else { return }
        call.hostLimit = nil
        if response.status == 180 { call.isRinging = true }
        var answer: String?
        if case .sessionDescription(let text) = MessageBody(headers: response.headers, body: response.body) { answer = text }
        let tag = response.to.tag ?? ""
        if let answer, call.earlyAnswers[tag] != nil || call.earlyAnswers.count < ClientInvite.maximumForks { call.earlyAnswers[tag] = answer }
        outgoing[invite.call] = call
        timers.schedule(.outgoing(invite.call), at: call.deadline)
        guard response.status > 100 else { return }
        out.append(.progress(invite.call, status: response.status, answer: answer, from: invite.target.address))
    }
}
