import NIOCore
import NIOWebSocket

/// Whom a connection tells what comes of it.
protocol WebSocketAgentTransportOwner: AnyObject {
    func received(_ text: ByteBuffer, now: NIODeadline)
    func received(binary: ByteBuffer, now: NIODeadline)
    /// Once. Nothing is received after it.
    func ended(code: UInt16?, reason: String)
}

extension WebSocketAgentTransport {
    /// The connection once it is a WebSocket: puts messages together, answers pings, sends ours, and closes as RFC 6455 section 7 says.
    ///
    /// It finishes the close handshake by itself, also when its transport is gone.
    final class Handler: ChannelInboundHandler, StreamReader {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private enum State {
            case open
            /// Our Close frame is sent, the agent's is awaited.
            case closing
            /// Both were sent, or there is nothing to wait for: only the TCP connection is still to go.
            case ended
        }

        /// A message of which fragments are missing.
        private struct Partial {
            var message: ByteBuffer
            var isBinary: Bool
        }

        private(set) var isWritable = true

        /// Not weak, which would cost every message: the owner takes itself away before it goes.
        unowned(unsafe) var owner: (any WebSocketAgentTransportOwner)?
        private let limits: Limits
        private let masks: MaskingKeys
        private let room = FrameRoom()
        private var state = State.open
        private var context: ChannelHandlerContext?
        private var partial: Partial?
        private var lastHeard = NIODeadline.uptimeNanoseconds(0)
        private var timer: Scheduled<Void>?
        private var lastError: String?
        /// Storage of the last frame that went by the channel, used again once it is written.
        private var outgoing = ByteBuffer()
        /// The beginning of a frame whose rest is to come.
        private var held = ByteBuffer()

        /// Where the media loop reads the socket itself; nil with TLS.
        private let streams: (any StreamSet)?
        /// The way past the channel, from the upgrade to the first Close frame.
        private var direct: DirectSocket?
        /// While it is the event loop that reads.
        private var presence: ChannelPresence?
        /// Something went by the channel because the kernel did not take it: what comes later must not overtake it.
        private var mayWaitInChannel = false

        init(
            owner: (any WebSocketAgentTransportOwner)? = nil, limits: Limits, generator: any RandomNumberGenerator,
            streams: (any StreamSet)? = nil
        ) {
            self.owner = owner
            self.limits = limits
            masks = MaskingKeys(generator)
            self.streams = streams
        }

        // MARK: From the transport

        /// - Parameter presence: of the dial that is over
        func start(_ presence: ChannelPresence?) {
            guard let context else { return }
            self.presence = presence
            lastHeard = context.eventLoop.now
            scheduleBeat(context.eventLoop)
            goDirect(context)
        }

        func send(_ message: ByteBuffer, as opcode: WebSocketOpcode) {
            guard case .open = state else { return }
            message.withUnsafeReadableBytes { write(opcode, $0) }
        }

        /// - Parameter write: says how many bytes it wrote
        func send(_ opcode: WebSocketOpcode, atMost capacity: Int, _ write: (UnsafeMutableRawBufferPointer) -> Int) {
            guard case .open = state else { return }
            self.write(opcode, atMost: capacity, write)
        }

        func close(code: UInt16) {
            guard case .open = state else { return }
            state = .closing
            writeClose(code: code)
            limitClosing()
        }

        // MARK: ChannelInboundHandler

        func handlerAdded(context: ChannelHandlerContext) {
            self.context = context
            isWritable = context.channel.isWritable
        }

