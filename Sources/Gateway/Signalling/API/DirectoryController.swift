import HTTPTypes
import Hummingbird

/// `trunks` and `agents`: names and settings, without secrets.
struct DirectoryController: Sendable {
    let configuration: @Sendable () -> Configuration

    func addRoutes(to router: some RouterMethods<SignallingContext>) {
        router.resource("/api/v1/trunks", [.get: { request, _ in
            try APIQuery(request).finish()
            return APIResponse.json(.list(configuration().trunks.map(Self.json)))
        }])
        router.resource("/api/v1/agents", [.get: { request, _ in
            try APIQuery(request).finish()
            return APIResponse.json(.list(configuration().agents.map(Self.json)))
        }])
    }

    private static func json(_ trunk: Trunk) -> JSONValue {
        [
            "name": .string(trunk.name), "hosts": .array(trunk.hosts.map { .string($0.uri) }),
            "accept_from": .array(trunk.acceptFrom.map { .string($0.description) }), "has_credentials": .bool(trunk.username != nil),
            "register": .bool(trunk.register), "inbound_auth": .bool(trunk.inboundAuth),
            "codecs": .array(trunk.codecs.map { .string($0.rawValue) }), "dtmf": .string(trunk.dtmf.rawValue), "srtp": .string(trunk.srtp.rawValue),
            "echo": .string(trunk.echo.rawValue), "country": trunk.country.isEmpty ? .null : .string(trunk.country),
            "max_calls": JSONValue(trunk.maxCalls), "max_calls_per_second": JSONValue(trunk.maxCallsPerSecond),
        ]
    }

    /// Without the URLs' queries: some services take their key there.
    private static func json(_ agent: Agent) -> JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(agent.name), "has_token": .bool(agent.token != nil), "voice": JSONValue(agent.voice), "model": JSONValue(agent.model),
            "tools": .array(agent.tools.map { .string($0.rawValue) }), "builtin": .null, "protocol": .null, "urls": [],
        ]
        switch agent.link {
        case .builtin(let builtin): members["builtin"] = .string(builtin.rawValue)
        case .socket(let urls, let dialect):
            members["protocol"] = .string(dialect.rawValue)
            members["urls"] = .array(urls.map { .string(String($0.prefix { $0 != "?" })) })
        }
        return .object(members)
    }
}
