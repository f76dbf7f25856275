import NIOCore

/// Decides whose packets count on a trunk's RTP port and where ours go: the address of the session description,
/// unless the peer provably sits behind a NAT that changes it.
///
/// Another source is taken only when nothing came from the described address, its IP address is one the peer may use,
/// and several packets in sequence with a negotiated payload type came. Then it stays, until a re-INVITE or a silence.
public struct SourceLatch: Sendable {
    /// Packets in sequence that a source other than the described one must show at first.
    public static let packetsToLatch = 3
    /// Packets in sequence that it takes to move away from a source that has fallen silent.
    public static let packetsToMove = 5
    /// Silence after which another source may take over.
    public static let silenceToMove = TimeAmount.seconds(2)
    /// A candidate that pauses for this long loses its turn to another.
    private static let candidatePatience = TimeAmount.milliseconds(200)

    private struct Candidate: Sendable {
        var source: TransportAddress
        var next: UInt16
        var packets: Int
        var lastHeard: NIODeadline
    }

    private enum State: Sendable {
        /// Nobody counts yet. After a re-INVITE that left the address as it was, the earlier source still does.
        case open(earlier: TransportAddress?)
        case fixed(TransportAddress, lastHeard: NIODeadline)
    }

    private var state = State.open(earlier: nil)
    private var described: TransportAddress?
    private let signallingPeer: TransportAddress?
    private let acceptFrom: [AddressPrefix]
    private var candidate: Candidate?

    /// - Parameters:
    ///   - sdpAddress: connection address and port of the peer's session description; `nil` or unspecified (0.0.0.0)
    ///     while it has none
    ///   - signallingPeer: where its SIP comes from, the port does not matter
    ///   - acceptFrom: the trunk's `accept_from`
    public init(sdpAddress: TransportAddress?, signallingPeer: TransportAddress?, acceptFrom: [AddressPrefix]) {
        described = Self.usable(sdpAddress)
        self.signallingPeer = signallingPeer
        self.acceptFrom = acceptFrom
    }

    /// Where our packets go; `nil` while no address is known.
    public var destination: TransportAddress? {
        switch state {
        case .fixed(let source, _): source
        case .open(let earlier): earlier ?? described
        }
    }

    /// Whether the peer's packets come from elsewhere than it said.
    public var isLatched: Bool {
        guard let destination, let described else { return destination != nil }
        return destination != described
    }

    /// A new session description from the peer: whoever was fixed must show itself again.
    public mutating func renegotiated(sdpAddress: TransportAddress?) {
        let new = Self.usable(sdpAddress)
        // The same address again (hold, resume) must not send our sound back to an address behind a NAT.
        let earlier = new == described || new == nil ? destination : nil
        described = new ?? described
        state = .open(earlier: earlier == described ? nil : earlier)
        candidate = nil
    }

    /// Whether an RTP packet counts.
    /// - Parameters:
    ///   - sequence: its sequence number
    ///   - payloadTypeNegotiated: whether its payload type is one of the session's
    public mutating func accept(
        from source: TransportAddress, sequence: UInt16, payloadTypeNegotiated: Bool, now: NIODeadline
    ) -> Bool {
        switch state {
        case .fixed(source, _):
            state = .fixed(source, lastHeard: now)
            candidate = nil
            return true
        case .fixed(_, let lastHeard):
            guard now - lastHeard >= Self.silenceToMove else { return false }
            return consider(
                source, sequence: sequence, payloadTypeNegotiated: payloadTypeNegotiated,
                packets: Self.packetsToMove, now: now)
        case .open(let earlier):
            if source == described {
                fix(source, now: now)
                return true
            }
            let isEnough = consider(
                source, sequence: sequence, payloadTypeNegotiated: payloadTypeNegotiated,
                packets: Self.packetsToLatch, now: now)
            return isEnough || source == earlier
        }
    }

    /// Whether an RTCP packet counts. Its port is another than RTP's, and a NAT may have changed that too.
    public func acceptsControl(from source: TransportAddress) -> Bool {
        destination?.hasSameHost(as: source) ?? false
    }

    private mutating func consider(
        _ source: TransportAddress, sequence: UInt16, payloadTypeNegotiated: Bool, packets: Int, now: NIODeadline
    ) -> Bool {
        guard payloadTypeNegotiated, mayLatch(source) else { return false }
        var count = 1
        if let candidate {
            if candidate.source == source {
                if candidate.next == sequence { count = candidate.packets + 1 }
            } else if now - candidate.lastHeard < Self.candidatePatience {
                return false
            }
        }
        guard count < packets else {
            fix(source, now: now)
            return true
        }
        candidate = Candidate(source: source, next: sequence &+ 1, packets: count, lastHeard: now)
        return false
    }

    private mutating func fix(_ source: TransportAddress, now: NIODeadline) {
        state = .fixed(source, lastHeard: now)
        candidate = nil
    }

    private func mayLatch(_ source: TransportAddress) -> Bool {
        described?.hasSameHost(as: source) ?? false || signallingPeer?.hasSameHost(as: source) ?? false
            || acceptFrom.contains { $0.contains(source) }
    }

    private static func usable(_ address: TransportAddress?) -> TransportAddress? {
        guard let address, !address.isUnspecified, address.port != 0 else { return nil }
        return address
    }
}
