import Hummingbird

extension OutboundOrder {
    /// Reads the body of `POST calls`.
    /// - Throws: `HTTPProblem` 400, 413 or 415.
    init(_ request: Request) async throws {
        var body = try await APIBody(request, shape: "to and agent")
        self.init(to: try body.text("to"), agent: try body.text("agent"))
        via = try body.optionalText("via")
        from = try body.optionalText("from")
        parameters = try body.texts("parameters")
        ringSeconds = try body.integer("ring_seconds", in: 1...600)
        detectsMachine = try body.flag("machine_detection") ?? false
        statusURL = try body.optionalText("status_url").map { text in
            guard text.utf8.count <= 2048, let url = WebSocketAgentTransport.URL(web: text) else {
                throw HTTPProblem(.badRequest, "status_url must be an http:// or https:// address without user and fragment.")
            }
            return url
        }
        try body.finish()
        do throws(CallParameters.Refusal) {
            try CallParameters.check(destination: to)
            try CallParameters.check(parameters)
        } catch { throw HTTPProblem(.badRequest, error.detail) }
        if let from, !Self.isNumber(from) {
            throw HTTPProblem(.badRequest, "from must be a number such as +14155550100, in digits with or without the +.")
        }
    }

    /// The same for orders that ask for the same, in every process. What an order says cannot be read from it.
    var digest: String {
        let members: JSONValue = [
            "to": .string(to), "agent": .string(agent), "via": JSONValue(via), "from": JSONValue(from), "ring_seconds": JSONValue(ringSeconds),
            "machine_detection": .bool(detectsMachine), "parameters": .object(parameters.mapValues(JSONValue.string)),
            "status_url": JSONValue(statusURL.map { "\($0.isSecure) \($0.hostField) \($0.target)" }),
        ]
        return PlanText.etag(of: Array(JSONText.encode(members)))
    }

    /// What a carrier may be shown as caller id.
    static func isNumber(_ text: String) -> Bool {
        let digits = text.utf8.first == UInt8(ascii: "+") ? text.utf8.dropFirst() : text.utf8[...]
        return (1...32).contains(digits.count) && digits.allSatisfy { (48...57).contains($0) }
    }
}

extension AgentTransfer {
    /// Reads the body of `POST calls/{id}/transfer`.
    /// - Throws: `HTTPProblem` 400, 413 or 415.
    init(_ request: Request) async throws {
        var body = try await APIBody(request, shape: "to")
        self.init(target: try body.text("to"))
        ringSeconds = try body.integer("ring_seconds", in: 1...600)
        try body.finish()
        do throws(CallParameters.Refusal) { try CallParameters.check(destination: target) } catch {
            throw HTTPProblem(.badRequest, error.detail)
        }
    }
}
