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

    /// A header extension of one byte's header and a number of 16 bits (RFC 8285 section 4.2).
    struct Extension {
        /// 1 to 14.
        var identifier: UInt8
        var number: UInt16

        /// With the profile's word.
        static let length = 8
        /// What stands in front of elements in the one-byte form.
        static let profile: UInt16 = 0xBEDE
    }

    /// - Parameter standsStill: the timestamp is that of a key's beginning, and says nothing of `now`
    /// - Returns: the packet's length; 0 when the buffer is too small for it.
    mutating func write(
        _ payload: UnsafeRawBufferPointer, payloadType: UInt8, timestamp: Int64, marker: Bool,
        standsStill: Bool = false, extending extra: Extension? = nil, now: NIODeadline, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int {
        let header = RTPPacketView.headerLength + (extra == nil ? 0 : Extension.length)
        let length = header + payload.count
        guard let base = buffer.baseAddress, length <= buffer.count else { return 0 }
        // The payload first: it may already lie in this buffer.
        if let bytes = payload.baseAddress {
            (base + header).copyMemory(from: bytes, byteCount: payload.count)
        }
        let first = (extra == nil ? 0x8000 : 0x9000) | (marker ? 0x80 : 0) | UInt16(payloadType & 0x7F)
        base.storeBytes(of: first.bigEndian, as: UInt16.self)
        base.storeBytes(of: nextSequence.bigEndian, toByteOffset: 2, as: UInt16.self)
        base.storeBytes(of: onWire(timestamp).bigEndian, toByteOffset: 4, as: UInt32.self)
        base.storeBytes(of: ssrc.bigEndian, toByteOffset: 8, as: UInt32.self)
        if let extra {
            base.storeBytes(of: UInt32(0xBEDE_0001).bigEndian, toByteOffset: 12, as: UInt32.self)
            // The length is one less than the bytes that follow; a byte of padding fills the word.
            let element = UInt32(extra.identifier & 0x0F) << 28 | 1 << 24 | UInt32(extra.number) << 8
            base.storeBytes(of: element.bigEndian, toByteOffset: 16, as: UInt32.self)
        }
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
