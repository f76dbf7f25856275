import Dialplan
import SIPStack

/// Calls that are given to somebody else, by their agent or by an administrator. Where a transfer may lead is the dial plan's to
/// say: a number goes where the plan sends calls `via: api`.
extension SwitchboardCore {
    /// An agent's wish: refusals are told to it.
    func agentTransfers(_ transfer: AgentTransfer, _ id: CallID) {
        guard var entry = entries[id], case .failure(let refusal) = self.transfer(transfer, id) else { return }
        entry.logger.warning("transfer refused: \(refusal.detail)")
        let failure = CallEnd(.noRoute, sipStatus: refusal.httpStatus == 404 ? 404 : 491, detail: refusal.detail)
        // Of this one, not of a transfer that is under way.
        entry.transferReference = transfer.reference
        tellAgent(.failed, failure, entry)
    }

    /// Starts a transfer, or says why not.
    func transfer(_ transfer: AgentTransfer, _ id: CallID) -> Result<Void, TransferRefusal> {
        guard var entry = entries[id] else { return .failure(TransferRefusal(httpStatus: 404, detail: "There is no such call.")) }
        guard entry.call.isTransferable else {
            return .failure(TransferRefusal(httpStatus: 409, detail: "The call is not connected, or is being transferred already."))
        }
        guard let (steps, decision) = destination(transfer, entry) else {
            return .failure(TransferRefusal(httpStatus: 404, detail: "Neither an agent nor a route of the dial plan leads there."))
        }
        let isWithAgent = entry.callee == nil && entry.invitation == nil
        if let decision { entry.decision = decision }
        entry.transferReference = transfer.reference
        keep(entry)
        note("Transfer.", id)
        entry.logger.info("transfer", metadata: ["to": "\(Redacted(number: transfer.target))"])
        update(id) { $0.transfer(to: steps, keepsAgent: isWithAgent, into: &$1) }
        return .success(())
    }

    /// An agent's name, what the dial plan makes of a number, or a route's name.
    func destination(_ transfer: AgentTransfer, _ entry: CallEntry) -> (steps: [Step], decision: RouteDecision?)? {
        let target = Self.user(of: transfer.target)
        if settings.configuration.agent(named: target) != nil { return ([.agent(AgentStep(name: target))], nil) }
        let decision = settings.plan.route(CallQuery(via: .api, from: entry.decision.from.given, to: target, time: now()))
        if decision.route != nil { return (limited(decision.steps, transfer.ringSeconds), decision) }
        guard let route = settings.plan.routes.first(where: { $0.name == target }) else { return nil }
        return (limited(route.steps, transfer.ringSeconds), nil)
    }

    private func limited(_ steps: [Step], _ ringSeconds: Int?) -> [Step] {
        guard let ringSeconds else { return steps }
        return steps.map { step in
            switch step {
            case .trunk(var trunk):
                trunk.ringSeconds = min(trunk.ringSeconds ?? ringSeconds, ringSeconds)
                return .trunk(trunk)
            case .browser(var user):
                user.ringSeconds = min(user.ringSeconds ?? ringSeconds, ringSeconds)
                return .browser(user)
            case .agent, .play, .reject: return step
            }
        }
    }

    /// The user part of a `sip:` or `tel:` URI (RFC 3261 19.1, RFC 3966); anything else as it stands. The host is the plan's to choose.
    static func user(of target: String) -> String {
        guard let colon = target.firstIndex(of: ":") else { return target }
        switch target[..<colon].lowercased() {
        case "sip", "sips", "tel":
            let rest = target[target.index(after: colon)...].prefix { $0 != "@" && $0 != ";" }
            return rest.removingPercentEncoding ?? String(rest)
        default: return target
        }
    }

    // MARK: Commands of a call

    func transferring(_ entry: CallEntry) {
        let id = entry.id
        outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.transferring(true) } }
    }

    func transferProgressed(_ state: AgentTransferProgress.State, _ failure: CallEnd?, _ entry: CallEntry) {
        if let failure { note("The transfer failed: \(failure.detail)", entry.id) }
        if state == .failed {
            let id = entry.id
            outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.transferring(false) } }
        }
        tellAgent(state, failure, entry)
    }

    private func tellAgent(_ state: AgentTransferProgress.State, _ failure: CallEnd?, _ entry: CallEntry) {
        let status = failure?.sipStatus ?? (state == .completed ? 200 : state == .ringing ? 180 : nil)
        let progress = AgentTransferProgress(
            reference: entry.transferReference, state: state, sipStatus: status, detail: failure?.detail ?? "")
        let id = entry.id
        outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.agent?.transferProgressed(progress) } }
    }

    func dropFarEnd(_ entry: CallEntry) {
        letGo(entry, CallEnd(.transferred))
        if let callee = entry.callee { limits.leave(callee.trunk.name, call: entry.id) }
        let id = entry.id
        outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.dropCallee(now: now) } }
    }

    // MARK: Texts

    /// Passes an agent's text to the browser's page.
    func agentSays(_ message: CallMessage, _ id: CallID) {
        guard let entry = entries[id] else { return }
        if case .browser(let observer) = entry.caller { observer(.message(message)) } else { entry.userParty?.observer?(.message(message)) }
    }
}
