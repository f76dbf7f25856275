import NIOCore
import NIOHTTP1
import NIOWebSocket

extension WebSocketAgentTransport {
    /// Why a connection was not made, as a clause that goes on from "it".
    struct Refusal: Error {
        var reason: String
    }

    /// The opening handshake (RFC 6455 section 4.1): one HTTP/1.1 request, whose answer turns the channel into a WebSocket.
    struct UpgradeRequest: Sendable {
        private let head: HTTPRequestHead
        private let key: Key
        private let subprotocol: String?

        /// `Sec-WebSocket-Key`: 16 random bytes in base64.
        struct Key: Sendable {
            let text: String

            static func random(using generator: inout any RandomNumberGenerator) -> Key {
                // A concrete type for NIO's generic function; the randomness is the caller's.
                var source = Source(base: generator)
                let text = NIOWebSocketClientUpgrader.randomRequestKey(using: &source)
                generator = source.base
                return Key(text: text)
            }

            private struct Source: RandomNumberGenerator {
                var base: any RandomNumberGenerator
                mutating func next() -> UInt64 { base.next() }
            }
        }

        init(url: URL, token: String?, subprotocol: String?, signature: RequestSignature? = nil, key: Key) throws(Refusal) {
            var headers = HTTPHeaders()
            headers.add(name: "Host", value: url.hostField)
            if let token {
                // NIO would drop the request without a word.
                guard token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                    throw Refusal(reason: "its token has characters that no HTTP header may have")
                }
                headers.add(name: "Authorization", value: "Bearer \(token)")
            }
            if let subprotocol { headers.add(name: "Sec-WebSocket-Protocol", value: subprotocol) }
            if let signature { headers.add(name: signature.header, value: signature.value) }
            headers.add(name: "User-Agent", value: "tandem")
            head = HTTPRequestHead(version: .http1_1, method: .GET, uri: url.target, headers: headers)
            self.key = key
            self.subprotocol = subprotocol
        }

        /// Sets up `channel` so that it asks as soon as it is connected and then delivers what comes to `handler`.
        /// - Returns: fails with what the agent answered instead.
        func upgrade(_ channel: any Channel, to handler: Handler) throws -> EventLoopFuture<Void> {
            let refusal = channel.eventLoop.makePromise(of: Void.self)
            let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
            let upgrader = Upgrader(
                websocket: NIOTypedWebSocketClientUpgrader(requestKey: key.text) { channel, _ in channel.eventLoop.makeSucceededVoidFuture() },
                subprotocol: subprotocol, handler: bound)
            let configuration = NIOTypedHTTPClientUpgradeConfiguration(upgradeRequestHead: head, upgraders: [upgrader]) { channel in
                // The answer is handed to whoever comes last in the pipeline.
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AnswerReader(refusal: refusal))
                    return false
                }
            }
            var pipeline = NIOUpgradableHTTPClientPipelineConfiguration(upgradeConfiguration: configuration)
            // An agent may speak in the same packet as its 101.
            pipeline.leftOverBytesStrategy = .forwardBytes
            let outcome: EventLoopFuture<Bool>
            do {
                outcome = try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(configuration: pipeline)
            } catch {
                refusal.fail(error)
                throw error
            }
            outcome.whenComplete { result in
                switch result {
                case .success(true): refusal.succeed()
                case .success(false): break
                case .failure(let error): refusal.fail(error)
                }
            }
            return refusal.futureResult
        }
    }

    /// NIO's handshake, with what the standard asks of a client beyond it, and with a handler that reads and writes its own frames.
    private struct Upgrader: NIOTypedHTTPClientProtocolUpgrader {
        let websocket: NIOTypedWebSocketClientUpgrader<Void>
        let subprotocol: String?
        let handler: NIOLoopBound<Handler>

        var supportedProtocol: String { websocket.supportedProtocol }
        var requiredUpgradeHeaders: [String] { websocket.requiredUpgradeHeaders }

        func addCustom(upgradeRequestHeaders: inout HTTPHeaders) {
            websocket.addCustom(upgradeRequestHeaders: &upgradeRequestHeaders)
        }

        func shouldAllowUpgrade(upgradeResponse: HTTPResponseHead) -> Bool {
            websocket.shouldAllowUpgrade(upgradeResponse: upgradeResponse)
        }

        func upgrade(channel: any Channel, upgradeResponse: HTTPResponseHead) -> EventLoopFuture<Bool> {
            channel.eventLoop.makeCompletedFuture {
                let selected = upgradeResponse.headers[canonicalForm: "Sec-WebSocket-Protocol"].map(String.init)
                guard selected == [subprotocol].compactMap({ $0 }) else {
                    throw Refusal(reason: subprotocol.map { "it did not select the subprotocol \($0)" } ?? "it selected a subprotocol unasked")
                }
                guard !upgradeResponse.headers.contains(name: "Sec-WebSocket-Extensions") else {
                    throw Refusal(reason: "it selected an extension unasked")
                }
                try channel.pipeline.syncOperations.addHandler(handler.value)
                return true
            }
        }
    }

    /// Reads the status of an answer that is no upgrade.
    private final class AnswerReader: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart

        private let refusal: EventLoopPromise<Void>

        init(refusal: EventLoopPromise<Void>) { self.refusal = refusal }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if case .head(let head) = unwrapInboundIn(data) {
                refusal.fail(Refusal(reason: "it answered HTTP \(head.status.code)"))
            }
        }

        func handlerRemoved(context: ChannelHandlerContext) {
            refusal.fail(Refusal(reason: "it closed the connection"))
        }
    }
}
