import HTTPTypes
import Hummingbird
import NIOCore

/// `trunks` and `agents`: names and settings, without secrets, and how they do.
struct DirectoryController: Sendable {
    let configuration: @Sendable () -> Configuration
    let calls: any RunningCalls
    let health: AgentHealth

    func addRoutes(to router: some RouterMethods<SignallingContext>) {
        router.resource("/api/v1/trunks", [.get: { request, _ in
            try APIQuery(request).finish()
            let figures = await calls.figures()
            return APIResponse.json(.list(configuration().trunks.map { Self.json($0, figures) }))
        }])
        router.resource("/api/v1/agents", [.get: { request, _ in
            try APIQuery(request).finish()
            let figures = await calls.figures()
            return APIResponse.json(.list(configuration().agents.map { json($0, figures, now: .now()) }))
        }])
    }

    private static func json(_ trunk: Trunk, _ figures: SwitchboardFigures) -> JSONValue {
        let out = figures.callsOut.filter { $0.key.trunk == trunk.name }
        return [
            "name": .string(trunk.name), "hosts": .array(trunk.hosts.map { .string($0.uri) }),
            "accept_from": .array(trunk.acceptFrom.map { .string($0.description) }), "has_credentials": .bool(trunk.username != nil),
            "register": .bool(trunk.register), "inbound_auth": .bool(trunk.inboundAuth),
            "codecs": .array(trunk.codecs.map { .string($0.rawValue) }), "dtmf": .string(trunk.dtmf.rawValue), "srtp": .string(trunk.srtp.rawValue),
            "echo": .string(trunk.echo.rawValue), "agc": .string(trunk.agc.rawValue), "country": trunk.country.isEmpty ? .null : .string(trunk.country),
            "max_calls": JSONValue(trunk.maxCalls), "max_calls_per_second": JSONValue(trunk.maxCallsPerSecond),
            "calls": JSONValue(figures.trunks.first { $0.name == trunk.name }?.calls ?? 0),
            "calls_out": .object(Dictionary(out.map { ($0.key.result, JSONValue($0.value)) }, uniquingKeysWith: { $1 })),
        ]
    }

    /// Without the URLs' queries: some services take their key there.
    private func json(_ agent: Agent, _ figures: SwitchboardFigures, now: NIODeadline) -> JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(agent.name), "has_token": .bool(agent.token != nil), "voice": JSONValue(agent.voice), "model": JSONValue(agent.model),
            "tools": .array(agent.tools.map { .string($0.rawValue) }), "builtin": .null, "protocol": .null, "spread": .null, "urls": [], "addresses": [],
            "calls": JSONValue(figures.agents.first { $0.name == agent.name }?.calls ?? 0), "state": "available",
        ]
        switch agent.link {
        case .builtin(let builtin): members["builtin"] = .string(builtin.rawValue)
        case .socket(let urls, let dialect):
            members["protocol"] = .string(dialect.rawValue)
            members["spread"] = .string(agent.spread.rawValue)
            members["urls"] = .array(urls.map { .string(Self.shown($0)) })
            members["addresses"] = .array(urls.map { address($0, now: now) })
            // An agent whose every address rests is dialled all the same, but callers had better not count on it.
            if !urls.isEmpty, health.summary(of: urls, now: now).resting == urls.count { members["state"] = "failing" }
        }
        return .object(members)
    }

    private func address(_ url: String, now: NIODeadline) -> JSONValue {
        let report = health.report(of: url)
        let rest = report.restsUntil.map { max(.zero, $0 - now) } ?? .zero
        return [
            "url": .string(Self.shown(url)), "answered": JSONValue(report.answered), "failed": JSONValue(report.failed),
            "failed_in_a_row": JSONValue(report.failedInARow), "sessions": JSONValue(report.sessions), "draining": .bool(report.isDraining && rest > .zero), "last_failure": JSONValue(report.lastFailure),
            "rests_ms": JSONValue(rest.nanoseconds / 1_000_000),
        ]
    }

    static func shown(_ url: String) -> String { String(url.prefix { $0 != "?" }) }
}
