import NIOCore

/// A packet of the accepted source, with its place in the sequence.
struct ReceivedPacket {
    var sequence: Int64
    var timestamp: UInt32
    var marker: Bool
    var payloadType: UInt8
    var kind: FormatTable.Kind
    /// Of its payload type; 0 for an unknown one.
    var clockRate: Int
    var arrival: NIODeadline
    var payload: UnsafeRawBufferPointer
    /// Where the packet's own sound begins in it, see `PacketContent`.
    var offset: Int

    /// The packet's own.
    var sound: UnsafeRawBufferPointer { offset == 0 ? payload : UnsafeRawBufferPointer(rebasing: payload[offset...]) }
}

/// Packets that wait for one before them, in order of sequence. Slots are allocated when first needed and then kept.
///
/// A packet taken out stays readable until `reclaim`.
struct HoldBuffer: ~Copyable {
    /// 60 ms of 2.5 ms packets, and then some for a burst after a stall.
    static let capacity = 32
    /// An Ethernet frame. Larger packets are not held; their hole is given up.
    static let slotSize = 1_500

    private struct Held {
        var packet: ReceivedPacket
        var slot: Int
    }

    private let held: UnsafeMutablePointer<Held>
    private let slots: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    private(set) var count = 0
    private var used: UInt32 = 0
    private var released: UInt32 = 0

    init() {
        held = .allocate(capacity: Self.capacity)
        slots = .allocate(capacity: Self.capacity)
        slots.initialize(repeating: nil, count: Self.capacity)
    }

    deinit {
        for index in 0..<Self.capacity { slots[index]?.deallocate() }
        slots.deallocate()
        held.deallocate()
    }

    var isEmpty: Bool { count == 0 }

    var first: ReceivedPacket? { count > 0 ? held[0].packet : nil }

    /// Slots of packets taken out before may be used again.
    mutating func reclaim() {
        used &= ~released
        released = 0
    }

    /// Copies the packet. Its sequence must not be here yet.
    /// - Returns: false when there is no room for it.
    mutating func insert(_ packet: ReceivedPacket) -> Bool {
        guard count < Self.capacity, packet.payload.count <= Self.slotSize, used != .max else { return false }
        let slot = (~used).trailingZeroBitCount
        let memory = slots[slot] ?? .allocate(byteCount: Self.slotSize, alignment: 16)
        slots[slot] = memory
        var copy = packet
        if let bytes = packet.payload.baseAddress { memory.copyMemory(from: bytes, byteCount: packet.payload.count) }
        copy.payload = UnsafeRawBufferPointer(start: memory, count: packet.payload.count)
        var index = count
        while index > 0 && held[index - 1].packet.sequence > packet.sequence {
            held[index] = held[index - 1]
            index -= 1
        }
        held[index] = Held(packet: copy, slot: slot)
        used |= 1 << UInt32(slot)
        count += 1
        return true
    }

    mutating func takeFirst() -> ReceivedPacket? {
        guard count > 0 else { return nil }
        let first = held[0]
        for index in 1..<max(count, 1) { held[index - 1] = held[index] }
        count -= 1
        released |= 1 << UInt32(first.slot)
        return first.packet
    }
}
