import Dialplan
import Foundation
import SIPStack

/// Status callbacks: whoever a TwiML document or an order by REST names is told how calls and streams go, in order, signed, and without
/// anything waiting for it.
extension SwitchboardCore {
    // MARK: Phones of a <Dial>

    /// How the call of a phone is told of; nil where no document dials.
    /// - Parameter callback: of one among several
    func subscription(to entry: CallEntry, _ callback: StatusCallback? = nil) -> StatusSubscription? {
        guard entry.call.isScripted, let script = entry.script, case .dial(let dial) = script.current else { return nil }
        let only = dial.targets.count == 1 ? dial.callbacks[0]?.of(script) : nil
        return StatusSubscription(sid: makeID(), callback: callback ?? only)
    }

    func report(_ event: StatusCallback.Event, _ status: String, of sip: SIPCallID, _ id: CallID) {
        guard let callee = callee(sip, of: id), var subscription = callee.status else { return }
        tell(event, status, &subscription, number: callee.number, id)
        entries[id]?.update(sip) { $0.status = subscription }
    }

    func reportRinging(_ sip: SIPCallID, _ id: CallID) { report(.ringing, "ringing", of: sip, id) }

    func reportAnswer(_ sip: SIPCallID, _ id: CallID) {
        let now = now()
        entries[id]?.update(sip) { $0.status?.answeredAt = now }
        report(.answered, "in-progress", of: sip, id)
    }

    /// The call of a phone is over.
    /// - Parameter sipStatus: of its final answer, where that was none of success
    func reportEnd(of subscription: StatusSubscription?, number: String, _ status: String, sipStatus: Int? = nil, _ id: CallID) {
        guard var subscription else { return }
        subscription.endedAt = now()
        var fields = [FormField("CallDuration", "\(subscription.seconds(now: now()))")]
        if let sipStatus { fields.append(FormField("SipResponseCode", "\(sipStatus)")) }
        tell(.completed, status, &subscription, number: number, id, with: fields)
        if entries[id]?.dialled?.answeredAt == nil { entries[id]?.dialled = subscription }
    }

    private func tell(
        _ event: StatusCallback.Event, _ status: String, _ subscription: inout StatusSubscription, number: String, _ id: CallID,
        with fields: [FormField] = []
    ) {
        guard let entry = entries[id], subscription.tells(event), let callback = subscription.callback else { return }
        let from = entry.decision.from.e164
        let own = [
            FormField("CallSid", TwilioCall.sid(subscription.sid)), FormField("ParentCallSid", TwilioCall.sid(id)),
            FormField("AccountSid", account(of: callback)), FormField("From", from), FormField("To", number), FormField("Caller", from),
            FormField("Called", number), FormField("Direction", "outbound-dial"), FormField("CallStatus", status),
            FormField("ApiVersion", TwilioCall.apiVersion),
        ]
        post(own + Self.progress(subscription) + fields, callback, now(), id)
    }

    // MARK: Whole calls

    /// A call that was ordered by REST is told of.
    func subscribe(_ entry: inout CallEntry, _ order: TwilioOrder, agent: String) {
        entry.firstOrder = TwiMLOrder(what: order.what, agent: agent)
        entry.record.account = order.account
        entry.status = StatusSubscription(sid: entry.id, callback: order.callback)
        entry.answererCallback = order.answererCallback
    }

    /// A call that an agent's webhook leads: the agent's configuration may name who is told that it is over.
    func subscribe(_ agent: Agent, _ id: CallID) {
        guard entries[id]?.status == nil, let url = agent.statusCallback else { return }
        entries[id]?.status = StatusSubscription(sid: id, callback: StatusCallback(url: url, agent: agent.name))
    }

    func report(_ event: StatusCallback.Event, _ status: String, _ id: CallID) {
        guard let entry = entries[id], var subscription = entry.status, let callback = subscription.callback, subscription.tells(event) else { return }
        entries[id]?.status = subscription
        let fields = TwilioCall.fields(entry, account: account(of: callback), status: status, parameters: [:])
        post(fields + Self.progress(subscription), callback, now(), id)
    }

