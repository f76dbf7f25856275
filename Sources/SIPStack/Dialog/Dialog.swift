import NIOCore

/// Call-ID and both tags (RFC 3261 12).
struct DialogKey: Hashable, Sendable {
    let callID: String
    let localTag: String
    /// Empty for an RFC 2543 peer without a tag.
    let remoteTag: String
}

/// One call leg: of a far end's INVITE from its arrival, of ours from its 2xx, to the end of the BYE.
struct Dialog: Sendable {
    enum Stage: Sendable {
        /// The INVITE has no final response yet. `provisional` is repeated every minute, or proxies give up (RFC 3261 13.3.1.1).
        case incoming(transaction: UInt64, provisional: Provisional?)
        case established
        /// Hung up by us while a 2xx was unacknowledged: the BYE goes out after the ACK, or when it is given up (RFC 3261 15).
        case hangingUp(reason: SIPReason?)
        /// Our BYE is under way.
        case ending
    }

    struct Provisional: Sendable {
        let response: [UInt8]
        var refresh: NIODeadline
    }

    /// A re-INVITE or UPDATE the user has not answered yet.
    struct PendingReoffer: Sendable {
        let transaction: UInt64
        let isInvite: Bool
        let hasOffer: Bool
        /// The Contact it brings, which holds once it is accepted (RFC 3261 12.2.2).
        let target: String?
    }

    /// What an INFO of ours says.
    struct Info: Sendable {
        let contentType: String
        let body: [UInt8]
    }

    let id: SIPCallID
    let key: DialogKey
    /// From and To of requests we send (RFC 3261 12.2.1.1), as values.
    let localIdentity: [UInt8]
    let remoteIdentity: [UInt8]
    let routes: [NameAddress]
    var remoteTarget: String
    /// Where the far end's last request came from.
    var flow: SIPFlow
    var localSequence: UInt32 = 0
    var remoteSequence: UInt32
    var stage: Stage
    /// The INVITE brought no offer: our 200 does.
    let isDelayedOffer: Bool
    var unacknowledged: [SuccessRetransmission] = []
    var pendingReoffer: PendingReoffer?
    /// Answers challenges of our requests, where the INVITE was ours and was challenged.
    var digest: DigestClient?
    /// The last INFO of ours, until it is answered.
    var info: Info?
    /// Methods that the far end takes (Allow); empty where it did not say.
    let allows: [String]
    /// Texts of ours, in order: the first one is under way, by the transaction of that branch.
    var texts: [Text] = []
    var textBranch: String?
    /// The last REFER of ours.
    var referral: Referral?

    init(id: SIPCallID, key: DialogKey, request: SIPRequest, localIdentity: [UInt8], flow: SIPFlow, transaction: UInt64, isDelayedOffer: Bool) {
        self.id = id
        self.key = key
        self.localIdentity = localIdentity
        self.flow = flow
        self.isDelayedOffer = isDelayedOffer
        remoteIdentity = request.headers.first("from")?.value ?? []
        allows = Self.allows(request.headers)
        routes = request.headers.all("record-route").flatMap { (try? NameAddress.list($0.value, field: "Record-Route")) ?? [] }
        // RFC 2543 callers may leave Contact out (RFC 4475 3.4.1); From is then all there is.
        remoteTarget = Self.contact(request) ?? request.from.uri
        remoteSequence = request.sequence.number
        stage = .incoming(transaction: transaction, provisional: nil)
    }

    /// The dialog that a 2xx to an INVITE of ours makes (RFC 3261 12.1.2).
    init(id: SIPCallID, request: InviteRequest, response: SIPResponse, flow: SIPFlow) {
        self.id = id
        self.flow = flow
        allows = Self.allows(response.headers)
        key = DialogKey(callID: request.callID, localTag: request.tag, remoteTag: response.to.tag ?? "")
        localIdentity = request.from
        remoteIdentity = response.headers.first("to")?.value ?? request.to
        routes = response.headers.all("record-route").flatMap { (try? NameAddress.list($0.value, field: "Record-Route")) ?? [] }.reversed()
        remoteTarget = Self.contact(response.headers) ?? request.uri
        localSequence = request.sequence
        // The far end counts its own requests from whatever it likes.
        remoteSequence = 0
        isDelayedOffer = false
        stage = .established
    }

    static func contact(_ request: SIPRequest) -> String? { contact(request.headers) }

    private static func contact(_ headers: [SIPHeader]) -> String? {
        headers.first("contact").flatMap { try? NameAddress.list($0.value, field: "Contact") }?.first?.uri
    }

    /// Whether the user has been told of the end, so that nothing more is said to it.
    var isSilent: Bool {
        switch stage {
        case .hangingUp, .ending: true
        case .incoming, .established: false
        }
    }

    var deadline: NIODeadline? {
        var deadline = unacknowledged.map(\.deadline).min()
        if let referral, !referral.isOver { deadline = deadline.map { min($0, referral.deadline) } ?? referral.deadline }
        if case .incoming(_, let provisional?) = stage { deadline = deadline.map { min($0, provisional.refresh) } ?? provisional.refresh }
        return deadline
    }
}
