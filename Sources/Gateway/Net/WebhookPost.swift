import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

extension WebSocketAgentTransport.URL {
    /// The address of a web server: `http://` or `https://`, by the rules that hold for agents' addresses.
    init?(web text: String) {
        guard ["http://", "https://"].contains(where: text.lowercased().hasPrefix) else { return nil }
        self.init("ws" + text.dropFirst(4))
    }
}

/// Sends a notice to a web server of somebody else's, on a connection of its own. Redirections are not followed.
struct WebhookPost: Sendable {
    let group: any EventLoopGroup
    /// Whom to believe for `https`; nil for the system's certificate authorities.
    var trust: NIOSSLContext?

    /// From the connect to the end of the answer.
    static let limit = TimeAmount.seconds(3)

    /// The server gave no answer.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// - Returns: the status of the answer.
    func callAsFunction(_ url: WebSocketAgentTransport.URL, _ content: WebhookContent) async throws -> Int {
        // Reading the system's authorities takes its time, so not on a loop.
        let trust = url.isSecure ? try self.trust ?? AgentTrust.context(showing: nil) : nil
        let loop = group.next()
        let answered = loop.makePromise(of: Int.self)
        ClientBootstrap(group: loop)
            .connectTimeout(Self.limit)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let trust { try pipeline.addHandler(NIOSSLClientHandler(context: trust, serverHostname: url.serverName)) }
                    try pipeline.addHTTPClientHandlers()
                }
            }
            .connect(host: url.host, port: url.port)
            .flatMapThrowing { channel in
                // Only now: of several attempts at a name's addresses (RFC 8305) one connects.
                try channel.pipeline.syncOperations.addHandler(Exchange(url, content, answered))
            }
            .cascadeFailure(to: answered)
        return try await answered.futureResult.get()
    }

    /// Sends the request and waits for the answer.
    private final class Exchange: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart
        typealias OutboundOut = HTTPClientRequestPart

        private let url: WebSocketAgentTransport.URL
        private let content: WebhookContent
        private let answered: EventLoopPromise<Int>
        private var limit: Scheduled<Void>?

        init(_ url: WebSocketAgentTransport.URL, _ content: WebhookContent, _ answered: EventLoopPromise<Int>) {
            self.url = url
            self.content = content
            self.answered = answered
        }

        func handlerAdded(context: ChannelHandlerContext) {
            guard context.channel.isActive else { return answered.fail(Failure(description: "the connection was closed at once")) }
            let channel = context.channel
            limit = context.eventLoop.scheduleTask(in: WebhookPost.limit) { channel.close(promise: nil) }
            var headers: HTTPHeaders = ["Host": url.hostField, "User-Agent": "Tandem/\(Gateway.version)", "Connection": "close"]
            for field in content.headers { headers.add(name: field.name, value: field.value) }
            if !content.isGet {
                headers.add(name: "Content-Type", value: content.type)
                headers.add(name: "Content-Length", value: "\(content.bytes.count)")
            }
            let head = HTTPRequestHead(version: .http1_1, method: content.isGet ? .GET : .POST, uri: url.target, headers: headers)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if !content.isGet { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: content.bytes)))), promise: nil) }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            // What the answer says beside its status is nobody's concern.
            guard case .head(let head) = unwrapInboundIn(data), head.status.code >= 200 else { return }
            answered.succeed(Int(head.status.code))
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            limit?.cancel()
            answered.fail(Failure(description: "there was no answer"))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            answered.fail(error)
            context.close(promise: nil)
        }
    }
}
