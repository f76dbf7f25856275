import NIOCore

/// INFO without a package (RFC 6086 section 2), as keys are sent by it.
extension SIPEndpoint {
    /// Sends `body` within the dialog of an answered call; does nothing before the answer and after the end. It is repeated until
    /// it is answered; what the far end answers is not told, for there is nothing to do about it.
    public mutating func sendInfo(
        _ call: SIPCallID, contentType: String, body: [UInt8], now: NIODeadline, into out: inout [SIPOutput]
    ) {
        guard var dialog = dialogs[call], case .established = dialog.stage else { return }
        let flow = dialog.nextHop
        let via = via(flow)
        let uri = dialog.requestURI
        let fields =
            [("User-Agent", configuration.serverName)] + (dialog.digest?.fields(method: "INFO", uri: uri, cnonce: randomToken()) ?? [])
        dialog.info = Dialog.Info(contentType: contentType, body: body)
        let request = dialog.request("INFO", via: via.value, fields: fields, body: body, type: contentType)
        store(dialog)
        openClientTransaction(request, branch: via.branch, method: "INFO", call: call, flow: flow, now: now, into: &out)
    }

    /// An INFO of ours was answered. It is sent once more where that is a challenge that we can meet.
    mutating func informed(_ call: SIPCallID, _ response: SIPResponse?, now: NIODeadline, into out: inout [SIPOutput]) {
        guard var dialog = dialogs[call] else { return }
        let info = dialog.info
        dialog.info = nil
        defer { store(dialog) }
        guard let info, let response, response.status == 401 || response.status == 407,
            dialog.digest?.receive(response.headers) == .retry
        else { return }
        totals.challenges += 1
        store(dialog)
        sendInfo(call, contentType: info.contentType, body: info.body, now: now, into: &out)
        dialog = dialogs[call] ?? dialog
    }
}