        func handlerRemoved(context: ChannelHandlerContext) {
            timer?.cancel()
            leaveDirect()
            presence = nil
            self.context = nil
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { take(unwrapInboundIn(data), now: context.eventLoop.now) }

        func channelReadComplete(context: ChannelHandlerContext) {
            // Parts of a long frame count as life too, so not in channelRead.
            lastHeard = context.eventLoop.now
            context.fireChannelReadComplete()
        }

        func channelWritabilityChanged(context: ChannelHandlerContext) {
            isWritable = context.channel.isWritable
            context.fireChannelWritabilityChanged()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            lastError = WebSocketAgentTransport.reason(error)
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            leaveDirect()
            switch state {
            case .open: end(code: nil, reason: lastError ?? "it broke off without a Close frame")
            case .closing: end(code: nil, reason: "closed")
            case .ended: break
            }
            context.fireChannelInactive()
        }

        // MARK: StreamReader

        func received(_ bytes: ByteBuffer) {
            guard context != nil else { return }
            // Of a real loop, as all that have streams are; asking it would be three far looks into memory.
            let now = NIODeadline.now()
            lastHeard = now
            take(bytes, now: now)
        }

        func streamEnded(error: Int32?) {
            if let error { lastError = WebSocketAgentTransport.reason(IOError(errnoCode: error, reason: "recv")) }
            guard let context else { return leaveDirect() }
            context.close(promise: nil)
        }

        func streamRefused(_ bytes: UnsafeRawBufferPointer) {
            mayWaitInChannel = true
            outgoing.clear(minimumCapacity: bytes.count)
            outgoing.writeBytes(bytes)
            writeToChannel()
        }

        /// Has the media loop read and write the socket; the channel reads no more, but when the far end goes.
        private func goDirect(_ context: ChannelHandlerContext) {
            guard let streams, let options = context.channel.syncOptions else { return }
            let channel = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
            guard let channel, (try? options.setOption(.autoRead, value: false)) != nil else { return }
            direct = DirectSocket(duplicating: channel, reader: self, in: streams)
            guard direct == nil else { return presence = nil }
            try? options.setOption(.autoRead, value: true)
        }

        /// Back to the channel, which ends the connection.
        private func leaveDirect() {
            guard let direct else { return }
            self.direct = nil
            direct.close()
            presence = streams.map(ChannelPresence.init)
            try? context?.channel.syncOptions?.setOption(.autoRead, value: true)
        }

        // MARK: Frames

        /// The connection's next bytes, whoever read them.
        private func take(_ bytes: ByteBuffer, now: NIODeadline) {
            guard held.readableBytes > 0 else {
                var bytes = bytes
                readFrames(&bytes, now: now)
                if bytes.readableBytes > 0 { held.writeImmutableBuffer(bytes) }
                return
            }
            held.writeImmutableBuffer(bytes)
            var whole = held
            held = ByteBuffer()
            readFrames(&whole, now: now)
            whole.discardReadBytes()
            // The storage of a long message is not kept.
            if whole.readableBytes > 0 || whole.capacity <= limits.backlog { held = whole }
        }

        private func readFrames(_ bytes: inout ByteBuffer, now: NIODeadline) {
            while true {
                if case .ended = state { return bytes.clear() }
                switch FrameHeader.read(bytes, limit: limits.message) {
                case .incomplete: return
                case .refused: fail(code: 1002, reason: "it sent a masked frame or reserved bits")
                case .tooLong: failTooLong()
                case .damagedControl: fail(code: 1002, reason: "it sent a damaged control frame")
                case .whole(let header):
                    guard bytes.readableBytes >= header.length + header.payloadLength else { return }
                    bytes.moveReaderIndex(forwardBy: header.length)
                    guard let payload = bytes.readSlice(length: header.payloadLength) else { return }
                    receive(header, payload, now: now)
                }
            }
        }

        private func receive(_ frame: FrameHeader, _ payload: ByteBuffer, now: NIODeadline) {
            switch frame.opcode {
            case .text, .binary, .continuation: receiveMessage(frame, payload, now: now)
            case .ping:
                if case .open = state { payload.withUnsafeReadableBytes { write(.pong, $0) } }
            case .pong: break
            case .connectionClose: receiveClose(payload)
            default: fail(code: 1002, reason: "it sent an unknown kind of frame")
            }
        }

        // MARK: Messages

        private func receiveMessage(_ frame: FrameHeader, _ payload: ByteBuffer, now: NIODeadline) {
            // Still read after our Close, for the agent's Close comes behind it, but told to nobody.
            guard case .open = state else { return }
            // Taken out while it grows: with a second owner each fragment would copy all before it.
            guard var whole = partial.take() else { return beginMessage(frame, payload, now: now) }
            guard frame.opcode == .continuation else { return failMixedUp() }
            guard whole.message.readableBytes + payload.readableBytes <= limits.message else { return failTooLong() }
            whole.message.writeImmutableBuffer(payload)
            if frame.isFinal { deliver(whole.message, isBinary: whole.isBinary, now: now) } else { partial = whole }
        }

        private func beginMessage(_ frame: FrameHeader, _ payload: ByteBuffer, now: NIODeadline) {
            guard frame.opcode != .continuation else { return failMixedUp() }
            let isBinary = frame.opcode == .binary
            if frame.isFinal { deliver(payload, isBinary: isBinary, now: now) } else { partial = Partial(message: payload, isBinary: isBinary) }
        }

        private func deliver(_ message: ByteBuffer, isBinary: Bool, now: NIODeadline) {
            guard isBinary || Self.isUTF8(message) else { return fail(code: 1007, reason: "it sent a text that is not UTF-8") }
            guard context != nil else { return }
            MediaPath.enter()
            if isBinary {
                owner?.received(binary: message, now: now)
            } else {
                owner?.received(message, now: now)
            }
            MediaPath.leave()
        }

        private static func isUTF8(_ text: ByteBuffer) -> Bool {
            (try? UTF8Span(validating: text.readableBytesUInt8Span)) != nil
        }

        private func failMixedUp() { fail(code: 1002, reason: "it mixed up the fragments of messages") }

        private func failTooLong() {
            fail(code: 1009, reason: "it sent a message of more than \(limits.message >> 10) KiB")
        }

        // MARK: The end

        private func receiveClose(_ payload: ByteBuffer) {
            var payload = payload
            let code = payload.readInteger(as: UInt16.self)
            guard payload.readableBytes == 0 || code != nil, code.map(Self.isCloseCode) ?? true else {
                return fail(code: 1002, reason: "it sent a damaged Close frame")
            }
            guard Self.isUTF8(payload) else { return fail(code: 1007, reason: "it gave a close reason that is not UTF-8") }
            if case .open = state {
                writeClose(code: code)
                limitClosing()
            }
            let words = String(buffer: payload)
            end(code: code ?? 1005, reason: "it closed with code \(code ?? 1005)" + (words.isEmpty ? "" : ": \(words)"))
        }

        /// Codes that may be on the wire (RFC 6455 7.4, and IANA's registry up to 1014).
        private static func isCloseCode(_ code: UInt16) -> Bool {
            switch code {
            case 1000...1003, 1007...1014, 3000...4999: true
            default: false
            }
        }

        /// The agent broke the protocol: says so with `code` and lets it go.
        private func fail(code: UInt16, reason: String) {
            switch state {
            case .open:
                writeClose(code: code)
                limitClosing()
                end(code: nil, reason: reason)
            case .closing: end(code: nil, reason: reason)
            case .ended: break
            }
        }

        private func end(code: UInt16?, reason: String) {
            state = .ended
            partial = nil
            owner?.ended(code: code, reason: reason)
        }

        /// The agent closes the TCP connection (RFC 6455 7.1.1), or we do when that takes too long.
        private func limitClosing() {
            timer?.cancel()
            timer = context?.eventLoop.assumeIsolated().scheduleTask(in: limits.closing) {
                self.context?.close(promise: nil)
            }
        }

        // MARK: Liveness

        private func scheduleBeat(_ loop: any EventLoop) {
            let next = min(loop.now + limits.ping, lastHeard + limits.silence)
            timer = loop.assumeIsolated().scheduleTask(deadline: next) { self.beat() }
        }

        private func beat() {
            guard case .open = state, let context else { return }
            guard context.eventLoop.now - lastHeard < limits.silence else {
                end(code: nil, reason: "nothing came from it for \(limits.silence.nanoseconds / 1_000_000_000) s")
                context.close(promise: nil)
                return
            }
            write(.ping, UnsafeRawBufferPointer(start: nil, count: 0))
            scheduleBeat(context.eventLoop)
        }

        // MARK: Writing

        private func writeClose(code: UInt16?) {
            if let code {
                withUnsafeBytes(of: code.bigEndian) { write(.connectionClose, $0) }
            } else {
                write(.connectionClose, UnsafeRawBufferPointer(start: nil, count: 0))
            }
            leaveDirect()
        }

        private func write(_ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer) {
            write(opcode, atMost: payload.count) {
                $0.copyMemory(from: payload)
                return payload.count
            }
        }

        private func write(_ opcode: WebSocketOpcode, atMost capacity: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int) {
            // What takes no way by the channel does not touch it either.
            guard context != nil else { return }
            var goesByChannel = false
            room.with(capacity + Frame.longestHeader) { memory in
                let count = body(UnsafeMutableRawBufferPointer(rebasing: memory[Frame.longestHeader..<(Frame.longestHeader + capacity)]))
                let frame = Frame.make(opcode, in: memory, count: min(count, capacity), mask: masks.next())
                if let direct, !mayWaitInChannel || !waitsInChannel() { return direct.write(UnsafeRawBufferPointer(frame)) }
                outgoing.clear(minimumCapacity: frame.count)
                outgoing.writeBytes(frame)
                goesByChannel = true
            }
            if goesByChannel { writeToChannel() }
        }

        private func writeToChannel() {
            guard let context else { return }
            // What NIO does with it is a budget of its own.
            MediaPath.leave()
            context.writeAndFlush(wrapOutboundOut(outgoing), promise: nil)
            MediaPath.enter()
            if !isWritable { giveUpIfOverflowing(context) }
        }

        private func waitsInChannel() -> Bool {
            mayWaitInChannel = (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) != 0
            return mayWaitInChannel
        }

        private func giveUpIfOverflowing(_ context: ChannelHandlerContext) {
            guard case .open = state, let waiting = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes),
                waiting > limits.overflow
            else { return }
            end(code: nil, reason: "it does not read what it is sent")
            context.close(promise: nil)
        }
    }
}
