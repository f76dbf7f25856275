/// The RTP packets sent last as they went out, protected, for those that are asked for again.
///
/// Sent again with the same bytes: nothing is encrypted twice under one number, and the peer's replay check takes what it has
/// not seen. Storage is allocated once.
public final class SentPackets {
    /// Larger packets are not kept: none of ours is.
    private static let slotSize = 1_500
    private static let capacity = RetransmissionHistory.capacity

    private let slots: UnsafeMutableRawPointer
    private let lengths: UnsafeMutablePointer<Int>

    public init() {
        slots = .allocate(byteCount: Self.capacity * Self.slotSize, alignment: 16)
        lengths = .allocate(capacity: Self.capacity)
        lengths.initialize(repeating: 0, count: Self.capacity)
    }

    deinit {
        slots.deallocate()
        lengths.deallocate()
    }

    /// Keeps a copy in place of an older packet.
    public func keep(_ packet: UnsafeRawBufferPointer) {
        guard let bytes = packet.baseAddress, (RTPPacketView.headerLength...Self.slotSize).contains(packet.count) else { return }
        let place = Self.place(of: Self.sequence(packet))
        (slots + place * Self.slotSize).copyMemory(from: bytes, byteCount: packet.count)
        lengths[place] = packet.count
    }

    /// The packet of that number, valid until the next `keep`; `nil` where it is not kept any more.
    public func packet(_ sequence: UInt16) -> UnsafeRawBufferPointer? {
        let place = Self.place(of: sequence)
        guard lengths[place] > 0 else { return nil }
        let packet = UnsafeRawBufferPointer(start: slots + place * Self.slotSize, count: lengths[place])
        return Self.sequence(packet) == sequence ? packet : nil
    }

    private static func place(of sequence: UInt16) -> Int { Int(sequence) & (capacity - 1) }

    private static func sequence(_ packet: UnsafeRawBufferPointer) -> UInt16 {
        UInt16(bigEndian: packet.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
    }
}
