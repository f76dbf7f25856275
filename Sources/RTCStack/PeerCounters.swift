/// What went through a `PeerSession`, in datagrams.
public struct PeerCounters: Sendable, Hashable {
    /// Checks answered with success.
    public var checks: UInt64 = 0
    /// Checks refused: not for us, wrong password, wrong role, unknown attributes.
    public var checksRefused: UInt64 = 0
    public var handshake: UInt64 = 0
    public var media: UInt64 = 0
    public var control: UInt64 = 0
    /// Media and control that came before there were keys.
    public var early: UInt64 = 0
    /// Media and control that failed authentication, or were replays.
    public var forged: UInt64 = 0
    /// Datagrams that are nothing we know, or malformed STUN.
    public var malformed: UInt64 = 0
    /// DTLS from an address without an authenticated check, beyond what is kept.
    public var unvalidated: UInt64 = 0

    public init() {}
}
