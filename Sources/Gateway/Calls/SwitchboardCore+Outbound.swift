import Dialplan
import SIPStack

/// Calls that the gateway places, as the API orders: first the phone or user is called, by the same means as the far end of any trunk
/// or browser step.
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
        /// To the phone or user: trunk and browser steps.
        var ways: [Step]
        /// When that answered.
        var steps: [Step]
    }

    private func prepare(_ order: OutboundOrder) -> Result<Prepared, OutboundRefusal> {
        guard settings.configuration.agent(named: order.agent) != nil else {
            return .failure(OutboundRefusal(httpStatus: 400, detail: "There is no such agent; GET /api/v1/agents lists them."))
        }
        return route(order).flatMap { prepared in
            guard prepared.ways.contains(where: { Self.leads($0, to: prepared.decision) }) else {
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

    private static func leads(_ way: Step, to decision: RouteDecision) -> Bool {
        if case .trunk(let trunk) = way { trunk.dialled(for: decision.to) != nil } else { true }
    }

    private func route(_ order: OutboundOrder) -> Result<Prepared, OutboundRefusal> {
        let query = CallQuery(via: .api, from: order.from ?? "", to: Self.user(of: order.to), time: now())
        let agent = Step.agent(AgentStep(name: order.agent))
        if order.via == "browser" {
            guard BrowserStep.isName(order.to) else {
                return .failure(OutboundRefusal(httpStatus: 400, detail: "to is no user's name: at most \(BrowserStep.longestName) bytes."))
            }
            let user = way(.browser(BrowserStep(user: order.to)), order)
            return .success(Prepared(decision: settings.plan.unrouted(query, country: ""), ways: user.map { [$0] } ?? [], steps: [agent]))
        }
        if let name = order.via {
            guard let trunk = settings.configuration.trunk(named: name) else {
                return .failure(OutboundRefusal(httpStatus: 400, detail: "via names no trunk and is not browser; GET /api/v1/trunks lists the trunks."))
            }
            let decision = settings.plan.unrouted(query, country: trunk.country)
            let way = way(.trunk(TrunkStep(trunks: [name])), order)
            return .success(Prepared(decision: decision, ways: way.map { [$0] } ?? [], steps: [agent]))
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
        let ways = decision.steps.prefix { ["trunk", "browser"].contains($0.kind) }.compactMap { way($0, order) }
        guard !ways.isEmpty else {
            return refuse(CallEnd(.noRoute), 404, "The route begins with neither a trunk nor a browser step, so there is nobody to call.")
        }
        // The rest of the route goes for the call if it speaks of the same agent: with its settings, and what follows if it fails.
        let rest = decision.steps.drop { step in
            if case .agent(let agent) = step { agent.name != order.agent } else { true }
        }
        return .success(Prepared(decision: decision, ways: ways, steps: rest.isEmpty ? [agent] : Array(rest)))
    }

    /// A trunk or browser step with what the order says besides; nil for any other.
    private func way(_ step: Step, _ order: OutboundOrder) -> Step? {
        switch step {
        case .trunk(var trunk):
            if let from = order.from, order.twilio == nil || trunk.callerID == nil { trunk.callerID = from }
            if let seconds = order.ringSeconds { trunk.ringSeconds = min(trunk.ringSeconds ?? seconds, seconds) }
            return .trunk(trunk)
        case .browser(var user):
            if let seconds = order.ringSeconds { user.ringSeconds = min(user.ringSeconds ?? seconds, seconds) }
            return .browser(user)
        case .agent, .play, .reject: return nil
        }
    }

    // MARK: Commands of the call

    /// The phone or user answered.
    func calleeBecomesParty(_ id: CallID) {
        guard var entry = entries[id] else { return }
        (entry.party, entry.callee) = (entry.callee, nil)
        (entry.userParty, entry.invitation) = (entry.invitation, nil)
        keep(entry)
        // Nobody who accepts in a browser is a machine.
        let (sip, detectsMachine) = (entry.party?.sip, entry.detectsMachine && entry.party != nil)
        outlets.media(entry.loop) { loop, now in
            loop.perform(on: id, now: now) { $0.calleeBecomesParty(sip, detectsMachine: detectsMachine) }
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
        if let user = entry.userParty { withdraw(user, end) }
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
