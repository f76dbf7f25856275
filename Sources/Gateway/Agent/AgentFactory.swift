import Logging
import NIOCore

/// Makes the leg of an agent as its configuration says. A new dialect is a file in `Dialects/` and a line here.
enum AgentFactory {
    static func make(
        _ order: AgentOrder, on eventLoop: any EventLoop, health: AgentHealth, events: any AgentLegEvents, logger: Logger, now: NIODeadline
    ) -> any AgentLeg {
        switch order.agent.link {
        case .builtin(.parrot): return ParrotAgent(events: events)
        case .builtin(.echo): return EchoAgent(events: events)
        case .socket(let configured, let name):
            let urls = order.streamURL.map { [$0] } ?? configured
            guard let dialect = dialect(name), !urls.isEmpty else {
                return UnbuiltAgent(events: events)
            }
            let subprotocol = dialect.subprotocol
            let targets = health.choose(urls, now: now).map { url in
                // An address that a document names is not one that the token was meant for; it signs, and stays here.
                let token = configured.contains(url) ? order.agent.token : nil
                let signature = name == .twilio ? signature(of: url, order.agent) : nil
                return AgentTarget(name: url, health: health) {
                    WebSocketAgentTransport(url: url, token: token, subprotocol: subprotocol, signature: signature, on: eventLoop, logger: logger)
                }
            }
            return AgentSession(dialect: dialect, targets: targets, info: order.info, events: events, logger: logger, now: now)
        }
    }

    /// An agent with an account is one that looks for Twilio's signature.
    private static func signature(of url: String, _ agent: Agent) -> String? {
        guard agent.account != nil || agent.webhook != nil, let token = agent.token else { return nil }
        return TwilioSignature.sign(url, token: token)
    }

    private static func dialect(_ name: Agent.AgentProtocol) -> (any AgentDialect)? {
        switch name {
        case .twilio: TwilioDialect()
        case .telnyx: TelnyxDialect()
        case .vonage: VonageDialect()
        case .tandem, .openai: nil
        }
    }
}
