import NIOCore
import NIOWebSocket

/// Puts the frames of a browser together to text messages (RFC 6455 section 5.4), or says with which code to close.
struct WebSocketMessages {
    /// The largest message, in bytes.
    static let limit = 256 * 1024
    /// Fragments of one message at most: many tiny ones cost more than they carry.
    static let fragmentLimit = 4096

    enum Result: Equatable {
        case text(ByteBuffer)
        /// More fragments have to come, or a frame that needs no answer.
        case nothing
        /// A pong with these bytes has to be sent.
        case pong(ByteBuffer)
        /// The browser closes, or has answered our close.
        case closed(WebSocketErrorCode)
        /// The connection has to be closed with this code.
        case refuse(WebSocketErrorCode)
    }

    private var partial: ByteBuffer?
    private var fragments = 0

    mutating func receive(_ frame: WebSocketFrame) -> Result {
        // Browsers mask every frame (section 5.1), and no extension was agreed on that would use the reserved bits.
        guard frame.maskKey != nil, !frame.rsv1, !frame.rsv2, !frame.rsv3 else { return .refuse(.protocolError) }
        var data = frame.unmaskedData
        switch frame.opcode {
        case .text:
            guard partial == nil else { return .refuse(.protocolError) }
            guard frame.fin else {
                fragments = 1
                partial = data
                return .nothing
            }
            return message(data)
        case .continuation:
            guard var whole = partial.take() else { return .refuse(.protocolError) }
            fragments += 1
            guard whole.readableBytes + data.readableBytes <= Self.limit, fragments <= Self.fragmentLimit else {
                return .refuse(.messageTooLarge)
            }
            whole.writeBuffer(&data)
            if frame.fin { return message(whole) }
            partial = whole
            return .nothing
        case .binary: return .refuse(.unacceptableData)
        case .ping: return .pong(data)
        case .pong: return .nothing
        case .connectionClose: return .closed(Self.closeCode(&data))
        default: return .refuse(.protocolError)
        }
    }

    private func message(_ data: ByteBuffer) -> Result {
        guard data.readableBytes <= Self.limit else { return .refuse(.messageTooLarge) }
        guard String(validating: data.readableBytesView, as: UTF8.self) != nil else { return .refuse(.dataInconsistentWithMessage) }
        return .text(data)
    }

    /// The code to answer a close with: the peer's own, where it is one that may stand on the wire (section 7.4).
    private static func closeCode(_ data: inout ByteBuffer) -> WebSocketErrorCode {
        guard data.readableBytes > 0 else { return .normalClosure }
        guard let number = data.readInteger(as: UInt16.self) else { return .protocolError }
        switch number {
        case 1000...1003, 1007...1014, 3000...4999: return WebSocketErrorCode(codeNumber: Int(number))
        default: return .protocolError
        }
    }
}
