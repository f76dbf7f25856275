import NIOCore
import NIOHTTP1

/// Closes a connection after a response that says so. After a refused upgrade NIO's parser reads no further request but
/// keeps every byte that comes, so such a connection must not stay.
final class ConnectionCloser: ChannelOutboundHandler {
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private var closes = false

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head): closes = head.headers[canonicalForm: "Connection"].contains { $0.lowercased() == "close" }
        case .end where closes:
            context.writeAndFlush(data, promise: promise)
            context.close(promise: nil)
            return
        case .body, .end: break
        }
        context.write(data, promise: promise)
    }
}
