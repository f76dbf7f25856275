import Dialplan
import SIPStack

/// Calls that the gateway places, as the API orders: first the phone is called, by the same means as the far end of any trunk step.
/// When it answers it takes the place of a caller, and from there on the call is one as any other: its agent is dialled, may
/// give it away, may be lost.
///
/// The agent is dialled at the answer and not before: most agents speak as soon as they are connected, and are paid by the minute.
extension SwitchboardCore {
    /// More calls in a second are refused; trunks have limits of their own besides (`max_calls_per_second`).
    static let placementsPerSecond = 20

    func place(_ order: OutboundOrder, _ reply: @escaping SwitchboardEvent.PlacedReply) {
        switch prepare(order) {
        case .failure(let refusal):
            logger.info("call of the API refused: \(refusal.detail)")
            reply(.failure(refusal))
        case .success(let prepared): begin(order, prepared, reply)
        }
    }

    private func begin(_ order: OutboundOrder, _ prepared: Prepared, _ reply: @escaping SwitchboardEvent.PlacedReply) {
        var entry = enter(makeID(), .api, decision: prepared.decision, parameters: order.parameters)
        entry.call = Call(steps: prepared.steps, ways: prepared.ways)
        entry.placed = reply
        entry.statusURL = order.statusURL
        entry.detectsMachine = order.detectsMachine
        if let twilio = order.twilio { subscribe(&entry, twilio, agent: order.agent) }
        entry.hasMedia = true
        if order.via != nil { entry.record.explanation = nil }
        keep(entry)
        entry.logger.info(
            "call",
            metadata: [
                "via": "api", "from": "\(Redacted(number: entry.decision.from.e164))", "to": "\(Redacted(number: entry.decision.to.e164))",
                "route": "\(entry.decision.route?.name ?? "none")", "agent": "\(order.agent)",
            ])
        let (id, callLogger) = (entry.id, entry.logger)
        outlets.media(entry.loop) { loop, now in _ = loop.makeCall(id, now: now, logger: callLogger) }
        report(.initiated, "initiated", id)
        update(id) { $0.begin(into: &$1) }
        guard let entry = entries[id], let placed = entry.placed else { return }
        entries[id]?.placed = nil
        placed(.success(RunningCall(state: entry.call.stateName, record: entry.record)))
    }

    // MARK: Where it goes

    /// What a call is made of.
    private struct Prepared {
        var decision: RouteDecision
        /// To the phone.
        var ways: [TrunkStep]
        /// When the phone answered.
        var steps: [Step]
    }

    private func prepare(_ order: OutboundOrder) -> Result<Prepared, OutboundRefusal> {
        guard settings.configuration.agent(named: order.agent) != nil else {
            return .failure(OutboundRefusal(httpStatus: 400, detail: "There is no such agent; GET /api/v1/agents lists them."))
        }
        return route(order).flatMap { prepared in
            guard prepared.ways.contains(where: { $0.dialled(for: prepared.decision.to) != nil }) else {
                return .failure(OutboundRefusal(httpStatus: 400, detail: "to is no number that the trunk could dial."))
            }
            if let end = admit() {
                recordRefusal(makeID(), via: "api", decision: prepared.decision, end)
                return .failure(OutboundRefusal(httpStatus: 503, detail: end.detail, end: end, retryAfter: Self.retryAfterSeconds))
            }
            guard placements.admit(limit: Self.placementsPerSecond, now: uptime()) else {
                let detail = "The API places \(Self.placementsPerSecond) calls a second at most; send them more slowly."
                return .failure(OutboundRefusal(httpStatus: 429, detail: detail, retryAfter: 1))
            }
            return .success(prepared)
        }
    }

