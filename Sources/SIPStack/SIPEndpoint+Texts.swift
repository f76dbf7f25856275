import NIOCore

/// Texts beside the sound: MESSAGE (RFC 3428), or INFO toward phones that take only that.
extension SIPEndpoint {
    /// Bytes of a text that is taken.
    static let maximumTextLength = 16_384
    /// Bytes of a request that may go by UDP (RFC 3428 section 8).
    static let maximumTextRequest = 1_300
    /// Texts of one call that wait for those before them.
    static let maximumTexts = 32
    private static let acceptedTexts = "text/plain, text/*, application/json"

    // MARK: The far end's

    /// A MESSAGE within a dialog, or outside of any.
    mutating func message(_ request: SIPRequest, call: SIPCallID?, flow: SIPFlow, now: NIODeadline, into out: inout [SIPOutput]) {
        let contentType = request.headers.first("content-type")?.text ?? "text/plain"
        let coding = request.headers.first("content-encoding")?.text.lowercased() ?? "identity"
        guard coding == "identity" else {
            return answer(request, flow: flow, status: 415, fields: [("Accept", Self.acceptedTexts), ("Accept-Encoding", "identity")], now: now, into: &out)
        }
        guard MediaType(contentType)?.isText == true, let text = String(validating: request.body, as: UTF8.self) else {
            return answer(request, flow: flow, status: 415, fields: [("Accept", Self.acceptedTexts)], now: now, into: &out)
        }
        guard request.body.count <= Self.maximumTextLength else { return answer(request, flow: flow, status: 413, now: now, into: &out) }
        let number = openTransaction(request, flow: flow, call: call)
        out.append(.message(SIPTextMessage(request, transaction: number, call: call, flow: flow, contentType: contentType, text: text)))
    }

    /// The final answer to a text: 200 when somebody has it.
    public mutating func answerMessage(_ message: SIPTextMessage, status: Int, now: NIODeadline, into out: inout [SIPOutput]) {
        respond(message.transaction, status: (200...699).contains(status) ? status : 500, now: now, into: &out)
    }

    // MARK: Ours

    /// Sends a text within the dialog of an answered call, after those before it were answered. ``SIPOutput/textRefused(_:reference:status:)``
    /// follows unless the far end takes it: 405 where it takes none, 415 for what is no text, 513 for one too long for its way, 503 for too many
    /// at once, 481 without a dialog.
    public mutating func sendText(
        _ call: SIPCallID, reference: Int64, contentType: String, body: [UInt8], now: NIODeadline, into out: inout [SIPOutput]
    ) {
        func refuse(_ status: Int) { out.append(.textRefused(call, reference: reference, status: status)) }
        guard var dialog = dialogs[call], case .established = dialog.stage else { return refuse(481) }
        guard dialog.textMethod != nil else { return refuse(405) }
        // It is written into a header field.
        guard contentType.utf8.allSatisfy({ (32..<127).contains($0) }), MediaType(contentType)?.isText == true else { return refuse(415) }
        guard dialog.texts.count < Self.maximumTexts else { return refuse(503) }
        dialog.texts.append(Dialog.Text(reference: reference, contentType: contentType, body: body))
        store(dialog)
        if dialog.texts.count == 1 { sendNextText(call, now: now, into: &out) }
    }

    private mutating func sendNextText(_ call: SIPCallID, now: NIODeadline, into out: inout [SIPOutput]) {
        while var dialog = dialogs[call], case .established = dialog.stage, let text = dialog.texts.first, let method = dialog.textMethod {
            let flow = dialog.nextHop
            let via = via(flow)
            let uri = dialog.requestURI
            let digest = dialog.digest?.fields(method: method, uri: uri, cnonce: randomToken()) ?? []
            let request = dialog.request(
                method, via: via.value, fields: [("User-Agent", configuration.serverName)] + digest, body: text.body, type: text.contentType)
            guard flow.transport.isReliable || request.count <= Self.maximumTextRequest else {
                dialog.texts.removeFirst()
                store(dialog)
                out.append(.textRefused(call, reference: text.reference, status: 513))
                continue
            }
            dialog.textBranch = via.branch
            store(dialog)
            return openClientTransaction(request, branch: via.branch, method: method, call: call, flow: flow, now: now, into: &out)
        }
    }

    /// The text under way was answered, or nothing was heard of it.
    mutating func textAnswered(_ call: SIPCallID, _ response: SIPResponse?, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var dialog = dialogs[call], let text = dialog.texts.first else { return }
        dialog.textBranch = nil
        if let response, response.status == 401 || response.status == 407, dialog.digest?.receive(response.headers) == .retry {
            totals.challenges += 1
            store(dialog)
            return sendNextText(call, now: now, into: &out)
        }
        dialog.texts.removeFirst()
        store(dialog)
        let status = response?.status ?? 408
        if status >= 300 { out.append(.textRefused(call, reference: text.reference, status: status)) }
        sendNextText(call, now: now, into: &out)
    }
}
