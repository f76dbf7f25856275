import RTP

/// Packets as arrays, as `SRTPReference` takes them.
extension SRTPContext {
    /// - Returns: the packet as it would leave; nil where it is refused
    public func seal(_ packet: [UInt8], isControl: Bool = false) -> [UInt8]? {
        var bytes = packet + [UInt8](repeating: 0, count: SRTPReference.room)
        let length = bytes.withUnsafeMutableBytes { buffer in
            buffer.baseAddress.flatMap {
                isControl
                    ? protectControl($0, length: packet.count, capacity: buffer.count)
                    : protect($0, length: packet.count, capacity: buffer.count)
            }
        }
        return length.map { Array(bytes[..<$0]) }
    }

    /// - Returns: the packet as it was before it was sealed; nil where it is refused
    public func open(_ packet: [UInt8], isControl: Bool = false) -> [UInt8]? {
        var bytes = packet
        let length = bytes.withUnsafeMutableBytes { buffer in
            buffer.baseAddress.flatMap {
                isControl ? unprotectControl($0, length: packet.count) : unprotect($0, length: packet.count)
            }
        }
        return length.map { Array(bytes[..<$0]) }
    }
}
