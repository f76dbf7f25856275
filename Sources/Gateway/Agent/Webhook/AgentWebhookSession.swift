import Foundation

/// What a webhook says of one call's session, in place of the agent's configuration. What it does not name stays as configured.
struct AgentWebhookSession: Sendable, Equatable {
    var instructions: String?
    var voice: String?
    var model: String?
    var greeting: String?
    var tools: [Agent.Tool]?
    var functions: [AgentFunction] = []

    /// More are not taken by the service.
    static let mostFunctions = 128
    /// Characters of a function's name, by the service's rule.
    private static let longestName = 64

    /// - Throws: why the answer cannot be used.
    init(_ bytes: [UInt8]) throws(WebRequest.Failure) {
        guard let value = JSONValue(parsing: String(decoding: bytes, as: UTF8.self)), case .object(let members) = value else {
            throw WebRequest.Failure(reason: "its answer is no JSON object")
        }
        instructions = try Self.text("instructions", members)
        voice = try Self.text("voice", members)
        model = try Self.text("model", members)
        greeting = try Self.text("greeting", members)
        try take(tools: members["tools"] ?? .null)
    }

    private static func text(_ key: String, _ members: [String: JSONValue]) throws(WebRequest.Failure) -> String? {
        switch members[key] ?? .null {
        case .null: return nil
        case .string(let text): return text
        default: throw WebRequest.Failure(reason: "its answer's \(key) is no text")
        }
    }

    private mutating func take(tools list: JSONValue) throws(WebRequest.Failure) {
        if list == .null { return }
        guard case .array(let items) = list, items.count <= Self.mostFunctions else {
            throw WebRequest.Failure(reason: "its answer's tools are no list of at most \(Self.mostFunctions)")
        }
        var own: [Agent.Tool] = []
        for item in items {
            if let name = item.text {
                guard let tool = Agent.Tool(rawValue: name) else {
                    throw WebRequest.Failure(reason: "its answer names the tool \(name.prefix(Self.longestName)), which is none of the gateway's")
                }
                own.append(tool)
            } else {
                functions.append(try Self.function(item))
            }
        }
        let names = own.map(\.rawValue) + functions.map(\.name)
        guard Set(names).count == names.count else { throw WebRequest.Failure(reason: "its answer names a tool twice") }
        tools = own
    }

    private static func function(_ item: JSONValue) throws(WebRequest.Failure) -> AgentFunction {
        guard let name = item["name"]?.text, (1...longestName).contains(name.utf8.count), name.utf8.allSatisfy(isOfName) else {
            throw WebRequest.Failure(reason: "its answer has a tool without a name of letters, digits, _ and -")
        }
        guard Agent.Tool(rawValue: name) == nil else { throw WebRequest.Failure(reason: "its answer describes \(name), which is the gateway's own") }
        let parameters = item["parameters"] ?? ["type": "object", "properties": [:]]
        guard case .object = parameters else { throw WebRequest.Failure(reason: "the parameters of its tool \(name) are no JSON object") }
        let definition: JSONValue = [
            "type": "function", "name": .string(name), "description": item["description"] ?? .string(""), "parameters": parameters,
        ]
        return AgentFunction(name: name, definition: [UInt8](JSONText.encode(definition)))
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        }
    }

    /// The webhook knows the call best: its words go before the configuration's and the route's.
    func apply(to order: inout AgentOrder) {
        order.agent.model = model ?? order.agent.model
        order.agent.functions = functions
        order.agent.greeting = greeting ?? order.agent.greeting
        if let tools {
            order.agent.tools = tools
            order.info.routeParameters["tools"] = nil
        }
        if let instructions {
            order.agent.instructions = instructions
            order.info.routeParameters["instructions"] = nil
        }
        if let voice {
            order.agent.voice = voice
            order.info.routeParameters["voice"] = nil
        }
    }
}
