import NIOCore
import NIOHTTP1

/// Says "100 Continue" to a client that waits for it before it sends its body (RFC 9110 section 10.1.1), whatever the answer
/// will be: bodies are small, and reading one costs less than the second that many clients wait.
final class ExpectationHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head(let head) = unwrapInboundIn(data), head.version == .http1_1,
            head.headers.first(name: "Expect")?.lowercased() == "100-continue"
        {
            let interim = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(interim)), promise: nil)
        }
        context.fireChannelRead(data)
    }
}
