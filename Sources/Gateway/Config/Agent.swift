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
        /// WebSocket URLs, used as `spread` says.
        case socket(urls: [String], AgentProtocol)
    }

    /// Which of several URLs a call is given to.
    public enum Spread: String, Sendable, CaseIterable {
        /// The first one; the others only where it fails, in order.
        case standby
        /// The one with the fewest sessions; the others where it fails.
        case leastLoaded = "least_loaded"
    }

    public var name: String
    public var link: Link
    /// Sent as `Authorization: Bearer`.
    public var token: String?
    public var spread = Spread.standby
    /// Seconds after the answer within which the agent has to be heard; 0: it may wait for the caller.
    public var firstAudioSeconds = 0
    /// Seconds after the caller stopped to speak within which the agent has to be heard; 0: it may be silent.
    public var answerSeconds = 0
    /// Answers TwiML (twilio), or the call's settings and the results of functions (openai).
    public var webhook: String?
    /// Told when a call that the webhook led is over (twilio).
    public var statusCallback: String?
    /// Signs what the webhook is asked (openai).
    public var webhookSecret: String?
    /// Chain and key, in PEM, that are shown to an agent that asks for them (mutual TLS).
    public var tls: Configuration.TLS?
    /// Signs the request that opens the socket (tandem).
    public var secret: String?
    /// Account SID that, with the token, signs the webhook (twilio).
    public var account: String?
    public var instructions: String?
    public var voice: String?
    public var model: String?
    /// The gateway's functions offered to the model (openai).
    public var tools: [Tool]
    /// Functions of the webhook's, offered to the model beside `tools` (openai).
    public var functions: [AgentFunction] = []
    /// What the model is to say first; empty: it waits for the caller; nil: it says what it likes (openai).
    public var greeting: String?

    public enum Tool: String, Sendable, CaseIterable {
        case transferCall = "transfer_call"
        case endCall = "end_call"

        /// Those that a text names, with commas between them; what is none is left out.
        static func list(_ text: String) -> [Tool] {
            text.split(separator: ",").compactMap { Tool(rawValue: $0.trimmingPrefix(" ").split(separator: " ").first.map(String.init) ?? "") }
        }
    }

    public init(name: String, link: Link) {
        self.name = name
        self.link = link
        tools = []
    }
}
