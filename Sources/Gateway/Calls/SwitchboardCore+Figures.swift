extension SwitchboardCore {
    /// What is counted, and who has how many calls now.
    func presentFigures() -> SwitchboardFigures {
        var present = figures
        present.refused = limits.refused
        present.usersSignedIn = users.count
        var talking: [String: Int] = [:]
        for entry in entries.values where !entry.call.isEnding {
            if let agent = entry.record.presentAgent { talking[agent, default: 0] += 1 }
        }
        present.agents = settings.configuration.agents.map { agent in
            var urls: [String] = []
            if case .socket(let addresses, _) = agent.link { urls = addresses }
            return AgentUse(name: agent.name, urls: urls, calls: talking[agent.name] ?? 0)
        }
        present.trunks = settings.configuration.trunks.map { TrunkUse(name: $0.name, calls: limits.callsOn[$0.name] ?? 0) }
        return present
    }
}
