import NIOCore

/// A call to be made: whom to dial, over which hosts, as whom. What could break a message is refused here, by `init`, so that the
/// endpoint never has to.
public struct SIPCallOrder: Sendable {
    /// The caller's handle, by ``SIPCallID/outgoing(_:)``.
    public let id: SIPCallID
    let user: SIPUserPart
    /// Tried in this order: the next one after 408, 5xx, a timeout or a broken connection.
    public let targets: [SIPTarget]
    public let from: SIPCallerID
    let fromUser: SIPUserPart?
    /// Further fields of the INVITE.
    public let headers: [SIPHeaderField]
    /// Our session description.
    public let offer: String
    /// For 401 and 407; nil: a challenge ends the call.
    public let credentials: SIPCredentials?
    /// Written as it stands, so it is counted down already: ``SIPIncomingCall/onwardMaxForwards`` of a relayed call, 70 for one of
    /// our own. At 0 the call fails at once (483).
    public let maxForwards: Int
    /// How long one host may take from the INVITE to the answer; then CANCEL, and ``SIPFailure/Kind/noAnswer``.
    public let ringLimit: TimeAmount
    /// How long a host may be silent (not even 100) before the next one is tried. The last host has 64*T1, as RFC 3261 says.
    public let hostLimit: TimeAmount
    /// ``SIPIncomingCall/path`` of a relayed call, empty for one of our own: by it a call that comes back is known for a loop.
    public let path: [String]

    /// A phone rings a dozen times in a minute; voice boxes answer before.
    public static let defaultRingLimit = TimeAmount.seconds(60)
    /// Four lost INVITEs (at 0, 0.5, 1.5 and 3.5 s); callers do not wait 32 s for the second host.
    public static let defaultHostLimit = TimeAmount.seconds(6)
    public static let defaultMaxForwards = 70
    /// More is a mistake of the dial plan, and would not fit a datagram.
    public static let maximumHeaders = 32
    /// Of one header's value, in bytes.
    public static let maximumHeaderLength = 2_048

    /// - Parameters:
    ///   - number: the user part to dial, as plain text: percent-encoded here, refused if it is empty or holds control characters.
    ///   - maxForwards: 0...255.
    public init(
        id: SIPCallID, number: String, targets: [SIPTarget], from: SIPCallerID, headers: [SIPHeaderField] = [], offer: String,
        credentials: SIPCredentials? = nil, maxForwards: Int = defaultMaxForwards, ringLimit: TimeAmount = defaultRingLimit,
        hostLimit: TimeAmount = defaultHostLimit, path: [String] = []
    ) throws(SIPOrderError) {
        guard id.isOutgoing else { throw .handle }
        guard let user = SIPUserPart(number) else { throw .number }
        guard !targets.isEmpty else { throw .noTarget }
        for target in targets where !Self.isHost(target.host) || !NumericAddress.isNumeric(target.address.host) { throw .host(target.host) }
        if let host = from.host, !Self.isHost(host) { throw .host(host) }
        // A caller without a number, relayed, stays one.
        let isAnonymous = from.user.isEmpty || from.user.lowercased() == "anonymous"
        fromUser = isAnonymous ? nil : SIPUserPart(from.user)
        guard isAnonymous || fromUser != nil, from.displayName.utf8.count <= SIPUserPart.maximumLength else { throw .callerID }
        guard headers.count <= Self.maximumHeaders else { throw .tooManyHeaders }
        for header in headers { try Self.check(header) }
        self.id = id
        self.user = user
        self.targets = targets
        self.from = from
        self.headers = headers
        self.offer = offer
        self.credentials = credentials
        self.maxForwards = min(max(maxForwards, 0), 255)
        self.ringLimit = ringLimit
        self.hostLimit = hostLimit
        self.path = path
    }

    /// The number as given.
    public var number: String { user.text }

    /// Throws if a field may not be added to an INVITE; for those who want to know when they read it.
    public static func check(_ header: SIPHeaderField) throws(SIPOrderError) {
        let isClean = !header.value.utf8.contains { $0 < 32 && $0 != 9 || $0 == 127 }
        guard !header.name.isEmpty, header.name.utf8.allSatisfy(ByteScanner.isToken), isClean, header.value.utf8.count <= maximumHeaderLength
        else { throw .malformedHeader(header.name) }
        guard MessageWriter.isAcceptable(name: header.name, value: header.value), !reserved.contains(SIPHeader.canonical(header.name)) else {
            throw .reservedHeader(header.name)
        }
    }

    private static func isHost(_ host: String) -> Bool {
        if NumericAddress.isNumeric(host) { return true }
        return !host.isEmpty && host.utf8.count <= 253
            && host.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || "-._".utf8.contains($0) }
    }

    /// Beside those no message lets through: what the endpoint writes of itself, what the order says elsewhere, and demands it could not meet.
    private static let reserved: Set<String> = [
        "allow", "supported", "require", "proxy-require", "user-agent", "server", "accept", "accept-encoding", "authorization",
        "proxy-authorization", "www-authenticate", "proxy-authenticate", "p-asserted-identity", "content-encoding", "content-disposition",
        "session-expires", "min-se", "expires", "rseq", "rack", "replaces", "refer-to", "event", "recv-info", "info-package", "timestamp",
        "mime-version", CallPath.fieldName.lowercased(),
    ]
}
