import NIOCore
import NIOWebSocket

extension WebSocketAgentTransport {
    /// What stands before a frame's payload (RFC 6455 5.2), read as soon as it is whole.
    struct FrameHeader {
        enum Reading {
            case incomplete
            /// Masked, or with reserved bits: a server may not.
            case refused
            /// More payload than a message may have.
            case tooLong
            /// A control frame in fragments, or of more than 125 bytes (5.5).
            case damagedControl
            case whole(FrameHeader)
        }

        var opcode: WebSocketOpcode
        var isFinal: Bool
        /// Bytes of the header itself.
        var length: Int
        /// Bytes that follow it.
        var payloadLength: Int

        private static let longestControl = 125

        /// - Parameter limit: bytes of payload at most
        static func read(_ bytes: ByteBuffer, limit: Int) -> Reading {
            bytes.withUnsafeReadableBytes { read($0, limit: limit) }
        }

        private static func read(_ bytes: UnsafeRawBufferPointer, limit: Int) -> Reading {
            guard bytes.count >= 2 else { return .incomplete }
            guard bytes[0] & 0x70 == 0, bytes[1] & 0x80 == 0 else { return .refused }
            let isFinal = bytes[0] & 0x80 != 0
            let short = Int(bytes[1] & 0x7F)
            guard bytes[0] & 0x08 == 0 || (isFinal && short <= longestControl) else { return .damagedControl }
            let wide = short < 126 ? 0 : short == 126 ? 2 : 8
            guard bytes.count >= 2 + wide else { return .incomplete }
            var payload = UInt64(short)
            if wide == 2 { payload = UInt64(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))) }
            if wide == 8 { payload = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self)) }
            guard payload <= UInt64(limit), let opcode = WebSocketOpcode(encodedWebSocketOpcode: bytes[0] & 0x0F) else { return .tooLong }
            return .whole(FrameHeader(opcode: opcode, isFinal: isFinal, length: 2 + wide, payloadLength: Int(payload)))
        }
    }
}
