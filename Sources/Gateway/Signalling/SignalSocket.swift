import NIOCore
import NIOWebSocket

/// One `/signal` WebSocket: frames in, text messages to the hub, and back; pings, limits and the closing handshake.
final class SignalSocket: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = WebSocketFrame

    /// An outbound event: close the socket in good order.
    struct CloseRequest: Sendable {}

    /// How a socket's life is watched.
    struct Timing: Sendable {
        var pingEvery = TimeAmount.seconds(15)
        /// Without a frame for this long the browser is gone.
        var deadAfter = TimeAmount.seconds(45)
        /// How long the answer to a close is waited for.
        var closeAfter = TimeAmount.seconds(2)
    }

    private enum State {
        case idle
        case open(SignalConnection)
        /// Our close is sent; what still comes is thrown away.
        case closing
        case closed
    }

    private let hub: SignalHub
    private let timing: Timing
    private var state = State.idle
    private var messages = WebSocketMessages()
    private var lastHeard = NIODeadline.now()
    private var timer: Scheduled<Void>?

    init(hub: SignalHub, timing: Timing = Timing()) {
        self.hub = hub
        self.timing = timing
    }

    func handlerAdded(context: ChannelHandlerContext) {
        state = .open(SignalConnection(channel: context.channel))
        lastHeard = context.eventLoop.now
        watch(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastHeard = context.eventLoop.now
        let result = messages.receive(unwrapInboundIn(data))
        guard case .open(let connection) = state else {
            if case .closing = state, case .closed = result { context.close(promise: nil) }
            return
        }
        switch result {
        case .text(let text): hub.received(text, from: connection)
        case .nothing: break
        case .pong(let payload): write(.pong, payload, context)
        case .closed(let code): close(code, context, answered: true)
        case .refuse(let code): close(code, context)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .open = state else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        context.write(wrapOutboundOut(WebSocketFrame(fin: true, opcode: .text, data: unwrapOutboundIn(data))), promise: promise)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is CloseRequest else {
            context.triggerUserOutboundEvent(event, promise: promise)
            return
        }
        close(.normalClosure, context)
        promise?.succeed()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: close(.goingAway, context)
        case ChannelEvent.inputClosed: context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// A browser that does not read is not read from: answers must not pile up.
    func channelWritabilityChanged(context: ChannelHandlerContext) {
        context.channel.setOption(.autoRead, value: context.channel.isWritable).whenFailure { _ in }
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case NIOWebSocketError.invalidFrameLength: close(.messageTooLarge, context)
        case is NIOWebSocketError: close(.protocolError, context)
        // What follows a frame that could not be read is thrown away until the browser has read our close.
        case is ByteToMessageDecoderError: break
        default: context.close(promise: nil)
        }
    }

    /// Sends a ping every so often and gives up a browser that says nothing, not even a pong.
    private func watch(_ context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: timing.pingEvery) {
            guard case .open = self.state else { return }
            guard context.eventLoop.now - self.lastHeard < self.timing.deadAfter else {
                context.close(promise: nil)
                return
            }
            self.write(.ping, ByteBuffer(), context)
            self.watch(context)
        }
    }

    /// - Parameter answered: the browser closed first, so nothing more is waited for.
    private func close(_ code: WebSocketErrorCode, _ context: ChannelHandlerContext, answered: Bool = false) {
        guard case .open(let connection) = state else { return }
        state = .closing
        timer?.cancel()
        hub.closed(connection)
        var payload = context.channel.allocator.buffer(capacity: 2)
        payload.write(webSocketErrorCode: code)
        write(.connectionClose, payload, context)
        if answered {
            context.close(promise: nil)
        } else {
            // Closing at once would reset the connection under a browser that is still sending, and lose the code.
            timer = context.eventLoop.assumeIsolated().scheduleTask(in: timing.closeAfter) { context.close(promise: nil) }
        }
    }

    private func write(_ opcode: WebSocketOpcode, _ payload: ByteBuffer, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(WebSocketFrame(fin: true, opcode: opcode, data: payload)), promise: nil)
    }

    private func end() {
        timer?.cancel()
        timer = nil
        if case .open(let connection) = state { hub.closed(connection) }
        state = .closed
    }
}
