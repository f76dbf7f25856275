/// A voice agent: built in, or reached over a WebSocket per call.
public struct Agent: Sendable {
    public enum Builtin: String, Sendable, CaseIterable {
        /// Repeats what the caller said.
        case parrot
        /// Sends every frame straight back.
        case echo
    }

    public enum AgentProtocol: String, Sendable, CaseIterable {
        case twilio, tandem, openai, pipecat, vonage, telnyx
    }

    public enum Link: Sendable, Equatable {
        case builtin(Builtin)
        /// WebSocket URLs, the first in use, the others standby in order.
        case socket(urls: [String], AgentProtocol)
    }

    public var name: String
    public var link: Link
    /// Sent as `Authorization: Bearer`.
    public var token: String?
    /// Answers TwiML (twilio).
    public var webhook: String?
    /// Told when a call that the webhook led is over (twilio).
    public var statusCallback: String?
    /// Account SID that, with the token, signs the webhook (twilio).
    public var account: String?
    public var instructions: String?
    public var voice: String?
    public var model: String?
    /// The gateway's functions offered to the model (openai).
    public var tools: [Tool]

    public enum Tool: String, Sendable, CaseIterable {
        case transferCall = "transfer_call"
        case endCall = "end_call"
    }

    public init(name: String, link: Link) {
        self.name = name
        self.link = link
        tools = []
    }
}
