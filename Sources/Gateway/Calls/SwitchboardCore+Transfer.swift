import Dialplan
import SIPStack

/// Calls that are given to somebody else, by their agent or by an administrator. Where a transfer may lead is the dial plan's to
/// say: a number goes where the plan sends calls `via: api`.
extension SwitchboardCore {
    /// An agent's wish: refusals are told to it.
    func agentTransfers(_ transfer: AgentTransfer, _ id: CallID) {
        guard var entry = entries[id], case .failure(let refusal) = carryOut(transfer, id) else { return }
        entry.logger.warning("transfer refused: \(refusal.detail)")
        let failure = CallEnd(.noRoute, sipStatus: refusal.httpStatus == 404 ? 404 : 491, detail: refusal.detail)
        // Of this one, not of a transfer that is under way.
        entry.transferReference = transfer.reference
        tellAgent(.failed, failure, entry)
    }

    private func carryOut(_ transfer: AgentTransfer, _ id: CallID) -> Result<Void, TransferRefusal> {
        switch (transfer.act, transfer.mode) {
        case (.begin, .refer): return refer(transfer, id)
        case (.begin, _): return self.transfer(transfer, id)
        case (let act, _):
            var isDone = false
            // Whatever an agent's webhook still answers is late.
            if act == .cancel { entries[id]?.fetches += 1 }
            update(id) { isDone = act == .complete ? $0.completeTransfer(into: &$1) : $0.cancelTransfer(into: &$1) }
            return isDone ? .success(()) : .failure(TransferRefusal(httpStatus: 409, detail: "There is no transfer of which that could be done."))
        }
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
        let consults = isWithAgent && transfer.mode == .attended
        update(id) { $0.transfer(to: steps, keepsAgent: isWithAgent, consults: consults, into: &$1) }
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

    func limited(_ steps: [Step], _ ringSeconds: Int?) -> [Step] {
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
        outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.transferring(true, now: now) } }
    }

    func consult(_ entry: CallEntry) {
        let id = entry.id
        note("The agent talks with the called party.", id)
        outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.consult(now: now) } }
    }

    /// The far end's media is gone: the call ends, unless its agent only consulted it.
    func calleeLost(_ end: CallEnd, _ id: CallID) {
        update(id) { if $0.isConsulting { $0.calleeEnded(end, into: &$1) } else { $0.end(end, into: &$1) } }
    }

    func transferProgressed(_ state: AgentTransferProgress.State, _ failure: CallEnd?, _ entry: CallEntry) {
        if let failure {
            note("The transfer failed: \(failure.detail)", entry.id)
            // Of one that the agent took back while it was tried.
            entries[entry.id]?.record.stepFailed(failure)
        }
        if state == .failed {
            let id = entry.id
            outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.transferring(false, now: now) } }
        }
        tellAgent(state, failure, entry)
    }

    private func tellAgent(_ state: AgentTransferProgress.State, _ failure: CallEnd?, _ entry: CallEntry) {
        let status = failure?.sipStatus ?? (state == .completed || state == .answered ? 200 : state == .ringing ? 180 : nil)
        let progress = AgentTransferProgress(
            reference: entry.transferReference, state: state, sipStatus: status, detail: failure?.detail ?? "")
        let id = entry.id
        outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.agent?.transferProgressed(progress) } }
    }

    func dropFarEnd(_ entry: CallEntry) {
        letGo(entry, CallEnd(.transferred))
        for callee in entry.phones { limits.leave(callee.trunk.name, call: entry.id) }
        let id = entry.id
        streamOver(id)
        outlets.media(entry.loop) { loop, now in loop.perform(on: id, now: now) { $0.dropCallee(now: now) } }
    }
}
