import Foundation
import NIOCore
import NIOPosix

/// A TCP connection of a test, which says byte for byte what it likes.
final class RawConnection {
    struct Response {
        var status: Int
        /// Names in lower case; values of equal names joined.
        var headers: [String: String]
        var body: String

        /// A member of a JSON body.
        subscript(_ member: String) -> String? {
            let object = try? JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
            return object?[member].map { "\($0)" }
        }
    }

    struct Frame: Equatable {
        var opcode: UInt8
        var payload: [UInt8]

        var text: String { String(decoding: payload, as: UTF8.self) }
        /// The code of a close.
        var code: Int? { opcode == 8 && payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil }

        subscript(_ member: String) -> String? {
            let object = try? JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any]
            return object?[member].map { "\($0)" }
        }
    }

    struct Closed: Error {}

    private let channel: any Channel
    private var input: AsyncStream<ByteBuffer>.Iterator
    private var buffer = ByteBuffer()

    init(port: Int, group: any EventLoopGroup) async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        channel = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Feed(continuation)) }
            }
            .connect(host: "127.0.0.1", port: port).get()
        input = stream.makeAsyncIterator()
    }

    private final class Feed: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let continuation: AsyncStream<ByteBuffer>.Continuation

        init(_ continuation: AsyncStream<ByteBuffer>.Continuation) { self.continuation = continuation }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { continuation.yield(unwrapInboundIn(data)) }
        func channelInactive(context: ChannelHandlerContext) { continuation.finish() }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    func send(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func close() async throws { try await channel.close() }

    /// Whether the server closes without a further byte.
    func isClosedByPeer() async -> Bool {
        guard buffer.readableBytes == 0 else { return false }
        return await input.next() == nil
    }

    // MARK: HTTP

    func request(_ method: String, _ path: String, _ headers: [String: String] = [:], body: String? = nil) async throws -> Response {
        var text = "\(method) \(path) HTTP/1.1\r\n"
        for (name, value) in ["Host": "gateway.example:8080"].merging(headers, uniquingKeysWith: { $1 }) { text += "\(name): \(value)\r\n" }
        if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
        try await send(text + "\r\n" + (body ?? ""))
        return try await response(hasBody: method != "HEAD")
    }

    func response(hasBody: Bool = true) async throws -> Response {
        let end = Array("\r\n\r\n".utf8)
        var head = ""
        while true {
            if let range = Data(buffer.readableBytesView).range(of: Data(end)) {
                head = buffer.readString(length: range.upperBound) ?? ""
                break
            }
            try await more()
        }
        let lines = head.components(separatedBy: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = line[..<colon].lowercased(), value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            headers[name] = headers[name].map { "\($0), \(value)" } ?? value
        }
        let length = hasBody ? Int(headers["content-length"] ?? "0") ?? 0 : 0
        return Response(status: Int(lines[0].split(separator: " ")[1]) ?? 0, headers: headers, body: String(decoding: try await bytes(length), as: UTF8.self))
    }

    // MARK: WebSocket

    /// The handshake; nil headers are left out.
    func handshake(path: String = "/signal", subprotocol: String? = "tandem.signal.v1", origin: String? = nil) async throws -> Response {
        var headers = [
            "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        ]
        headers["Sec-WebSocket-Protocol"] = subprotocol
        headers["Origin"] = origin
        return try await request("GET", path, headers)
    }

    func sendFrame(_ opcode: UInt8, _ payload: [UInt8], final: Bool = true, masked: Bool = true, reserved: UInt8 = 0) async throws {
        var bytes: [UInt8] = [(final ? 0x80 : 0) | reserved | opcode]
        let mask: UInt8 = masked ? 0x80 : 0
        switch payload.count {
        case ..<126: bytes.append(mask | UInt8(payload.count))
        case ..<65536: bytes += [mask | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default: bytes += [mask | 127] + (0..<8).reversed().map { UInt8(truncatingIfNeeded: payload.count >> ($0 * 8)) }
        }
        let key: [UInt8] = [0x37, 0xfa, 0x21, 0x3d]
        if masked { bytes += key }
        bytes += masked ? payload.enumerated().map { $1 ^ key[$0 & 3] } : payload
        try await send(bytes)
    }

    func sendText(_ text: String) async throws { try await sendFrame(1, Array(text.utf8)) }

    /// The next frame, whatever it is.
    func anyFrame() async throws -> Frame {
        let head = try await bytes(2)
        var length = Int(head[1] & 0x7f)
        if length == 126 { length = try await bytes(2).reduce(0) { $0 << 8 | Int($1) } }
        if length == 127 { length = try await bytes(8).reduce(0) { $0 << 8 | Int($1) } }
        return Frame(opcode: head[0] & 0x0f, payload: try await bytes(length))
    }

    /// The next frame that is no ping.
    func frame() async throws -> Frame {
        while true {
            let frame = try await anyFrame()
            if frame.opcode != 9 { return frame }
        }
    }

    /// The types of the next text messages.
    func types(_ count: Int) async throws -> [String] {
        var types: [String] = []
        for _ in 0..<count { types.append(try await frame()["type"] ?? "none") }
        return types
    }

    private func bytes(_ count: Int) async throws -> [UInt8] {
        while buffer.readableBytes < count { try await more() }
        return buffer.readBytes(length: count) ?? []
    }

    private func more() async throws {
        guard var next = await input.next() else { throw Closed() }
        buffer.writeBuffer(&next)
    }
}
