import NIOCore

/// The whole SIP side of one gateway: reader, transactions and dialogs as one engine (RFC 3261, 3581, 6026).
///
/// It has no socket, no clock and no source of randomness: messages come in by `receive`, time by `expire`, commands by name, and
/// everything it wants is appended to the caller's list of ``SIPOutput``. Nothing that arrives traps or throws. It belongs to one thread.
public struct SIPEndpoint: Sendable {
    public struct Listener: Sendable, Hashable {
        public var transport: SIPTransport
        /// What far ends are told to reach us at: an IP address or a name, IPv6 without brackets.
        public var host: String
        public var port: Int

        public init(transport: SIPTransport, host: String, port: Int) {
            self.transport = transport
            self.host = host
            self.port = port
        }
    }

    public struct Configuration: Sendable {
        /// In the order of the driver's sockets: ``SIPFlow/listener`` is an index into it.
        public var listeners: [Listener]
        /// For the Server and User-Agent fields.
        public var serverName: String
        public var timers: SIPTimers
        /// A transaction lives 32 s over UDP, so the default admits 500 requests a second and bounds memory to some 50 MB; beyond it
        /// requests get 503, but for the BYE and the CANCEL of what there is, which make room.
        public var maximumServerTransactions = 16_384

        public init(listeners: [Listener], serverName: String, timers: SIPTimers = SIPTimers()) {
            self.listeners = listeners
            self.serverName = serverName
            self.timers = timers
        }
    }

    /// While set, OPTIONS outside a dialog get 503 with Retry-After of so many seconds, so that trunks send calls elsewhere.
    public var drainRetryAfterSeconds: Int?

    let configuration: Configuration
    var random: any RandomNumberGenerator & Sendable
    var totals = SIPCounters()

    /// Owners of deadlines.
    enum Owner: Hashable, Sendable {
        case server(UInt64)
        case client(UInt64)
        case call(SIPCallID)
        /// A call of ours without an outcome.
        case outgoing(SIPCallID)
    }

    var timers = DeadlineQueue<Owner>()
    var nextNumber: UInt64 = 1
    var serverTransactions: [UInt64: ServerTransaction] = [:]
    var serverIndex: [ServerTransactionKey: UInt64] = [:]
    var mergeIndex: [MergeKey: UInt64] = [:]
    var clientTransactions: [UInt64: ClientTransaction] = [:]
    var clientIndex: [ClientTransactionKey: UInt64] = [:]
    /// INVITEs of ours, numbered and indexed together with the other client transactions.
    var clientInvites: [UInt64: ClientInvite] = [:]
    var outgoing: [SIPCallID: OutgoingCall] = [:]
    var outgoingByTag: [String: SIPCallID] = [:]
    /// Until when hosts asked not to be called.
    var heldHosts: [HeldHost: NIODeadline] = [:]
    var dialogs: [SIPCallID: Dialog] = [:]
    var dialogIndex: [DialogKey: SIPCallID] = [:]
    /// Key of the tags of stateless answers, which must be the same for every repetition (RFC 3261 8.2.7).
    let statelessSeed: UInt64

    static let allowedMethods = ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE", "MESSAGE", "NOTIFY"]
    static let allow = allowedMethods.joined(separator: ", ")
    static let sessionDescriptionType = "application/sdp"

    /// `random` makes tags, branches and Retry-After values: the system's in production, a seeded one in tests.
    public init(configuration: Configuration, random: some RandomNumberGenerator & Sendable) {
        self.configuration = configuration
        var random = random
        statelessSeed = random.next()
        self.random = random
    }

    /// When `expire` is due next; nil when nothing waits.
    public var deadline: NIODeadline? { timers.next }

    public var counters: SIPCounters {
        var counters = totals
        counters.serverTransactionsAlive = serverTransactions.count
        counters.clientTransactionsAlive = clientTransactions.count + clientInvites.count
        counters.callsOutAlive = outgoing.count
        counters.dialogsAlive = dialogs.count
        counters.timersAlive = timers.count
        return counters
    }

    mutating func takeNumber() -> UInt64 {
        defer { nextNumber += 1 }
        return nextNumber
    }

    /// 64 random bits as hexadecimal digits (RFC 3261 19.3 asks for 32 at least).
    mutating func randomToken() -> String {
        let digits = String(random.next(), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Between 1 and 10 seconds, as RFC 3261 14.2 and RFC 3311 5.2 want it.
    mutating func randomRetryAfter() -> String { String(1 + random.next() % 10) }

    /// The Contact of our side on that flow.
    func contact(_ flow: SIPFlow) -> String {
        let listener = listener(flow)
        let transport = flow.transport == .udp ? "" : ";transport=\(flow.transport.rawValue)"
        return "<sip:\(SIPAddress(host: listener.host, port: listener.port))\(transport)>"
    }

    /// A Via of our own with a new branch.
    mutating func via(_ flow: SIPFlow) -> (value: String, branch: String) { via(flow, token: randomToken()) }

    func via(_ flow: SIPFlow, token: String) -> (value: String, branch: String) {
        let listener = listener(flow)
        let branch = "\(Self.branchCookie)\(token)"
        let sentBy = SIPAddress(host: listener.host, port: listener.port)
        return ("SIP/2.0/\(flow.transport.rawValue.uppercased()) \(sentBy);branch=\(branch);rport", branch)
    }

    /// What begins every branch (RFC 3261 8.1.1.7).
    static let branchCookie = "z9hG4bK"

    func listener(_ flow: SIPFlow) -> Listener {
        if configuration.listeners.indices.contains(flow.listener) { return configuration.listeners[flow.listener] }
        return configuration.listeners.first { $0.transport == flow.transport }
            ?? Listener(transport: flow.transport, host: "invalid.invalid", port: 5060)
    }
}
