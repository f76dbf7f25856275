import NIOCore
import NIOWebSocket

extension WebSocketAgentTransport {
    /// Writes a client's frames (RFC 6455 5.2): whole messages, masked while they are copied.
    enum Frame {
        /// Bytes before the payload at most.
        static let longestHeader = 14

        /// Appends one final frame to `buffer`.
        /// - Parameter mask: the masking key, in the order of its bytes in memory.
        static func write(_ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer, mask: UInt32, into buffer: inout ByteBuffer) {
            buffer.writeInteger(0x80 | UInt8(webSocketOpcode: opcode))
            switch payload.count {
            case ..<126: buffer.writeInteger(0x80 | UInt8(payload.count))
            case ...0xFFFF:
                buffer.writeInteger(0x80 | 126 as UInt8)
                buffer.writeInteger(UInt16(payload.count))
            default:
                buffer.writeInteger(0x80 | 127 as UInt8)
                buffer.writeInteger(UInt64(payload.count))
            }
            buffer.writeInteger(mask, endianness: .host)
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: payload.count) { target in
                copy(payload, masked: mask, into: target)
                return payload.count
            }
        }

        private static func copy(_ payload: UnsafeRawBufferPointer, masked mask: UInt32, into target: UnsafeMutableRawBufferPointer) {
            let wide = UInt64(mask) << 32 | UInt64(mask)
            let whole = payload.count & ~7
            var place = 0
            while place < whole {
                let word = payload.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                target.storeBytes(of: word ^ wide, toByteOffset: place, as: UInt64.self)
                place += 8
            }
            withUnsafeBytes(of: wide) { key in
                while place < payload.count {
                    target[place] = payload[place] ^ key[place & 7]
                    place += 1
                }
            }
        }
    }
}
