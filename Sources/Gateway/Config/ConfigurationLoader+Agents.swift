import Dialplan

extension ConfigurationLoader {
    func readAgents(_ configuration: MappingReader) -> [Agent] {
        (configuration.entries("agents") ?? []).map { entry in
            checkName(entry, "agent")
            return readAgent(entry)
        }
    }

    private func readAgent(_ entry: YAMLNode.Entry) -> Agent {
        let reader = MappingReader(entry.value, "agent \(entry.key)", problems)
        let builtin = reader.word("builtin", Agent.Builtin.self)
        let urls = readURLs(reader)
        let dialect = reader.word("protocol", Agent.AgentProtocol.self) ?? .twilio
        var agent = Agent(name: entry.key, link: builtin.map(Agent.Link.builtin) ?? .socket(urls: urls, dialect))
        agent.token = reader.secret("token", besides: file)
        agent.webhook = reader.take("webhook").flatMap { reader.url(of: $0, "webhook", schemes: ["http", "https"]) }
        agent.statusCallback = reader.take("status_callback").flatMap { reader.url(of: $0, "status_callback", schemes: ["http", "https"]) }
        agent.webhookSecret = reader.secret("webhook_secret", besides: file)
        agent.secret = reader.secret("secret", besides: file)
        agent.tls = reader.tls(besides: file)?.value
        agent.spread = reader.word("spread", Agent.Spread.self) ?? .standby
        agent.firstAudioSeconds = reader.integer("first_audio_seconds", in: 0...Self.longestSilence) ?? 0
        agent.answerSeconds = reader.integer("answer_seconds", in: 0...Self.longestSilence) ?? 0
        agent.account = reader.text("account")
        agent.instructions = reader.text("instructions")
        agent.voice = reader.text("voice")
        agent.model = reader.text("model")
        agent.tools = readTools(reader)
        reader.finish()
        check(agent, reader.node, entry)
        return agent
    }

    /// An agent that may be silent for longer may be silent for ever.
    private static let longestSilence = 600

    private func readURLs(_ reader: MappingReader) -> [String] {
        let single = reader.take("url"), several = reader.list("urls")
        if let single, reader.node.entry("urls") != nil {
            problems.error("an agent has either url or urls", at: single)
        }
        if let several, several.isEmpty, let node = reader.node.entry("urls") {
            problems.error("urls needs at least one", at: node)
        }
        return ([single].compactMap { $0 } + (several ?? [])).compactMap { reader.url(of: $0, "url", schemes: ["ws", "wss"]) }
    }

    private func readTools(_ reader: MappingReader) -> [Agent.Tool] {
        (reader.list("tools") ?? []).compactMap { node in
            guard let text = reader.text(of: node, "tools") else { return nil }
            guard let tool = Agent.Tool(rawValue: text) else {
                problems.error("a tool must be \(MappingReader.either(Agent.Tool.allCases.map(\.rawValue))), not \(node.quoted)", at: node)
                return nil
            }
            return tool
        }
    }

    /// What the keys of an agent must be to each other.
    private func check(_ agent: Agent, _ node: YAMLNode, _ entry: YAMLNode.Entry) {
        func refuse(_ keys: [String], _ reason: String) {
            for key in keys {
                if let value = node.entry(key) { problems.error("\(key) \(reason)", at: value) }
            }
        }
        let openAI = ["instructions", "voice", "model", "tools", "webhook_secret"]
        let sockets = ["url", "urls", "protocol", "token", "secret", "tls", "webhook", "status_callback", "account", "spread", "first_audio_seconds", "answer_seconds"]
        if node.entry("builtin") != nil {
            refuse(sockets + openAI, "does not go with a built-in agent")
            return
        }
        guard case .socket(let urls, let dialect) = agent.link else { return }
        // A document names the address of its stream.
        if node.entry("url") == nil, node.entry("urls") == nil, dialect != .twilio || node.entry("webhook") == nil {
            problems.error("agent \(entry.key) needs builtin, url or urls", line: entry.line, column: entry.column)
        }
        if dialect != .openai { refuse(openAI, "goes with protocol: openai only") }
        if dialect != .tandem { refuse(["secret"], "goes with protocol: tandem only") }
        if dialect != .twilio { refuse(["status_callback", "account"], "goes with protocol: twilio only") }
        if dialect != .twilio, dialect != .openai { refuse(["webhook"], "goes with protocol: twilio or openai only") }
        let secret = dialect == .openai ? "webhook_secret" : "token"
        if let value = node.entry("webhook"), node.entry(secret) == nil {
            problems.warning("the webhook is asked without a signature: set \(secret)", at: value)
        }
        if dialect == .openai, let value = node.entry("webhook_secret"), node.entry("webhook") == nil { problems.error("webhook_secret needs webhook", at: value) }
        let isExposed = urls.contains { url in
            let authority = url.dropFirst(5).prefix { !"/?".contains($0) }
            let host = HostPort(authority, portRequired: false)?.host ?? ""
            return url.lowercased().hasPrefix("ws://") && host.lowercased() != "localhost" && IPAddress(host)?.isLoopback != true
        }
        if isExposed, let token = node.entry("token") {
            problems.warning("the token travels in the clear: use wss://", at: token)
        }
    }
}
