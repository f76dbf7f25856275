import Dialplan
import Foundation

/// How a record follows its call.
extension CallRecord {
    init(_ id: CallID, caller: CallEntry.Caller, decision: RouteDecision, startedAt: Date) {
        let via =
            switch caller {
            case .trunk(_, let trunk): trunk
            case .browser: "browser"
            case .api: "api"
            }
        self.init(id, via: via, decision: decision, startedAt: startedAt)
    }

    init(_ id: CallID, via: String, decision: RouteDecision, startedAt: Date) {
        self.init(
            id: id, via: via, from: Party(given: decision.from.given, e164: decision.from.e164),
            to: Party(given: decision.to.given, e164: decision.to.e164), startedAt: startedAt)
        route = decision.route?.name
        explanation = CallExplanation(decision)
    }

    /// A step is being tried.
    mutating func begin(step kind: String, target: String?, dialled: String? = nil) {
        guard steps.count < Self.listLimit else { return }
        steps.append(Step(kind: kind, target: target, dialled: dialled, outcome: Self.trying))
    }

    /// The step being tried takes the call.
    /// - Parameter index: of several steps at once, which.
    mutating func stepTook(at index: Int? = nil) { decide(Self.took, nil, at: index) }

    /// The step being tried cannot take the call.
    mutating func stepFailed(_ failure: CallEnd, at index: Int? = nil) { decide(failure.reason.rawValue, failure, at: index) }

    private mutating func decide(_ outcome: String, _ failure: CallEnd?, at index: Int?) {
        guard let last = index ?? steps.indices.last, steps.indices.contains(last), steps[last].outcome == Self.trying else { return }
        steps[last].outcome = outcome
        steps[last].sipCode = failure?.sipStatus
        steps[last].detail = failure?.detail
    }

    mutating func add(event what: String, at time: Date) {
        if events.count < Self.listLimit { events.append(Event(at: time, what: what)) }
    }

    /// The call is over.
    mutating func finish(_ end: CallEnd, at time: Date, media: MediaFigures?) {
        endedAt = time
        cause = end.reason
        sipCode = end.sipStatus
        detail = end.detail
        for index in steps.indices { stepFailed(end, at: index) }
        guard let media else { return }
        legs = firstLeg(media.caller).map { [$0] } ?? []
        if let callee = media.callee {
            let kind = Leg.Kind(callee)
            let steps = steps.filter { $0.kind == kind.rawValue }
            legs.append(Leg(kind, name: (steps.last { $0.outcome == Self.took } ?? steps.last)?.target, callee))
        }
        if let agent = steps.last(where: { $0.kind == "agent" && $0.outcome == Self.took }) {
            var leg = Leg(kind: .agent, name: agent.target)
            leg.turns = Turns(media)
            legs.append(leg)
        }
    }

    /// The first party's. That of a call that the gateway placed is one only once it answered.
    private func firstLeg(_ figures: LegFigures) -> Leg? {
        guard via == "api" else { return Leg(via == "browser" ? .browser : .trunk, name: trunkIn, figures) }
        guard answeredAt != nil else { return nil }
        let kind = Leg.Kind(figures)
        return Leg(kind, name: steps.first { $0.kind == kind.rawValue && $0.outcome == Self.took }?.target, figures)
    }

    /// The agent that talks, nil if none does.
    var presentAgent: String? {
        steps.last { $0.outcome == Self.took }.flatMap { $0.kind == "agent" ? $0.target : nil }
    }

    private static let trying = "trying"
    private static let took = "answered"
}

extension CallRecord.Turns {
    init?(_ media: MediaFigures) {
        let turns = media.turns
        guard turns.turns > 0 || turns.interruptions > 0 || media.playoutGaps > 0 else { return nil }
        answers = turns.turns
        if answers > 0 {
            agentMilliseconds = turns.agentMilliseconds / answers
            gatewayMilliseconds = turns.downMilliseconds / answers
        }
        longestMilliseconds = turns.longestMilliseconds
        interruptions = turns.interruptions
        playedMilliseconds = turns.playedMilliseconds
        droppedMilliseconds = turns.droppedMilliseconds
        gaps = media.playoutGaps
    }
}

extension CallRecord.Leg.Kind {
    init(_ figures: LegFigures) { self = figures.isBrowser ? .browser : .trunk }
}

extension CallRecord.Leg {
    /// What was counted of a leg's media.
    init(_ kind: Kind, name: String?, _ figures: LegFigures) {
        self.init(kind: kind, name: name, codec: figures.codec, address: figures.address)
        packetsReceived = figures.rtp.packetsReceived
        packetsSent = figures.rtp.packetsSent
        lost = figures.rtp.lost
        jitterMilliseconds = figures.rtp.jitterMilliseconds
        roundTripMilliseconds = figures.rtp.roundTripMilliseconds
        concealedMilliseconds = figures.inbound.concealedMilliseconds
        recovered = figures.inbound.recovered + figures.inbound.restored
        echoReturnLoss = figures.echo?.returnLoss
        echoEnhancement = figures.echo?.enhancement
        speechLevel = figures.gain.map { Double($0.speechLevel) }
        gain = figures.gain.map { Double($0.gain) }
    }
}
