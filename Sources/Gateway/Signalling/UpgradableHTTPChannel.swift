import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOWebSocket

/// Connections of the HTTP server: their first request may make them a signal socket, all others are Hummingbird's.
struct UpgradableHTTPChannel: HTTPChannelHandler {
    enum Negotiated: Sendable {
        case http(NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>)
        case signal
    }

    struct Value: ServerChildChannelValue {
        let negotiated: EventLoopFuture<Negotiated>
        let channel: any Channel
    }

    /// Without a whole request for this long a connection is closed.
    static let idleTimeout = TimeAmount.seconds(60)

    let responder: Responder
    let upgrade: SignalUpgrade
    let hub: SignalHub
    let timing: SignalSocket.Timing

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let upgrader = NIOTypedWebSocketServerUpgrader<Negotiated>(
                maxFrameSize: WebSocketMessages.limit, enableAutomaticErrorHandling: false,
                shouldUpgrade: { [upgrade] channel, head in channel.eventLoop.makeSucceededFuture(upgrade.accept(head)) },
                upgradePipelineHandler: { [hub, timing] channel, _ in
                    channel.eventLoop.makeCompletedFuture {
                        FirstRequestGuard.remove(from: channel)
                        try channel.pipeline.syncOperations.addHandler(SignalSocket(hub: hub, timing: timing))
                        return .signal
                    }
                })
            var configuration = NIOUpgradableHTTPServerPipelineConfiguration(
                upgradeConfiguration: .init(upgraders: [upgrader]) { channel in
                    channel.eventLoop.makeCompletedFuture { try Self.configureHTTP(channel, logger: logger) }
                })
            // Hummingbird takes one request at a time and answers what cannot be parsed; HTTPTypes checks header fields.
            configuration.enablePipelining = false
            configuration.enableErrorHandling = false
            configuration.enableResponseHeaderValidation = false
            let negotiated = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(configuration: configuration)
            let upgraderHandler = try channel.pipeline.syncOperations.handler(type: NIOTypedHTTPServerUpgradeHandler<Negotiated>.self)
            try channel.pipeline.syncOperations.addHandler(
                FirstRequestGuard(upgrade: upgrade, timeout: Self.idleTimeout), position: .before(upgraderHandler))
            return Value(negotiated: negotiated, channel: channel)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await withTaskCancellationHandler {
            do {
                switch try await value.negotiated.get() {
                case .http(let channel): await handleHTTP(asyncChannel: channel, logger: logger)
                case .signal: try await value.channel.closeFuture.get()
                }
            } catch {
                // The connection ended before its first request was whole.
                value.channel.close(promise: nil)
            }
        } onCancel: {
            value.channel.close(promise: nil)
        }
    }

    private static func configureHTTP(_ channel: any Channel, logger: Logger) throws -> Negotiated {
        FirstRequestGuard.remove(from: channel)
        try channel.pipeline.syncOperations.addHandlers([
            ConnectionCloser(),
            ExpectationHandler(),
            HTTP1ToHTTPServerCodec(secure: false),
            HTTPConnectionStateHandler(idleTimeout: .nanoseconds(idleTimeout.nanoseconds), logger: logger),
        ])
        return .http(try NIOAsyncChannel(
            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true)))
    }
}
