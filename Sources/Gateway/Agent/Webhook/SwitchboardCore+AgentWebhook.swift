import Dialplan
import NIOCore

/// Calls whose agent is a model that a webhook describes: it is asked before the model's socket is opened.
extension SwitchboardCore {
    /// Asks what the model is to be told of this call.
    func askForSession(_ url: String, _ step: AgentStep, _ agent: Agent, _ entry: CallEntry) {
        let (id, number, outlets) = (entry.id, entry.fetches + 1, outlets)
        entries[id]?.fetches = number
        entries[id]?.record.begin(step: "agent", target: agent.name)
        entry.logger.info("asking the webhook", metadata: ["agent": "\(agent.name)"])
        bridgeTheWait(entry)
        outlets.fetch(webhook(url, step, agent, entry).sessionRequest(at: now())) { answer in
            let session = answer.flatMap { bytes in
                Result { () throws(WebRequest.Failure) in try AgentWebhookSession(bytes) }
            }
            outlets.post(.sessionDescribed(id, number, step, url: url, session))
        }
    }

    /// A webhook takes its time: a caller who was with an agent hears meanwhile that the line is alive.
    func bridgeTheWait(_ entry: CallEntry) {
        // The agent that gives the call away talks on meanwhile.
        guard !entry.call.isTransferring else { return }
        let id = entry.id
        outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.bridgeTheWait(now: now) } }
    }

    func sessionDescribed(_ id: CallID, _ number: Int, _ step: AgentStep, url: String, _ result: Result<AgentWebhookSession, WebRequest.Failure>) {
        guard let entry = entries[id], entry.fetches == number, !entry.call.isEnding else { return }
        switch result {
        case .success(let session):
            guard let agent = settings.configuration.agent(named: step.name) else {
                return update(id) { $0.stepFailed(CallEnd(.agentUnavailable), into: &$1) }
            }
            var order = AgentOrder(agent: agent, info: agentInfo(step, agent, entry))
            session.apply(to: &order)
            order.webhook = webhook(url, step, agent, entry)
            reach(order, step, entry)
        case .failure(let failure):
            entry.logger.warning("webhook failed: \(failure.reason)", metadata: ["agent": "\(step.name)"])
            note("The webhook of agent \(step.name) failed: \(failure.reason).", id)
            let end = CallEnd(.agentUnavailable, detail: "The agent's webhook could not be used.")
            entries[id]?.record.stepFailed(end)
            update(id) { $0.stepFailed(end, into: &$1) }
        }
    }

    private func webhook(_ url: String, _ step: AgentStep, _ agent: Agent, _ entry: CallEntry) -> AgentWebhook {
        func object(_ members: [String: String]) -> JSONValue { .object(members.mapValues(JSONValue.string)) }
        let call: JSONValue = [
            "id": .string("\(entry.id)"), "from": .string(entry.decision.from.e164), "to": .string(entry.decision.to.e164),
            "via": .string(entry.record.via), "direction": .string(entry.isOutbound ? "outbound" : "inbound"),
            "leg": .string(entry.isBrowser ? "browser" : "phone"),
            // What a page sends replaces nothing that the route says.
            "parameters": object(step.parameters.merging(entry.parameters) { own, _ in own }),
            "sip_headers": object(Dictionary(entry.record.headers.map { ($0.name, $0.value) }) { first, _ in first }),
        ]
        return AgentWebhook(url: url, secret: agent.webhookSecret, agent: agent.name, call: call)
    }
}
