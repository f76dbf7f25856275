import NIOCore

/// The sending half: one SSRC, one sequence space, one timestamp axis for sound and keys alike.
struct PacketSender {
    let ssrc: UInt32
    /// Added to the timestamps of our axis (RFC 3550, 5.1: random).
    private let timestampOffset: UInt32
    private(set) var nextSequence: UInt16
    private(set) var packets = 0
    /// Payload bytes.
    private(set) var octets = 0
    private(set) var lastTimestamp: Int64?
    /// Our axis and the clock, together.
    private var anchor: (timestamp: Int64, at: NIODeadline)?

    init(ssrc: UInt32, firstSequence: UInt16, timestampOffset: UInt32) {
        self.ssrc = ssrc
        self.timestampOffset = timestampOffset
        nextSequence = firstSequence
    }

    /// - Parameter standsStill: the timestamp is that of a key's beginning, and says nothing of `now`
    /// - Returns: the packet's length; 0 when the buffer is too small for it.
    mutating func write(
        _ payload: UnsafeRawBufferPointer, payloadType: UInt8, timestamp: Int64, marker: Bool,
        standsStill: Bool = false, now: NIODeadline, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int {
        let length = RTPPacketView.headerLength + payload.count
        guard let base = buffer.baseAddress, length <= buffer.count else { return 0 }
        // The payload first: it may already lie in this buffer.
        if let bytes = payload.baseAddress {
            (base + RTPPacketView.headerLength).copyMemory(from: bytes, byteCount: payload.count)
        }
        let first = 0x8000 | (marker ? 0x80 : 0) | UInt16(payloadType & 0x7F)
        base.storeBytes(of: first.bigEndian, as: UInt16.self)
        base.storeBytes(of: nextSequence.bigEndian, toByteOffset: 2, as: UInt16.self)
        base.storeBytes(of: onWire(timestamp).bigEndian, toByteOffset: 4, as: UInt32.self)
        base.storeBytes(of: ssrc.bigEndian, toByteOffset: 8, as: UInt32.self)
        nextSequence &+= 1
        packets += 1
        octets += payload.count
        lastTimestamp = timestamp
        if !standsStill || anchor == nil { anchor = (timestamp, now) }
        return length
    }

    /// What our axis says now, on the wire: for sender reports. `nil` before the first packet.
    func timestampOnWire(now: NIODeadline, clockRate: Int) -> UInt32? {
        guard let anchor else { return nil }
        let elapsed = (now - anchor.at).nanoseconds / 1_000 * Int64(clockRate) / 1_000_000
        return onWire(anchor.timestamp &+ elapsed)
    }

    private func onWire(_ timestamp: Int64) -> UInt32 {
        timestampOffset &+ UInt32(truncatingIfNeeded: timestamp)
    }
}
