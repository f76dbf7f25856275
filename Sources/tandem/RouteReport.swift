import Dialplan
import Foundation
import Gateway

/// A routing decision for people and for machines, with the exact numbers and hosts that would be dialled.
struct RouteReport: Encodable {
    struct Number: Encodable {
        let given: String
        let e164: String
    }

    struct Attempt: Encodable {
        let route: String
        /// The condition that was not met; absent for the route that matched.
        let field: String?
        let sentence: String
    }

    struct Dial: Encodable {
        let trunk: String
        let hosts: [String]
    }

    struct Step: Encodable {
        let kind: String
        var agent: String?
        var parameters: [String: String]?
        var to: String?
        var callerID: String?
        var dial: [Dial]?
        var user: String?
        var file: String?
        var code: Int?

        enum CodingKeys: String, CodingKey {
            case kind, agent, parameters, to, dial, user, file, code
            case callerID = "caller_id"
        }
    }

    let via: String
    let from: Number
    let to: Number
    let route: String?
    let refused: Bool
    /// The SIP code of a refusal.
    let code: Int?
    let tried: [Attempt]
    let steps: [Step]

    init(_ decision: RouteDecision, via: Source, _ configuration: Configuration) {
        self.via = via.description
        from = Number(given: decision.from.given, e164: decision.from.e164)
        to = Number(given: decision.to.given, e164: decision.to.e164)
        route = decision.route?.name
        refused = decision.isRefused
        code = decision.refusalCode
        tried = decision.tried.map { Attempt(route: $0.route, field: $0.mismatch?.field.description, sentence: $0.sentence) }
        steps = decision.steps.map { RouteReport.step($0, decision, configuration) }
    }

    private static func step(_ step: Dialplan.Step, _ decision: RouteDecision, _ configuration: Configuration) -> Step {
        var result = Step(kind: step.kind)
        switch step {
        case .agent(let agent):
            result.agent = agent.name
            result.parameters = agent.parameters.isEmpty ? nil : agent.parameters
        case .trunk(let trunk):
            result.to = trunk.dialled(for: decision.to)
            result.callerID = trunk.callerID ?? decision.from.e164
            result.dial = trunk.trunks.map { name in
                Dial(trunk: name, hosts: configuration.trunk(named: name)?.hosts.map(\.uri) ?? [])
            }
        case .browser(let user): result.user = user
        case .play(let file): result.file = file
        case .reject(let code): result.code = code
        }
        return result
    }

    private enum CodingKeys: String, CodingKey {
        case via, from, to, route, refused, code, tried, steps
    }

    /// Machines find every key, `null` where there is no route or no code.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(via, forKey: .via)
        try container.encode(from, forKey: .from)
        try container.encode(to, forKey: .to)
        try container.encode(route, forKey: .route)
        try container.encode(refused, forKey: .refused)
        try container.encode(code, forKey: .code)
        try container.encode(tried, forKey: .tried)
        try container.encode(steps, forKey: .steps)
    }

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    var text: String {
        var lines = ["via   \(via)", "from  \(RouteReport.both(from))", "to    \(RouteReport.both(to))"]
        for (index, attempt) in tried.enumerated() { lines.append("\(index + 1). \(attempt.sentence)") }
        if route == nil { lines.append("no route takes the call: refused with \(code ?? 404)") }
        lines += steps.map { "-> \(RouteReport.sentence($0))" }
        return lines.joined(separator: "\n")
    }

    private static func both(_ number: Number) -> String {
        number.given == number.e164 ? number.given : "\(number.e164) (given as \(number.given))"
    }

    private static func sentence(_ step: Step) -> String {
        switch step.kind {
        case "agent":
            let parameters = (step.parameters ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
            return "agent \(step.agent ?? "")\(parameters)"
        case "trunk":
            let hosts = (step.dial ?? []).map { "\($0.trunk) (\($0.hosts.isEmpty ? "no host" : $0.hosts.joined(separator: ", ")))" }
            let number = step.to ?? "nothing: the called party is no number this step can dial"
            return "trunk \(hosts.joined(separator: ", then ")): dials \(number) as \(step.callerID ?? "")"
        case "browser": return "browser \(step.user ?? "")"
        case "play": return "play \(step.file ?? "")"
        default: return "reject \(step.code ?? 0)"
        }
    }
}
