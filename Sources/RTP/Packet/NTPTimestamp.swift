/// Wall clock time as sender reports carry it (RFC 3550, 4): seconds since 1900 and a binary fraction.
public struct NTPTimestamp: Hashable, Sendable {
    public var seconds: UInt32
    /// In units of 1/2^32 s.
    public var fraction: UInt32

    /// Seconds from 1900 to 1970.
    private static let unixEpoch: UInt64 = 2_208_988_800

    public init(seconds: UInt32, fraction: UInt32) {
        self.seconds = seconds
        self.fraction = fraction
    }

    /// - Parameter unixNanoseconds: `CLOCK_REALTIME`
    public init(unixNanoseconds: UInt64) {
        let (seconds, nanoseconds) = unixNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        self.seconds = UInt32(truncatingIfNeeded: seconds &+ Self.unixEpoch)
        fraction = UInt32((nanoseconds << 32) / 1_000_000_000)
    }

    /// The middle 32 bits, by which reports refer to each other: 1/65536 s, wrapping after 18 hours.
    public var middle: UInt32 { seconds << 16 | fraction >> 16 }
}
