import Foundation

/// The session's settings as the service wants them.
extension OpenAIDialect {
    /// The event that asks for them.
    var sessionUpdate: [String: Any] {
        var input: [String: Any] = ["format": formats.caller.json, "turn_detection": ["type": "server_vad", "interrupt_response": true, "create_response": true]]
        // The caller's words, for the session that follows this one.
        input["transcription"] = ["model": "gpt-4o-mini-transcribe"]
        var output: [String: Any] = ["format": formats.agent.json]
        if let voice = settings.voice { output["voice"] = voice }
        var session: [String: Any] = ["type": "realtime", "output_modalities": ["audio"], "audio": ["input": input, "output": output]]
        if let instructions = settings.instructions { session["instructions"] = instructions }
        let tools = settings.tools.map(\.json) + settings.functions.compactMap { try? JSONSerialization.jsonObject(with: Data($0.definition)) }
        if !tools.isEmpty {
            session["tools"] = tools
            session["tool_choice"] = "auto"
        }
        return ["type": "session.update", "session": session]
    }

    /// What the service says of a format in `session.updated`.
    static func format(_ session: [String: Any], _ direction: String) -> RealtimeFormat? {
        let audio = session["audio"] as? [String: Any]
        let format = (audio?[direction] as? [String: Any])?["format"] as? [String: Any]
        guard let type = format?["type"] as? String else { return nil }
        return RealtimeFormat(type: type, rate: format?["rate"] as? Int)
    }
}

extension OpenAIDialect.Settings {
    init(_ agent: Agent) {
        self.init(instructions: agent.instructions, voice: agent.voice, tools: agent.tools, functions: agent.functions, greeting: agent.greeting)
    }
}

extension Agent.Tool {
    /// As the model is told of it.
    fileprivate var json: [String: Any] {
        switch self {
        case .transferCall:
            Self.function(
                rawValue, "Gives the call to a person or another agent. Say so first: the call is handed over when you have finished speaking.",
                ["destination": ["type": "string", "description": "A telephone number, or the name of an agent or of a route of the dial plan."]])
        case .endCall: Self.function(rawValue, "Ends the call. Say goodbye first: the call ends when you have finished speaking.", [:])
        }
    }

    private static func function(_ name: String, _ description: String, _ properties: [String: Any]) -> [String: Any] {
        [
            "type": "function", "name": name, "description": description,
            "parameters": ["type": "object", "properties": properties, "required": properties.keys.sorted()] as [String: Any],
        ]
    }
}
