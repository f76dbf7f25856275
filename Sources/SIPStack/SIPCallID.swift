/// Our handle of one call leg: an INVITE and the dialog it makes. Unique within one endpoint, never used again.
///
/// The endpoint numbers the calls that come in; those that go out are numbered by who orders them, before the endpoint (on another
/// thread) hears of it. The highest bit keeps both apart.
public struct SIPCallID: Hashable, Sendable, CustomStringConvertible {
    public let number: UInt64

    private static let outgoingBit: UInt64 = 1 << 63

    /// A call that came in, or any call by its whole number.
    public init(_ number: UInt64) { self.number = number }

    /// The handle of a call that goes out: `number` is the caller's own count, below 2^63, never used twice.
    public static func outgoing(_ number: UInt64) -> SIPCallID { SIPCallID(number | outgoingBit) }

    /// Whether it was made by ``outgoing(_:)``.
    public var isOutgoing: Bool { number & Self.outgoingBit != 0 }

    public var description: String { isOutgoing ? "out\(number & ~Self.outgoingBit)" : String(number) }
}
