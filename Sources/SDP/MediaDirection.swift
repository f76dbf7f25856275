/// Which way media flows, seen from the one who says it (RFC 8866 section 6.7).
public enum MediaDirection: String, Sendable, Hashable, CaseIterable {
    case sendrecv
    case sendonly
    case recvonly
    case inactive

    /// From its two halves.
    public init(sends: Bool, receives: Bool) {
        switch (sends, receives) {
        case (true, true): self = .sendrecv
        case (true, false): self = .sendonly
        case (false, true): self = .recvonly
        case (false, false): self = .inactive
        }
    }

    /// Whether the one who says it sends.
    public var sends: Bool { self == .sendrecv || self == .sendonly }

    /// Whether the one who says it receives.
    public var receives: Bool { self == .sendrecv || self == .recvonly }

    /// The same flow seen from the other side: `sendonly` becomes `recvonly`.
    public var reversed: MediaDirection { MediaDirection(sends: receives, receives: sends) }

    /// What both allow, seen from the same side.
    public func intersection(_ other: MediaDirection) -> MediaDirection {
        MediaDirection(sends: sends && other.sends, receives: receives && other.receives)
    }
}
