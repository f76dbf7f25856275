import NIOCore

/// A call of ours without a final outcome: which host is being tried, and what the others said.
struct OutgoingCall: Sendable {
    /// The final response that would be reported if no further host does better.
    struct Refusal: Sendable {
        let status: Int
        let reason: String
        let cause: SIPReason?
        let retryAfter: TimeAmount?

        init(_ response: SIPResponse) {
            status = response.status
            reason = response.reason.isEmpty ? StatusText.phrase(response.status) : response.reason
            cause = response.headers.first("reason").flatMap { SIPReason(reading: $0.value) }
            retryAfter = response.headers.first("retry-after").flatMap { field in
                DecimalNumber.read(field.value.prefix { (48...57).contains($0) }, maximum: 1_000_000).map { .seconds(Int64($0)) }
            }
        }
    }

    let order: SIPCallOrder
    /// One Call-ID and From tag for all hosts, CSeq counts on: the call stays one in everybody's logs.
    let callID: String
    let tag: String
    var sequence: UInt32 = 0
    /// Index of the host being tried.
    var position = 0
    /// The INVITE under way.
    var transaction: UInt64 = 0
    var attempts: [SIPAttempt] = []
    var digest: DigestClient?
    /// What the phones that ring sent as early description, by tag.
    var earlyAnswers: [String: String] = [:]
    /// 180 came: somebody's phone rings.
    var isRinging = false
    var hostLimit: NIODeadline?
    var ringLimit: NIODeadline
    var best: Refusal?

    init(order: SIPCallOrder, callID: String, tag: String, now: NIODeadline) {
        self.order = order
        self.callID = callID
        self.tag = tag
        digest = order.credentials.map { DigestClient(credentials: $0) }
        ringLimit = now + order.ringLimit
    }

    var target: SIPTarget { order.targets[position] }
    var hasFurtherTargets: Bool { position + 1 < order.targets.count }
    var deadline: NIODeadline { hostLimit.map { min($0, ringLimit) } ?? ringLimit }

    /// 503 says least of all about the call, so anything else is kept before it (RFC 3261 16.7 step 6).
    mutating func keep(_ refusal: Refusal) {
        if refusal.status != 503 || best == nil { best = refusal }
    }
}
