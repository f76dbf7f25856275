import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A client of HTTP/1.1: one request, one connection, one answer of status 200. Redirections are not followed, for what is signed is
/// signed for one address.
enum WebClient {
    typealias Answer = Result<[UInt8], WebRequest.Failure>

    /// - Parameters:
    ///   - trust: whom to believe for `https`; nil for the system's certificate authorities
    ///   - done: called once, on one of the group's threads
    static func fetch(
        _ request: WebRequest, on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, trust: NIOSSLContext? = nil,
        done: @escaping @Sendable (Answer) -> Void
    ) {
        let loop = group.next()
        let answer = loop.makePromise(of: [UInt8].self)
        let limit = loop.scheduleTask(in: request.time) {
            answer.fail(WebRequest.Failure(reason: "it did not answer within \(request.time.nanoseconds / 1_000_000) ms"))
        }
        answer.futureResult.whenComplete { result in
            limit.cancel()
            done(result.mapError { $0 as? WebRequest.Failure ?? WebRequest.Failure(reason: WebSocketAgentTransport.reason($0)) })
        }
        guard let place = place(of: request.url) else {
            return answer.fail(WebRequest.Failure(reason: "its address is no http:// or https:// URL"))
        }
        // Reading the certificate authorities takes its time, once.
        NIOThreadPool.singleton.submit { _ in
            do {
                let trust = place.isSecure ? try trust ?? AgentTrust.context(showing: nil) : nil
                connect(request, place, trust, loop, answer)
            } catch {
                answer.fail(error)
            }
        }
    }

    /// An `http` URL is read like the `ws` URL of the same place.
    static func place(of url: String) -> WebSocketAgentTransport.URL? {
        let lowercased = url.lowercased()
        guard lowercased.hasPrefix("http://") || lowercased.hasPrefix("https://") else { return nil }
        return WebSocketAgentTransport.URL("ws" + url.dropFirst(4))
    }

    private static func connect(
        _ request: WebRequest, _ place: WebSocketAgentTransport.URL, _ trust: NIOSSLContext?, _ loop: any EventLoop,
        _ answer: EventLoopPromise<[UInt8]>
    ) {
        ClientBootstrap(group: loop)
            .connectTimeout(request.time)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let trust { try pipeline.addHandler(NIOSSLClientHandler(context: trust, serverHostname: place.serverName)) }
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(Exchange(request, place, answer))
                }
            }
            .connect(host: place.host, port: place.port)
            .whenComplete { result in
                switch result {
                case .success(let channel): answer.futureResult.whenComplete { _ in channel.close(promise: nil) }
                case .failure(let error): answer.fail(error)
                }
            }
    }

    /// Sends the request and gathers the answer.
    private final class Exchange: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart
        typealias OutboundOut = HTTPClientRequestPart

        private let request: WebRequest
        private let place: WebSocketAgentTransport.URL
        private let answer: EventLoopPromise<[UInt8]>
        private var body: [UInt8] = []
        /// Told once; a name with several addresses makes several connections, of which one wins.
        private var hasAsked = false

        init(_ request: WebRequest, _ place: WebSocketAgentTransport.URL, _ answer: EventLoopPromise<[UInt8]>) {
            self.request = request
            self.place = place
            self.answer = answer
        }

        func channelActive(context: ChannelHandlerContext) {
            hasAsked = true
            var headers = HTTPHeaders([("Host", place.hostField), ("User-Agent", "tandem"), ("Accept", "*/*"), ("Connection", "close")])
            for field in request.headers { headers.add(name: field.name, value: field.value) }
            var body: ByteBuffer?
            if !request.isGet {
                let content = request.json.map { ByteBuffer(bytes: $0) } ?? ByteBuffer(string: FormField.write(request.form))
                headers.add(name: "Content-Type", value: request.json == nil ? FormField.mediaType : MediaTypes.json)
                headers.add(name: "Content-Length", value: "\(content.readableBytes)")
                body = content
            }
            let head = HTTPRequestHead(version: .http1_1, method: request.isGet ? .GET : .POST, uri: place.target, headers: headers)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if let body { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                if head.status != .ok { answer.fail(WebRequest.Failure(reason: "it answered HTTP \(head.status.code)")) }
            case .body(let part):
                guard body.count + part.readableBytes <= request.limit else {
                    return answer.fail(WebRequest.Failure(reason: "its answer is larger than \(request.limit >> 10) KiB"))
                }
                body.append(contentsOf: part.readableBytesView)
            case .end: answer.succeed(body)
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            if hasAsked { answer.fail(WebRequest.Failure(reason: "it closed the connection")) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if hasAsked { answer.fail(error) }
            context.close(promise: nil)
        }
    }
}
