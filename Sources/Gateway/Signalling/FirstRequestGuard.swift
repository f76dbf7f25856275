import NIOCore
import NIOHTTP1

/// Watches a connection until its first request says what it will be; nobody else listens to it before.
///
/// It stands before NIO's upgrade handler and shows it only upgrades that will be accepted: that handler loses the head of
/// a request whose upgrade it refuses, be it to `/signal` by a stranger or the `h2c` that Java's client always offers.
final class FirstRequestGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// What becomes of the `Upgrade` field of a request whose upgrade is refused, so that the router still knows.
    static let refusedField = "Tandem-Refused-Upgrade"

    private let upgrade: SignalUpgrade
    private let timeout: TimeAmount
    private var hasSeenHead = false
    private var timer: Scheduled<Void>?

    /// - Parameter timeout: how long the first request may take.
    init(upgrade: SignalUpgrade, timeout: TimeAmount) {
        self.upgrade = upgrade
        self.timeout = timeout
    }

    /// Ends the watch.
    static func remove(from channel: any Channel) {
        guard let context = try? channel.pipeline.syncOperations.context(handlerType: FirstRequestGuard.self) else { return }
        channel.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { context.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Only the very first part is a head for certain; after an upgrade plain bytes come by.
        guard !hasSeenHead, case .head(var head) = unwrapInboundIn(data) else {
            context.fireChannelRead(data)
            return
        }
        hasSeenHead = true
        if let wanted = head.headers.first(name: "Upgrade"), upgrade.accept(head) == nil {
            head.headers.remove(name: "Upgrade")
            head.headers.replaceOrAdd(name: Self.refusedField, value: wanted)
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError else {
            context.fireErrorCaught(error)
            return
        }
        let head = HTTPResponseHead(version: .http1_1, status: .badRequest, headers: ["Connection": "close", "Content-Length": "0"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(promise: nil)
    }
}
