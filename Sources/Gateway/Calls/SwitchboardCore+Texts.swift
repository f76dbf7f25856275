import NIOCore
import SIPStack

/// Texts beside the sound: of agents, browsers' pages and phones (MESSAGE, INFO).
extension SwitchboardCore {
    /// Passes an agent's text to the browser's page, or to the phone.
    func agentSays(_ message: CallMessage, _ id: CallID) {
        guard let entry = entries[id] else { return }
        let text = CallMessage(contentType: message.contentType, body: message.body)
        switch entry.caller {
        case .browser(let observer): observer(.message(text))
        case .trunk, .api:
            if let observer = entry.userParty?.observer { observer(.message(text)) } else if let sip = entry.sipCall { send(message, sip) }
        }
    }

    /// Passes the text of a browser's page to the agent, or to the phone that it talks with.
    func browserSays(_ message: CallMessage, _ id: CallID) {
        guard let entry = entries[id], entry.call.isAnswered else { return }
        if let callee = entry.callee, callee.isAnswered, !entry.call.isConsulting { return send(message, callee.sip) }
        tellAgent(message, entry)
    }

    private func tellAgent(_ message: CallMessage, _ entry: CallEntry) {
        let id = entry.id
        outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.agent?.receive(message) } }
    }

    private func send(_ message: CallMessage, _ sip: SIPCallID) {
        let (reference, type, body) = (message.reference, message.contentType, Array(message.body.utf8))
        outlets.sip { $0.sendText(sip, reference: reference, contentType: type, body: body, now: $1, into: &$2) }
    }

    /// A phone did not take a text: an agent that sent it hears so.
    func textRefused(_ sip: SIPCallID, _ reference: Int64, _ status: Int) {
        guard let entry = entry(of: sip) else { return }
        let id = entry.id
        entry.logger.info("a text was not taken", metadata: ["sip_code": "\(status)"])
        guard !entry.isCallee(sip), entry.callee == nil else { return }
        outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.agent?.messageRefused(reference, status: status) } }
    }

    // MARK: Phones

    /// A MESSAGE, within a call or not. Phones that know no other way send it outside of the call that they are in (RFC 3428 section 4): then
    /// it is that of the call which the sender has with us by that trunk.
    func textReceived(_ message: SIPTextMessage) {
        let status: Int
        if let sip = message.call {
            status = entry(of: sip).map { deliver(CallMessage(contentType: message.contentType, body: message.text), from: sip, $0) ? 200 : 480 } ?? 481
        } else if let (entry, sip) = call(with: message) {
            status = deliver(CallMessage(contentType: message.contentType, body: message.text), from: sip, entry) ? 200 : 480
        } else {
            status = 404
        }
        outlets.sip { $0.answerMessage(message, status: status, now: $1, into: &$2) }
    }

    /// The only call that the sender of a text has with us by its trunk.
    private func call(with message: SIPTextMessage) -> (CallEntry, SIPCallID)? {
        guard let trunk = settings.configuration.trunk(for: message.flow.remote.host) else { return nil }
        let sender = (message.assertedIdentity ?? message.from).user
        guard !sender.isEmpty else { return nil }
        let calls = entries.values.compactMap { entry -> (CallEntry, SIPCallID)? in
            guard entry.call.isAnswered, let sip = entry.sipCall else { return nil }
            switch entry.caller {
            case .trunk(_, let name): return name == trunk.name && entry.decision.from.given == sender ? (entry, sip) : nil
            case .api: return entry.party?.trunk.name == trunk.name && entry.party?.number == sender ? (entry, sip) : nil
            case .browser: return nil
            }
        }
        return calls.count == 1 ? calls.first : nil
    }

    /// Passes a phone's text to whoever is at the other end.
    /// - Returns: false where nobody is who could take it.
    @discardableResult
    func deliver(_ message: CallMessage, from sip: SIPCallID, _ entry: CallEntry) -> Bool {
        guard entry.call.isAnswered else { return false }
        if !entry.isCallee(sip), let callee = entry.callee, callee.isAnswered, !entry.call.isConsulting {
            send(message, callee.sip)
            return true
        }
        if entry.isCallee(sip), !entry.call.isConsulting {
            agentSays(message, entry.id)
            return true
        }
        tellAgent(message, entry)
        return true
    }
}
