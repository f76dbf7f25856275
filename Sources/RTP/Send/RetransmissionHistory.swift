import NIOCore

/// Decides which of the packets sent last are sent again when the peer says that they are missing (RFC 4585 section 6.2.1).
///
/// A packet goes again only while it can still be of use, not twice within a round trip, and never more than half as many as
/// are sent anew: a peer that asks for everything all the time costs little. Knows numbers and times, not the packets.
struct RetransmissionHistory: ~Copyable {
    /// Packets remembered: 640 ms of the usual ones. A power of two.
    static let capacity = 32
    /// A packet sent so long ago is of no use to any jitter buffer.
    static let maximumAge = TimeAmount.milliseconds(500)
    /// With a longer round trip what is sent again comes too late.
    static let maximumRoundTrip = 250.0
    /// While no round trip is known, and at least: between two of the same packet, milliseconds.
    private static let shortestInterval = 20.0
    /// Every packet sent earns one, every one sent again costs two.
    private static let mostCredit = 32
    private static let cost = 2

    private struct Sent {
        var sequence: UInt16
        var at: NIODeadline
        var again: NIODeadline?
    }

    /// Allocated with the first packet, by sequence number.
    private var memory: UnsafeMutablePointer<Sent?>?
    private var credit = 0

    deinit { memory?.deallocate() }

    mutating func sent(_ sequence: UInt16, now: NIODeadline) {
        let memory = memory ?? Self.allocate()
        self.memory = memory
        memory[Int(sequence) & (Self.capacity - 1)] = Sent(sequence: sequence, at: now)
        credit = min(credit + 1, Self.mostCredit)
    }

    /// - Parameter roundTrip: milliseconds, as far as known
    /// - Returns: whether the packet is to be sent again now.
    mutating func mayResend(_ sequence: UInt16, roundTrip: Double?, now: NIODeadline) -> Bool {
        guard let place = memory.map({ $0 + (Int(sequence) & (Self.capacity - 1)) }), let sent = place.pointee, sent.sequence == sequence,
            now - sent.at <= Self.maximumAge, roundTrip ?? 0 <= Self.maximumRoundTrip, credit >= Self.cost
        else { return false }
        if let again = sent.again {
            let interval = max(roundTrip ?? 0, Self.shortestInterval)
            guard Double((now - again).nanoseconds) / 1e6 >= interval else { return false }
        }
        place.pointee?.again = now
        credit -= Self.cost
        return true
    }

    private static func allocate() -> UnsafeMutablePointer<Sent?> {
        let memory = UnsafeMutablePointer<Sent?>.allocate(capacity: capacity)
        memory.initialize(repeating: nil, count: capacity)
        return memory
    }
}
