import NIOCore

/// What arrives: told apart, matched with transactions, screened by source.
extension SIPEndpoint {
    /// One UDP datagram or one framed message. `known`: the source belongs to a trunk.
    public mutating func receive(
        _ bytes: UnsafeRawBufferPointer, from flow: SIPFlow, known: Bool, now: NIODeadline, into out: inout [SIPOutput]
    ) {
        let message = MessageReader.read(bytes)
        if case .keepAlive = message { return }
        totals.messagesReceived += 1
        switch message {
        case .keepAlive:
            break
        case .unreadable:
            totals.unreadable += 1
            // On a stream it can only be a peer that does not speak SIP.
            if flow.connection != 0 { out.append(.close(connection: flow.connection)) }
        case .refused(let refused):
            totals.malformed += 1
            guard known, refused.method != "ACK" else { return }
            answerStatelessly(
                headers: refused.headers, via: refused.via, flow: flow, status: refused.problem.status, reason: refused.problem.reason,
                isPlain: false, into: &out)
        case .response(let response):
            receive(response, flow: flow, now: now, into: &out)
        case .request(let request):
            receive(request, flow: flow, known: known, now: now, into: &out)
        }
    }

    /// The same for an array.
    public mutating func receive(_ bytes: [UInt8], from flow: SIPFlow, known: Bool, now: NIODeadline, into out: inout [SIPOutput]) {
        bytes.withUnsafeBytes { receive($0, from: flow, known: known, now: now, into: &out) }
    }

    private mutating func receive(_ response: SIPResponse, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) {
        // More than one Via: it is not for us (RFC 3261 8.1.3.3).
        guard let branch = response.via.branch, response.via.rest.isEmpty, response.headers.all("via").count == 1,
            let number = clientIndex[ClientTransactionKey(branch: branch, method: response.sequence.method)]
        else {
            totals.strayResponses += 1
            return
        }
        if clientInvites[number] != nil {
            receive(response, invite: number, flow: flow, now: now, into: &out)
        } else {
            withClientTransaction(number, response: response, now: now, into: &out) { $0.receive(status: response.status, now: now, into: &$1) }
        }
    }

    private mutating func receive(_ request: SIPRequest, flow: SIPFlow, known: Bool, now: NIODeadline, into out: inout [SIPOutput]) {
        if request.method == "ACK" {
            acknowledge(request, flow: flow, now: now, into: &out)
            return
        }
        if let number = transaction(matching: request, method: request.method) {
            totals.retransmissionsReceived += 1
            withServerTransaction(number, into: &out) { $0.receiveRepetition(into: &$1) }
            return
        }
        // Both tags of a dialog of ours prove the sender as well as its address does: carriers send a BYE from another host at times.
        guard known || dialog(matching: request) != nil || earlyCall(matching: request) != nil else {
            totals.refusedSources += 1
            answerStatelessly(headers: request.headers, via: request.via, flow: flow, status: 403, reason: nil, isPlain: true, into: &out)
            return
        }
        if let refusal = screen(request) {
            answerStatelessly(
                headers: request.headers, via: request.via, flow: flow, status: refusal.status, reason: nil, isPlain: false,
                fields: refusal.fields, into: &out)
            return
        }
        handle(request, flow: flow, now: now, into: &out)
    }

    /// What a new transaction would cost too much for: fields that it would keep for 32 s, and transactions beyond the limit, but for a BYE
    /// and a CANCEL that end something.
    private func screen(_ request: SIPRequest) -> (status: Int, fields: [(String, String)])? {
        let kept = request.headers.reduce(0) { Self.keptFields.contains($1.key) ? $0 + $1.value.count : $0 }
        guard kept <= Self.maximumKeptBytes else { return (513, []) }
        guard serverTransactions.count >= configuration.maximumServerTransactions else { return nil }
        switch request.method {
        case "BYE": return dialog(matching: request) == nil ? (481, []) : nil
        case "CANCEL": return transaction(matching: request, method: "INVITE") == nil ? (481, []) : nil
        default: return (503, [("Retry-After", "10")])
        }
    }

    /// The fields that a transaction keeps for its responses.
    private static let keptFields: Set<String> = ["via", "record-route", "from", "to", "cseq"]
    /// Bytes of them: more than a dozen proxies put in.
    private static let maximumKeptBytes = 8_192

    private mutating func handle(_ request: SIPRequest, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) {
        if request.method == "CANCEL" {
            cancel(request, flow: flow, now: now, into: &out)
        } else if !Self.allowedMethods.contains(request.method) {
            answer(request, flow: flow, status: 405, fields: [("Allow", Self.allow)], now: now, into: &out)
        } else if request.to.tag != nil {
            handleInDialog(request, flow: flow, now: now, into: &out)
        } else {
            handleOutOfDialog(request, flow: flow, now: now, into: &out)
        }
    }

    /// A response that leaves nothing behind (RFC 3261 8.2.7). `isPlain`: nothing in it tells what we are, and it goes nowhere but back.
    private mutating func answerStatelessly(
        headers: [SIPHeader], via: Via, flow: SIPFlow, status: Int, reason: String?, isPlain: Bool, fields: [(String, String)] = [],
        into out: inout [SIPOutput]
    ) {
        let template = ResponseTemplate(headers: headers, via: via, flow: flow, honoursMaddr: false)
        var writer = template.begin(status, reason: reason, tag: statelessTag(headers, via: via))
        if !isPlain { writer.add("Server", configuration.serverName) }
        writer.addForeign(fields)
        send(writer.finished(), flow: template.flow, into: &out)
    }

    /// The same for every repetition of a request: FNV-1a over what does not change in it.
    private func statelessTag(_ headers: [SIPHeader], via: Via) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ statelessSeed
        for key in ["via", "from", "call-id", "cseq"] {
            for byte in headers.first(key)?.value ?? [] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        return String(hash, radix: 16)
    }

    /// The call of ours, not answered yet, that a request with a To tag belongs to.
    func earlyCall(matching request: SIPRequest) -> SIPCallID? {
        guard let id = request.to.tag.flatMap({ outgoingByTag[$0] }), outgoing[id]?.callID == request.callID else { return nil }
        return id
    }

    /// The call a request with a To tag belongs to.
    func dialog(matching request: SIPRequest) -> SIPCallID? {
        guard let tag = request.to.tag else { return nil }
        return dialogIndex[DialogKey(callID: request.callID, localTag: tag, remoteTag: request.from.tag ?? "")]
    }
}
