import Glibc

/// A header of the request that opens an agent's socket, by which the agent knows that the gateway asks.
struct RequestSignature {
    var header: String
    var value: String

    /// What the agent's configuration asks for; nil for none. Made for one request: Tandem's signature holds the time.
    init?(of url: String, _ agent: Agent, _ dialect: Agent.AgentProtocol) {
        switch dialect {
        case .twilio:
            // An agent with an account is one that looks for Twilio's signature.
            guard agent.account != nil || agent.webhook != nil, let token = agent.token else { return nil }
            self.init(TwilioSignature.header, TwilioSignature.sign(url, token: token))
        case .tandem:
            guard let secret = agent.secret, let target = WebSocketAgentTransport.URL(url)?.target else { return nil }
            self.init(TandemSignature.header, TandemSignature.sign(Array(target.utf8), time: Int64(time(nil)), secret: secret))
        case .openai, .pipecat, .vonage, .telnyx: return nil
        }
    }

    private init?(_ header: String, _ value: String?) {
        guard let value else { return nil }
        (self.header, self.value) = (header, value)
    }
}