    private func route(_ order: OutboundOrder) -> Result<Prepared, OutboundRefusal> {
        let query = CallQuery(via: .api, from: order.from ?? "", to: Self.user(of: order.to), time: now())
        let agent = Step.agent(AgentStep(name: order.agent))
        if let name = order.via {
            guard let trunk = settings.configuration.trunk(named: name) else {
                return .failure(OutboundRefusal(httpStatus: 400, detail: "via names no trunk; GET /api/v1/trunks lists them."))
            }
            let decision = settings.plan.unrouted(query, country: trunk.country)
            return .success(Prepared(decision: decision, ways: [way(TrunkStep(trunks: [name]), order)], steps: [agent]))
        }
        let decision = settings.plan.route(query)
        func refuse(_ end: CallEnd, _ status: Int, _ detail: String) -> Result<Prepared, OutboundRefusal> {
            recordRefusal(makeID(), via: "api", decision: decision, end)
            return .failure(OutboundRefusal(httpStatus: status, detail: detail, end: end))
        }
        guard decision.route != nil else {
            return refuse(CallEnd(.noRoute), 404, "No route of the dial plan takes this number via: api. Add one, or name a trunk in via.")
        }
        if case .reject(let code)? = decision.steps.first {
            return refuse(CallEnd(.rejected, sipStatus: code), 403, "The dial plan rejects calls to this number.")
        }
        let ways = decision.steps.prefix { $0.kind == "trunk" }.compactMap { step -> TrunkStep? in
            if case .trunk(let trunk) = step { way(trunk, order) } else { nil }
        }
        guard !ways.isEmpty else {
            return refuse(CallEnd(.noRoute), 404, "The route of this number does not begin with a trunk, so there is no phone to call.")
        }
        // The rest of the route goes for the call if it speaks of the same agent: with its settings, and what follows if it fails.
        let rest = decision.steps.drop { step in
            if case .agent(let agent) = step { agent.name != order.agent } else { true }
        }
        return .success(Prepared(decision: decision, ways: ways, steps: rest.isEmpty ? [agent] : Array(rest)))
    }

    /// A step with what the order says besides.
    private func way(_ step: TrunkStep, _ order: OutboundOrder) -> TrunkStep {
        var step = step
        if let from = order.from, order.twilio == nil || step.callerID == nil { step.callerID = from }
        if let seconds = order.ringSeconds { step.ringSeconds = min(step.ringSeconds ?? seconds, seconds) }
        return step
    }

    // MARK: Commands of the call

    /// The phone answered.
    func calleeBecomesParty(_ id: CallID) {
        guard var entry = entries[id], let callee = entry.callee else { return }
        entry.party = callee
        entry.callee = nil
        keep(entry)
        let detectsMachine = entry.detectsMachine
        outlets.media(entry.loop) { loop, now in
            loop.perform(on: id, now: now) { $0.calleeBecomesParty(callee.sip, detectsMachine: detectsMachine) }
        }
        notify(entry, state: "connected", entry.record)
        report(.answered, "in-progress", id)
    }

    /// It was found out who answered.
    func answererFound(_ finding: AnswerClassifier.Finding, _ id: CallID) {
        note(finding.sentence, id)
        let answerer = finding.answerer(after: entries[id]?.record.answeredBy)
        entries[id]?.record.answeredBy = answerer
        reportAnswerer(finding, id)
        guard let entry = entries[id], !entry.call.isEnding else { return }
        entry.logger.info("answered by", metadata: ["finding": "\(finding.rawValue)"])
        notify(entry, state: entry.call.stateName, entry.record, finding)
    }

    /// Whoever ordered the call is told what it does.
    func notify(_ entry: CallEntry, state: String, _ record: CallRecord, _ finding: AnswerClassifier.Finding? = nil) {
        guard let url = entry.statusURL, case .object(var members) = CallResource.json(record, state: state, isWhole: false) else { return }
        if let finding { members["answered_by"] = .string(finding.rawValue) }
        outlets.notify(CallNotice(call: entry.id, url: url, body: .object(members)))
    }

    /// The call ends: of one that did not even begin, whoever ordered it hears why.
    func finishPlaced(_ entry: CallEntry, _ end: CallEnd, tellParty: Bool) {
        if let placed = entry.placed {
            entries[entry.id]?.placed = nil
            let isBusy = end.reason == .overload
            placed(.failure(OutboundRefusal(httpStatus: isBusy ? 429 : 503, detail: end.detail, end: end, retryAfter: isBusy ? 1 : nil)))
        }
        if tellParty, let party = entry.party { hangUp(party.sip, entry, end) }
    }
}

extension AnswerClassifier.Finding {
    /// For the turn of events.
    var sentence: String {
        switch self {
        case .human: "A person seems to have answered."
        case .machine: "A machine seems to have answered."
        case .fax: "A fax machine answered."
        case .silence: "Nobody said anything after the answer."
        case .beep: "The machine's tone ended."
        }
    }

    /// Who answered, for the call's record; a tone that ended is a machine's.
    func answerer(after earlier: String?) -> String { self == .beep ? earlier ?? Self.machine.rawValue : rawValue }

    /// What the agent is told.
    var json: String { "{\"answered_by\":\"\(rawValue)\"}" }
}
