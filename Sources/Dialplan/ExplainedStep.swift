/// One step of a route for one call: what would be done, down to the Request-URI of each INVITE.
public struct ExplainedStep: Sendable, Equatable, Codable {
    /// One trunk of a trunk step, with an INVITE for each of its hosts, in the order they are tried.
    public struct Dial: Sendable, Equatable, Codable {
        public let trunk: String
        /// Request-URIs such as `sip:+14155550100@198.51.100.7:5060;transport=udp`.
        public let targets: [String]
    }

    /// `agent`, `trunk`, `browser`, `play` or `reject`.
    public let kind: String
    public private(set) var agent: String?
    public private(set) var parameters: [String: String]?
    /// The number a trunk step dials.
    public private(set) var number: String?
    /// Why it can dial none, in one sentence; the step is passed over.
    public private(set) var problem: String?
    public private(set) var callerID: String?
    public private(set) var headers: [String: String]?
    public private(set) var ringSeconds: Int?
    public private(set) var dial: [Dial]?
    public private(set) var user: String?
    public private(set) var file: String?
    public private(set) var code: Int?

    enum CodingKeys: String, CodingKey {
        case kind, agent, parameters, number, problem, headers, dial, user, file, code
        case callerID = "caller_id"
        case ringSeconds = "ring_seconds"
    }

    init(_ step: Step, _ decision: RouteDecision) {
        kind = step.kind
        switch step {
        case .agent(let step):
            agent = step.name
            parameters = step.parameters
        case .trunk(let step): explain(step, decision)
        case .browser(let step):
            user = step.user
            ringSeconds = step.ringSeconds
        case .play(let file): self.file = file
        case .reject(let code): self.code = code
        }
    }

    private mutating func explain(_ step: TrunkStep, _ decision: RouteDecision) {
        callerID = step.callerID ?? decision.from.e164
        headers = step.headers
        ringSeconds = step.ringSeconds
        do {
            let number = try step.number(for: decision.to)
            self.number = number
            dial = step.trunks.map { name in
                Dial(trunk: name, targets: (decision.plan.hosts[name] ?? []).map { $0.uri(for: number) })
            }
        } catch {
            problem = error.sentence
            dial = step.trunks.map { Dial(trunk: $0, targets: []) }
        }
    }

    /// For people, in one line: `trunk acme: +14155550100 as +14155550199, sip:+1415…`.
    public var sentence: String {
        switch kind {
        case "agent":
            let parameters = (parameters ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\(OneLine.text($0.value))" }.joined()
            return "agent \(agent ?? "")\(parameters)"
        case "trunk":
            let names = (dial ?? []).map(\.trunk).joined(separator: ", then ")
            guard let number else { return "trunk \(names): passed over, for \(problem ?? "it cannot be dialled")" }
            return "trunk \(names): dials \(number)"
        case "browser": return "browser \(OneLine.text(user ?? ""))"
        case "play": return "play \(file ?? "")"
        default: return "reject \(code ?? 0)"
        }
    }
}
