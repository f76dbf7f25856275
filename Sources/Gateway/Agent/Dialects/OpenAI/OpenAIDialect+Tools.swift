import Foundation

/// What the model does beside speaking: the gateway's own tools, and the functions of the webhook.
extension OpenAIDialect {
    /// Keeps a tool's call for the end of its response.
    func note(_ item: [String: Any]) {
        guard item["type"] as? String == "function_call", let name = item["name"] as? String, let call = item["call_id"] as? String else { return }
        toolCalls.append((name, call, item["arguments"] as? String ?? "{}"))
    }

    /// The sound of the response is all here now, so what is done after the playout is done after the last word.
    func runTools(_ transport: any AgentTransport, for session: any AgentCommands) {
        let calls = toolCalls
        toolCalls = []
        for call in calls {
            switch Agent.Tool(rawValue: call.name) {
            case .endCall: session.hangUp(CallEnd(.agentHangup), drains: true)
            case .transferCall: giveAway(call.call, call.arguments, transport, for: session)
            case nil: callFunction(call.name, call.call, call.arguments, transport)
            }
        }
        answerIfOwed(to: transport)
    }

    private func giveAway(_ call: String, _ arguments: String, _ transport: any AgentTransport, for session: any AgentCommands) {
        let arguments = (try? JSONSerialization.jsonObject(with: Data(arguments.utf8))) as? [String: Any]
        guard let destination = arguments?["destination"] as? String, !destination.isEmpty else {
            answer(call, ["status": "failed", "reason": "A destination is missing."], to: transport)
            owesResponse = true
            return
        }
        lastTransfer += 1
        transfers[lastTransfer] = call
        session.transfer(AgentTransfer(target: destination, reference: lastTransfer), drains: true)
    }

    private func callFunction(_ name: String, _ call: String, _ arguments: String, _ transport: any AgentTransport) {
        guard let caller = settings.caller, settings.functions.contains(where: { $0.name == name }) else {
            answer(call, ["status": "failed", "reason": "There is no such tool."], to: transport)
            owesResponse = true
            return
        }
        pendingFunctions.insert(call)
        caller.call(name, callID: call, arguments: arguments) { [weak self] in self?.functionFinished(call, $0) }
    }

    /// A function that belongs to a session which is over is nobody's any more.
    private func functionFinished(_ call: String, _ result: Result<String, WebRequest.Failure>) {
        guard pendingFunctions.remove(call) != nil, let session else { return }
        session.reply { transport in
            switch result {
            case .success(let json): answer(call, json: json, to: transport)
            case .failure(let failure):
                session.misunderstood("a function of the webhook failed: \(failure.reason)")
                answer(call, ["status": "failed", "reason": "The function cannot be carried out at present."], to: transport)
            }
            owesResponse = true
            answerIfOwed(to: transport)
        }
    }

    /// Once all results are there, and no other response is under way.
    func answerIfOwed(to transport: any AgentTransport) {
        if owesResponse, pendingFunctions.isEmpty { askForResponse(to: transport) }
    }

    /// The result of a tool.
    func answer(_ call: String, _ output: [String: String], to transport: any AgentTransport) {
        answer(call, json: String(decoding: (try? JSONSerialization.data(withJSONObject: output, options: .sortedKeys)) ?? Data(), as: UTF8.self), to: transport)
    }

    private func answer(_ call: String, json: String, to transport: any AgentTransport) {
        send(["type": "conversation.item.create", "item": ["type": "function_call_output", "call_id": call, "output": json]], to: transport)
    }

    /// The first word of a call: the model's own, the one it was given, or the caller's.
    func greet(to transport: any AgentTransport) {
        guard let greeting = settings.greeting else { return askForResponse(to: transport) }
        guard !greeting.isEmpty else { return }
        isResponding = true
        send(["type": "response.create", "response": ["instructions": "Greet the caller with these words and no others: \(greeting)"]], to: transport)
    }
}
