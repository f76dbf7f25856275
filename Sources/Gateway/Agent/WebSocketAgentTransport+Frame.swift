import NIOCore
import NIOWebSocket

extension WebSocketAgentTransport {
    /// Makes a client's frames (RFC 6455 5.2) of whole messages, around a payload that is in its place already.
    enum Frame {
        /// Bytes before the payload at most.
        static let longestHeader = 14

        /// Masks a payload and writes the header of one final frame right before it.
        /// - Parameters:
        ///   - memory: the payload lies at `longestHeader`, and what is before it is free
        ///   - count: bytes of payload
        ///   - mask: the masking key, in the order of its bytes in memory
        /// - Returns: the frame, a part of `memory`
        static func make(_ opcode: WebSocketOpcode, in memory: UnsafeMutableRawBufferPointer, count: Int, mask key: UInt32) -> UnsafeRawBufferPointer {
            let payload = UnsafeMutableRawBufferPointer(rebasing: memory[longestHeader..<(longestHeader + count)])
            mask(payload, with: key)
            let wide = count < 126 ? 0 : count <= 0xFFFF ? 2 : 8
            let start = longestHeader - 6 - wide
            memory[start] = 0x80 | UInt8(webSocketOpcode: opcode)
            memory[start + 1] = 0x80 | (wide == 0 ? UInt8(count) : wide == 2 ? 126 : 127)
            if wide == 2 { memory.storeBytes(of: UInt16(count).bigEndian, toByteOffset: start + 2, as: UInt16.self) }
            if wide == 8 { memory.storeBytes(of: UInt64(count).bigEndian, toByteOffset: start + 2, as: UInt64.self) }
            memory.storeBytes(of: key, toByteOffset: start + 2 + wide, as: UInt32.self)
            return UnsafeRawBufferPointer(rebasing: memory[start..<(longestHeader + count)])
        }

        private static func mask(_ payload: UnsafeMutableRawBufferPointer, with key: UInt32) {
            guard let bytes = payload.baseAddress else { return }
            let wide = UInt64(key) << 32 | UInt64(key)
            let whole = payload.count & ~7
            var place = 0
            while place < whole {
                bytes.storeBytes(of: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self) ^ wide, toByteOffset: place, as: UInt64.self)
                place &+= 8
            }
            withUnsafeBytes(of: wide) { key in
                while place < payload.count {
                    payload[place] ^= key[place & 7]
                    place &+= 1
                }
            }
        }
    }
}
