import Dialplan

extension Configuration {
    /// Reads the configuration and the dial plan it names, and runs the plan's own tests.
    /// - Parameters:
    ///   - path: of `tandem.yaml`; relative paths in it start at its folder.
    ///   - environment: what `${NAME}` takes its values from.
    /// - Returns: the configuration, nil if any problem of its file is an error; the plan, nil if any problem of
    ///   either file is one; and every problem of both files, those of the configuration first, each in its file's order.
    public static func load(
        path: String, environment: [String: String]
    ) -> (configuration: Configuration?, plan: Plan?, problems: [Dialplan.Problem]) {
        let (configuration, plan, problems) = loadWithText(path: path, environment: environment)
        return (configuration, plan?.plan, problems)
    }

    /// As `load`, with the text the plan was read from.
    public static func loadWithText(
        path: String, environment: [String: String]
    ) -> (configuration: Configuration?, plan: LoadedPlan?, problems: [Dialplan.Problem]) {
        let problems = ProblemList(file: path)
        let bytes: [UInt8]
        do {
            bytes = try ConfigurationFile.read(path, limit: YAMLReader.maximumBytes)
        } catch {
            problems.error("cannot be read: \(error.reason)", line: 1, column: 1)
            return (nil, nil, problems.sorted)
        }
        guard let root = YAMLReader.read(bytes, problems: problems) else { return (nil, nil, problems.sorted) }
        let loader = ConfigurationLoader(file: path, problems: problems)
        let (configuration, planNode) = loader.load(Substitution(environment: environment, problems: problems).apply(to: root))
        let (plan, planProblems) = loader.loadPlan(configuration, planNode)
        return (
            problems.hasErrors ? nil : configuration, problems.hasErrors ? nil : plan,
            problems.sorted + planProblems
        )
    }

    /// What the dial plan must know of this configuration.
    public var planContext: PlanContext {
        PlanContext(
            trunks: Dictionary(trunks.map { ($0.name, $0.country) }, uniquingKeysWith: { first, _ in first }),
            agents: Set(agents.map(\.name)), hosts: planHosts, ownAddresses: ownSIPAddresses,
            browserIsAuthenticated: browser.jwtSecret != nil, files: planFiles)
    }
}

/// A plan that may be in force, and the file's bytes it was read from.
public struct LoadedPlan: Sendable {
    public let plan: Plan
    public let text: [UInt8]

    public init(plan: Plan, text: [UInt8]) {
        self.plan = plan
        self.text = text
    }
}

/// Types the sections of `tandem.yaml` one after the other. What cannot be read keeps its default, so that
/// everything after it is still checked.
struct ConfigurationLoader {
    let file: String
    let problems: ProblemList

    /// The configuration, and where it names its dial plan.
    func load(_ root: YAMLNode) -> (Configuration, planNode: YAMLNode?) {
        var configuration = Configuration()
        configuration.file = file
        let reader = MappingReader(root, "the configuration", problems)
        let http = reader.take("http"), browser = reader.take("browser")
        configuration.http = readHTTP(http)
        configuration.browser = readBrowser(browser)
        let sip = reader.take("sip")
        configuration.sip = readSIP(sip)
        configuration.media = readMedia(reader.take("media"))
        configuration.trunks = readTrunks(reader)
        configuration.agents = readAgents(reader)
        let planNode = reader.take("dialplan")
        let plan = planNode.flatMap { reader.text(of: $0, "dialplan") } ?? configuration.dialplan
        configuration.dialplan = ConfigurationFile.resolve(plan, besides: file)
        configuration.limits = readLimits(reader.take("limits"))
        configuration.calls = readCalls(reader.take("calls"))
        configuration.recordings = readRecordings(reader.take("recordings"))
        configuration.log = readLog(reader.take("log"))
        reader.finish()
        checkTogether(configuration, http, browser, sip)
        return (configuration, planNode)
    }

    func loadPlan(_ configuration: Configuration, _ planNode: YAMLNode?) -> (LoadedPlan?, [Dialplan.Problem]) {
        do {
            let bytes = try ConfigurationFile.read(configuration.dialplan, limit: YAMLReader.maximumBytes)
            let (plan, problems) = Plan.load(bytes: bytes, file: configuration.dialplan, context: configuration.planContext)
            return (plan.map { LoadedPlan(plan: $0, text: bytes) }, problems)
        } catch {
            let message = "the dial plan \(YAMLNode.quote(configuration.dialplan, limit: 1000)) cannot be read: \(error.reason)"
            problems.error(message, line: planNode?.line ?? 1, column: planNode?.column ?? 1)
            return (nil, [])
        }
    }

    /// What no section sees alone.
    private func checkTogether(_ configuration: Configuration, _ http: YAMLNode?, _ browser: YAMLNode?, _ sip: YAMLNode?) {
        if let http, !configuration.http.listen.isLoopback, configuration.browser.jwtSecret == nil {
            problems.warning(
                "http listens on \(configuration.http.listen) without browser.auth: whoever reaches it can call",
                at: http.entry("listen") ?? http)
        }
        let ports = configuration.sip.rtpPorts
        let lastLoop = configuration.media.loops ?? 1
        let first = configuration.browser.listen.port
        if first != 0 {
            let last = first + lastLoop - 1
            if last > 65535 {
                let node = browser?.entry("listen") ?? YAMLNode(.mapping([]), line: 1, column: 1)
                problems.error("media loop \(lastLoop - 1) has no port: listen plus loops goes beyond 65535", at: node)
            } else if first <= ports.upperBound, last >= ports.lowerBound, let node = sip?.entry("rtp_ports") ?? browser?.entry("listen") {
                problems.error("the browser port \(first) lies within rtp_ports \(ports.lowerBound)-\(ports.upperBound)", at: node)
            }
        }
        for listener in configuration.sip.listen where listener.transport == .udp && ports.contains(listener.address.port) {
            if let node = sip?.entry("rtp_ports") ?? sip?.entry("listen") {
                problems.error("the SIP port \(listener.address.port) lies within rtp_ports \(ports.lowerBound)-\(ports.upperBound)", at: node)
            }
        }
    }
}

extension YAMLNode {
    /// The value of a key of a mapping.
    func entry(_ key: String) -> YAMLNode? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value
    }
}
