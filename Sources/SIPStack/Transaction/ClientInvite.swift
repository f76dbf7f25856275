import NIOCore

/// An INVITE of ours in the endpoint's table: its state machine, whether it is being taken back, and the phones that answered it.
struct ClientInvite: Sendable {
    /// A phone that answered with 2xx: each repetition gets its ACK again (RFC 3261 13.2.2.4).
    struct Fork: Sendable {
        let tag: String
        let acknowledgement: [UInt8]
        let flow: SIPFlow
    }

    enum Cancellation: Sendable {
        case none
        /// CANCEL may only follow a provisional response (RFC 3261 9.1).
        case wanted
        /// Without a final response until then the INVITE is taken for cancelled.
        case sent(giveUp: NIODeadline)
    }

    /// Phones that may answer one INVITE. Forking proxies stop at a dozen; more is somebody inventing tags.
    static let maximumForks = 16

    let key: ClientTransactionKey
    let call: SIPCallID
    let target: SIPTarget
    let request: InviteRequest
    var flow: SIPFlow
    var machine: InviteClientTransaction
    var hasProvisional = false
    var cancellation = Cancellation.none
    /// What the CANCEL says, and the BYE to a phone that answers nevertheless.
    var withdrawal: SIPReason?
    var forks: [Fork] = []

    var deadline: NIODeadline? {
        guard case .sent(let giveUp) = cancellation, machine.isProceeding else { return machine.deadline }
        return machine.deadline.map { min($0, giveUp) } ?? giveUp
    }

    var isWithdrawn: Bool { if case .none = cancellation { false } else { true } }
}