    /// The call is over, and its entry gone.
    func reportEnd(_ entry: CallEntry, _ record: CallRecord) {
        guard var subscription = entry.status, let callback = subscription.callback, subscription.tells(.completed) else { return }
        (subscription.answeredAt, subscription.endedAt) = (record.answeredAt, record.endedAt)
        var fields = TwilioCall.fields(entry, account: account(of: callback), status: TwilioCall.status(record), parameters: [:])
        fields += Self.progress(subscription)
        fields.append(FormField("CallDuration", "\(subscription.seconds(now: now()))"))
        if let status = record.sipCode { fields.append(FormField("SipResponseCode", "\(status)")) }
        post(fields, callback, now(), entry.id)
    }

    /// It was found out who answered.
    func reportAnswerer(_ finding: AnswerClassifier.Finding, _ id: CallID) {
        guard let entry = entries[id], let callback = entry.answererCallback else { return }
        let word = finding == .beep ? "machine_end_beep" : TwilioCall.answeredBy(finding.rawValue)
        let fields = [
            FormField("CallSid", TwilioCall.sid(id)), FormField("AccountSid", account(of: callback)), FormField("AnsweredBy", word),
        ]
        post(fields, callback, now(), id)
    }

    // MARK: Streams

    /// The socket of a document's stream is up.
    func streamBegan(_ id: CallID) {
        guard let stream = presentStream(id) else { return }
        entries[id]?.stream = stream
        tell("stream-started", stream, id)
    }

    /// It could not be opened, or broke.
    func streamFailed(_ end: CallEnd, _ id: CallID) {
        guard let stream = entries[id]?.stream ?? presentStream(id) else { return }
        entries[id]?.stream = nil
        tell("stream-error", stream, id, with: [FormField("StreamError", end.detail)])
    }

    /// It ended in good order.
    func streamOver(_ id: CallID) {
        guard let stream = entries[id]?.stream else { return }
        entries[id]?.stream = nil
        tell("stream-stopped", stream, id)
    }

    /// The one that the document has the call open, if anybody wants to hear of it.
    private func presentStream(_ id: CallID) -> TwiML.Stream? {
        guard let entry = entries[id], entry.call.isScripted, let script = entry.script, case .connect(var stream) = script.current,
            let callback = stream.callback?.of(script)
        else { return nil }
        stream.callback = callback
        return stream
    }

    private func tell(_ event: String, _ stream: TwiML.Stream, _ id: CallID, with fields: [FormField] = []) {
        guard let callback = stream.callback else { return }
        var own = [
            FormField("AccountSid", account(of: callback)), FormField("CallSid", TwilioCall.sid(id)), FormField("StreamSid", "MZ\(id)"),
            FormField("StreamEvent", event),
        ]
        if let name = stream.name { own.append(FormField("StreamName", name)) }
        post(own + fields, callback, now(), id)
    }

    // MARK: Sending

    /// Beside what the call is, where in its turn of events.
    private static func progress(_ subscription: StatusSubscription) -> [FormField] {
        [FormField("CallbackSource", "call-progress-events"), FormField("SequenceNumber", "\(subscription.told.count - 1)")]
    }

    private func account(of callback: StatusCallback) -> String {
        settings.configuration.agent(named: callback.agent)?.account ?? TwilioDialect.defaultAccount
    }

    private func post(_ fields: [FormField], _ callback: StatusCallback, _ time: Date, _ id: CallID) {
        let fields = fields + [FormField("Timestamp", TwilioResource.text(time))]
        var url = callback.url
        if callback.isGet { url += (url.contains("?") ? "&" : "?") + FormField.write(fields) }
        guard let place = WebClient.place(of: url) else { return }
        var form = CallNotice.Form(fields: callback.isGet ? [] : fields, isGet: callback.isGet)
        if let token = settings.configuration.agent(named: callback.agent)?.token {
            form.signature = TwilioSignature.sign(url, fields: form.fields, token: token)
        }
        outlets.notify(CallNotice(call: id, url: place, form: form))
    }
}
