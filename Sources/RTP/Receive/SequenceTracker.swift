/// Sequence numbers of one source, extended past their 16 bits (RFC 3550, A.1), with the memory needed to tell a
/// duplicate from a packet that is late.
struct SequenceTracker {
    /// A jump forward by this much or more is no loss but a restart (MAX_DROPOUT).
    static let maximumDropout: UInt16 = 3_000
    /// A step back by more than this is a restart too (MAX_MISORDER).
    static let maximumMisorder: UInt16 = 100

    enum Verdict: Equatable {
        /// Newer than all before it.
        case advanced(Int64)
        /// Older than the newest, and not seen before.
        case reordered(Int64)
        case duplicate
        /// Far away: dropped unless its successor follows.
        case suspect
        /// The second in sequence far away: the count begins anew here.
        case restarted(Int64)
    }

    private(set) var highest: Int64
    /// The first one expected. RFC 3550 calls it base_seq.
    private(set) var base: Int64
    /// Packets received since `base`, duplicates included.
    private(set) var received = 1
    /// The same without duplicates.
    private var seen = 1
    /// Losses before the last restart.
    private var lostBefore = 0
    /// Bit n: `highest - n` was seen; covers `maximumMisorder`.
    private var seenNewest: UInt64 = 1
    private var seenOlder: UInt64 = 0
    /// The number after a suspect one.
    private var restartCandidate: UInt16?

    init(first: UInt16) {
        highest = Int64(first)
        base = Int64(first)
    }

    /// Packets since `base` up to the newest.
    var expected: Int { Int(highest - base + 1) }

    /// Packets never seen, restarts included.
    var lost: Int { lostBefore + max(0, expected - seen) }

    mutating func receive(_ sequence: UInt16) -> Verdict {
        let ahead = sequence &- UInt16(truncatingIfNeeded: highest)
        if ahead != 0 && ahead < Self.maximumDropout {
            received += 1
            seen += 1
            restartCandidate = nil
            highest += Int64(ahead)
            shift(by: Int(ahead))
            return .advanced(highest)
        }
        let behind = 0 &- ahead
        if behind <= Self.maximumMisorder {
            received += 1
            guard mark(Int(behind)) else { return .duplicate }
            // Older than the first one: it was never expected, so it fills no hole.
            if highest - Int64(behind) >= base { seen += 1 }
            return .reordered(highest - Int64(behind))
        }
        if restartCandidate == sequence {
            let lost = lost
            self = SequenceTracker(first: sequence)
            lostBefore = lost
            return .restarted(highest)
        }
        restartCandidate = sequence &+ 1
        return .suspect
    }

    private mutating func shift(by count: Int) {
        if count < 64 {
            seenOlder = seenOlder << UInt64(count) | seenNewest >> UInt64(64 - count)
            seenNewest <<= UInt64(count)
        } else {
            seenOlder = count < 128 ? seenNewest << UInt64(count - 64) : 0
            seenNewest = 0
        }
        seenNewest |= 1
    }

    /// - Returns: false when it was seen before.
    private mutating func mark(_ age: Int) -> Bool {
        let bit = UInt64(1) << UInt64(age & 63)
        if age < 64 {
            defer { seenNewest |= bit }
            return seenNewest & bit == 0
        }
        defer { seenOlder |= bit }
        return seenOlder & bit == 0
    }
}
