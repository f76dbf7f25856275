import NIOCore

/// REFER of ours: the far end of a call is asked to call somebody else, and tells by NOTIFY how that goes (RFC 3515).
extension SIPEndpoint {
    /// Asks the far end of an answered call to call `user` at `target`; ``SIPOutput/referral(_:_:)`` tells what comes of it. One at a time.
    /// - Parameter limit: it has failed when the far end's call is not answered within that
    public mutating func refer(
        _ call: SIPCallID, to user: String, at target: SIPTarget, limit: TimeAmount, now: NIODeadline, into out: inout [SIPOutput]
    ) {
        guard var dialog = dialogs[call], case .established = dialog.stage, dialog.referral?.isOver != false, let user = SIPUserPart(user) else {
            return out.append(.referral(call, .failed(status: 481)))
        }
        let uri = "sip:\(user.encoded)@\(target.authority)\(target.transportParameter)"
        dialog.referral = Dialog.Referral(target: "<\(uri)>", deadline: now + limit)
        store(dialog)
        sendRefer(call, now: now, into: &out)
    }

    private mutating func sendRefer(_ call: SIPCallID, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var dialog = dialogs[call], let referral = dialog.referral else { return }
        let flow = dialog.nextHop
        let via = via(flow)
        var fields = [("User-Agent", configuration.serverName), ("Refer-To", referral.target)]
        if let us = try? NameAddress(reading: dialog.localIdentity, field: "From") { fields.append(("Referred-By", "<\(us.uri)>")) }
        let uri = dialog.requestURI
        fields += dialog.digest?.fields(method: "REFER", uri: uri, cnonce: randomToken()) ?? []
        let request = dialog.request("REFER", via: via.value, contact: contact(flow), fields: fields)
        dialog.referral?.sequence = dialog.localSequence
        store(dialog)
        openClientTransaction(request, branch: via.branch, method: "REFER", call: call, flow: flow, now: now, into: &out)
    }

    /// The REFER was answered, or nothing was heard of it.
    mutating func referAnswered(_ call: SIPCallID, _ response: SIPResponse?, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var dialog = dialogs[call], let referral = dialog.referral, !referral.isOver else { return }
        if let response, response.status == 401 || response.status == 407, dialog.digest?.receive(response.headers) == .retry {
            totals.challenges += 1
            store(dialog)
            return sendRefer(call, now: now, into: &out)
        }
        let status = response?.status ?? 408
        if status >= 300 { endReferral(call, .failed(status: status), into: &out) } else { acceptReferral(call, into: &out) }
    }

    private mutating func acceptReferral(_ call: SIPCallID, into out: inout [SIPOutput]) {
        guard dialogs[call]?.referral?.isAccepted == false else { return }
        dialogs[call]?.referral?.isAccepted = true
        out.append(.referral(call, .accepted))
    }

    private mutating func endReferral(_ call: SIPCallID, _ end: SIPReferral, into out: inout [SIPOutput]) {
        guard var dialog = dialogs[call], dialog.referral?.isOver == false else { return }
        dialog.referral?.isOver = true
        store(dialog)
        out.append(.referral(call, end))
    }

    /// The far end tells how its own call goes.
    mutating func notify(_ request: SIPRequest, dialog: Dialog, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) {
        let event = (request.headers.first("event")?.text ?? "").split(separator: ";").map { $0.filter { $0 != " " } }
        guard event.first?.lowercased() == "refer" else {
            return answer(request, flow: flow, status: 489, fields: [("Allow-Events", "refer")], now: now, into: &out)
        }
        guard let referral = dialog.referral else { return answer(request, flow: flow, status: 481, now: now, into: &out) }
        answer(request, flow: flow, status: 200, now: now, into: &out)
        let number = event.dropFirst().first { $0.lowercased().hasPrefix("id=") }?.dropFirst(3)
        guard !referral.isOver, number == nil || number.map(String.init) == String(referral.sequence) else { return }
        let isLast = request.headers.first("subscription-state")?.text.lowercased().hasPrefix("terminated") == true
        guard let status = Self.fragmentStatus(request.body) else {
            if isLast { endReferral(dialog.id, .failed(status: 500), into: &out) }
            return
        }
        switch status {
        case 200..<300: endReferral(dialog.id, .succeeded, into: &out)
        case 300...: endReferral(dialog.id, .failed(status: status), into: &out)
        default:
            acceptReferral(dialog.id, into: &out)
            // Some tell no more than that they try: they hang up when their call is answered.
            if status == 180 || status == 183, !referral.isRinging {
                dialogs[dialog.id]?.referral?.isRinging = true
                out.append(.referral(dialog.id, .ringing))
            }
        }
    }

    /// The status in the first line of a message/sipfrag (RFC 3420).
    private static func fragmentStatus(_ body: [UInt8]) -> Int? {
        let line = body.prefix(64)
        guard line.starts(with: "SIP/2.0 ".utf8) else { return nil }
        return DecimalNumber.read(line.dropFirst(8).prefix(3), maximum: 699).flatMap { $0 >= 100 ? $0 : nil }
    }

    /// Nothing more was heard.
    mutating func expireReferral(_ call: SIPCallID, now: NIODeadline, into out: inout [SIPOutput]) {
        guard let referral = dialogs[call]?.referral, !referral.isOver, referral.deadline <= now else { return }
        endReferral(call, .failed(status: 408), into: &out)
    }
}
