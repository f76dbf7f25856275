import Foundation
import NIOCore

/// The web server that knows what the model is to be told of a call, and carries out the functions it offers to the model (openai).
///
/// Every request is a POST of a JSON object with `event`, `agent` and `call`.
struct AgentWebhook: Sendable {
    var url: String
    /// Signs the requests; nil leaves them unsigned.
    var secret: String?
    /// The agent's name.
    var agent: String
    /// The call, as every request describes it.
    var call: JSONValue

    /// A caller waits no longer for the settings; then the next step is tried.
    static let sessionTime = TimeAmount.seconds(3)
    /// The model waits no longer for the result of a function.
    static let functionTime = TimeAmount.seconds(10)
    /// Bytes of an answer: what a session can be told.
    static let largestAnswer = 128 << 10

    /// Asks for the settings of the call's session: `{"event": "session", …}`.
    func sessionRequest(at time: Date) -> WebRequest {
        request(["event": "session", "agent": .string(agent), "call": call], limit: Self.sessionTime, at: time)
    }

    /// Asks for the result of a function: `{"event": "tool", "tool", "tool_call_id", "arguments", …}`.
    /// - Parameter arguments: as the model wrote them
    /// - Returns: nil where they are no JSON object
    func functionRequest(_ name: String, callID: String, arguments: String, at time: Date) -> WebRequest? {
        guard let value = JSONValue(parsing: arguments), case .object = value else { return nil }
        return request(
            ["event": "tool", "agent": .string(agent), "call": call, "tool": .string(name), "tool_call_id": .string(callID), "arguments": value],
            limit: Self.functionTime, at: time)
    }

    private func request(_ body: JSONValue, limit: TimeAmount, at time: Date) -> WebRequest {
        var request = WebRequest(url: url, isGet: false, limit: Self.largestAnswer, time: limit)
        let bytes = [UInt8](JSONText.encode(body))
        request.json = bytes
        if let secret, let signature = TandemSignature.sign(bytes, time: Int64(time.timeIntervalSince1970), secret: secret) {
            request.headers.append(FormField(TandemSignature.header, signature))
        }
        return request
    }
}
