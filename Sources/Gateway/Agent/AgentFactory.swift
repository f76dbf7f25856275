import Logging
import NIOCore

/// Makes the leg of an agent as its configuration says. A new dialect is a file in `Dialects/` and a line here.
enum AgentFactory {
    /// - Parameter streams: of the loop that `eventLoop` turns
    static func make(
        _ order: AgentOrder, on eventLoop: any EventLoop, streams: any StreamSet, health: AgentHealth, events: any AgentLegEvents,
        logger: Logger, now: NIODeadline
    ) -> any AgentLeg {
        switch order.agent.link {
        case .builtin(.parrot): return ParrotAgent(events: events)
        case .builtin(.echo): return EchoAgent(events: events)
        case .socket(let urls, let name):
            let dialect = dialect(name, order)
            let (token, subprotocol) = (order.agent.token, dialect.subprotocol)
            let targets = health.choose(urls, now: now).map { url in
                AgentTarget(name: url, health: health) {
                    WebSocketAgentTransport(
                        url: name == .openai ? OpenAIDialect.url(url, model: order.agent.model) : url, token: token, subprotocol: subprotocol, on: eventLoop, logger: logger,
                        limits: name == .tandem ? .tandem : WebSocketAgentTransport.Limits(), streams: streams)
                }
            }
            return AgentSession(dialect: dialect, targets: targets, info: order.info, events: events, logger: logger, now: now)
        }
    }

    private static func dialect(_ name: Agent.AgentProtocol, _ order: AgentOrder) -> any AgentDialect {
        switch name {
        case .twilio: return TwilioDialect()
        case .telnyx: return TelnyxDialect()
        case .vonage: return VonageDialect()
        case .tandem:
            var generator = SystemRandomNumberGenerator()
            return TandemDialect(callerRates: order.info.callerRates, using: &generator)
        case .openai:
            let settings = OpenAIDialect.Settings(instructions: order.agent.instructions, voice: order.agent.voice, tools: order.agent.tools)
            return OpenAIDialect(callerRates: order.info.callerRates, settings: settings)
        }
    }
}
