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
        case .socket(let configured, let name):
            let urls = order.streamURL.map { [$0] } ?? configured
            let dialect = dialect(name, order, on: eventLoop)
            let (subprotocol, model) = (dialect.subprotocol, name == .openai ? order.agent.model : nil)
            // Without an address there is nobody to be reached: the transport says so.
            // Of an address that a document names nothing is remembered: each call may have one of its own.
            let known: AgentHealth? = order.streamURL == nil ? health : nil
            let chosen = known?.choose(urls, spread: order.agent.spread, now: now) ?? urls
            let targets = (chosen.isEmpty ? [""] : chosen).map { url in
                // An address that a document names is not one that the token was meant for; it signs, and stays here.
                let token = configured.contains(url) ? order.agent.token : nil
                return AgentTarget(name: url, health: known) {
                    WebSocketAgentTransport(
                        url: OpenAIDialect.url(url, model: model), token: token, subprotocol: subprotocol,
                        signature: RequestSignature(of: url, order.agent, name), on: eventLoop,
                        logger: logger, identity: order.agent.tls, limits: name == .tandem ? .tandem : WebSocketAgentTransport.Limits(), streams: streams)
                }
            }
            let watchdog = AgentWatchdog(firstAudioSeconds: order.agent.firstAudioSeconds, answerSeconds: order.agent.answerSeconds)
            return AgentSession(
                dialect: dialect, targets: targets, info: order.info, watchdog: watchdog, events: events, logger: logger, now: now)
        }
    }

    private static func dialect(_ name: Agent.AgentProtocol, _ order: AgentOrder, on eventLoop: any EventLoop) -> any AgentDialect {
        switch name {
        case .twilio: return TwilioDialect()
        case .telnyx: return TelnyxDialect()
        case .vonage: return VonageDialect()
        case .pipecat: return PipecatDialect()
        case .tandem:
            var generator = SystemRandomNumberGenerator()
            return TandemDialect(order.info, using: &generator)
        case .openai:
            var settings = OpenAIDialect.Settings(order.agent)
            settings.caller = order.webhook.map { WebhookFunctions($0, on: eventLoop) }
            return OpenAIDialect(callerRates: order.info.callerRates, settings: settings)
        }
    }
}
