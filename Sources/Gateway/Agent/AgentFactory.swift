import Logging
import NIOCore

/// Makes the leg of an agent as its configuration says. A new dialect is a file in `Dialects/` and a line here.
enum AgentFactory {
    /// - Parameter streams: of the loop that `eventLoop` turns
    static func make(
        _ order: AgentOrder, on eventLoop: any EventLoop, streams: any StreamSet, events: any AgentLegEvents, logger: Logger,
        now: NIODeadline
    ) -> any AgentLeg {
        switch order.agent.link {
        case .builtin(.parrot): return ParrotAgent(events: events)
        case .builtin(.echo): return EchoAgent(events: events)
        case .socket(let urls, let name):
            guard let dialect = dialect(name), let url = urls.first else {
                return UnbuiltAgent(events: events)
            }
            let transport = WebSocketAgentTransport(
                url: url, token: order.agent.token, subprotocol: dialect.subprotocol, on: eventLoop, logger: logger,
                streams: streams)
            return AgentSession(dialect: dialect, transport: transport, info: order.info, events: events, logger: logger, now: now)
        }
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
