import Foundation
import NIOCore

/// Functions by HTTP: the requests run apart from the media loop, and their results come back to it.
final class WebhookFunctions: AgentFunctionCaller {
    private let webhook: AgentWebhook
    private let eventLoop: any EventLoop

    /// - Parameter eventLoop: the media loop's, on which functions are called
    init(_ webhook: AgentWebhook, on eventLoop: any EventLoop) {
        self.webhook = webhook
        self.eventLoop = eventLoop
    }

    func call(
        _ name: String, callID: String, arguments: String, done: @escaping (Result<String, WebRequest.Failure>) -> Void
    ) {
        guard let request = webhook.functionRequest(name, callID: callID, arguments: arguments, at: Date()) else {
            return done(.failure(WebRequest.Failure(reason: "its arguments are no JSON object")))
        }
        let (back, eventLoop) = (NIOLoopBound(done, eventLoop: eventLoop), eventLoop)
        WebClient.fetch(request) { answer in
            let result = answer.flatMap(Self.json)
            eventLoop.execute { back.value(result) }
        }
    }

    private static func json(_ bytes: [UInt8]) -> Result<String, WebRequest.Failure> {
        let text = String(decoding: bytes, as: UTF8.self)
        return JSONValue(parsing: text) == nil ? .failure(WebRequest.Failure(reason: "its answer is no JSON")) : .success(text)
    }
}
