import NIOCore

/// What makes a request a repetition of another (RFC 3261 17.2.3).
struct ServerTransactionKey: Hashable, Sendable {
    private let text: String

    /// `method` is INVITE for ACK and for the request a CANCEL means.
    init(_ request: SIPRequest, method: String) {
        if request.via.hasMagicCookie, let branch = request.via.branch {
            text = "\(branch) \(request.via.sentBy) \(method)"
        } else {
            // RFC 2543 peers: everything that stays the same in a repetition, in the ACK of a refusal and in a CANCEL.
            let via = String(decoding: request.topVia, as: UTF8.self)
            text = "\(request.callID) \(request.from.tag ?? "") \(request.sequence.number) \(method) \(request.uri) \(via)"
        }
    }
}

/// What makes a request the same as another that came on a different way (RFC 3261 8.2.2.2).
struct MergeKey: Hashable, Sendable {
    let callID: String
    let fromTag: String
    let sequence: CommandSequence

    /// Nil for requests within a dialog and for those of RFC 2543, which bring no tag.
    init?(_ request: SIPRequest) {
        guard request.to.tag == nil, let tag = request.from.tag else { return nil }
        callID = request.callID
        fromTag = tag
        sequence = request.sequence
    }
}

/// A server transaction in the endpoint's table: its state machine, and what its responses need.
struct ServerTransaction: Sendable {
    enum Machine: Sendable {
        case invite(InviteServerTransaction)
        case other(NonInviteServerTransaction)
    }

    let key: ServerTransactionKey
    let mergeKey: MergeKey?
    let sequence: CommandSequence
    let sentByPort: Int?
    let tag: String
    /// The call whose INVITE, re-INVITE or UPDATE this is.
    var call: SIPCallID?
    var template: ResponseTemplate
    var machine: Machine

    var isTerminated: Bool {
        switch machine {
        case .invite(let machine): machine.isTerminated
        case .other(let machine): machine.isTerminated
        }
    }

    /// An INVITE without a final response.
    var isProceedingInvite: Bool { if case .invite(let machine) = machine { machine.isProceeding } else { false } }

    var deadline: NIODeadline? {
        switch machine {
        case .invite(let machine): machine.deadline
        case .other(let machine): machine.deadline
        }
    }

    mutating func receiveRepetition(into out: inout [TransactionOutput]) {
        switch machine {
        case .invite(var invite):
            invite.receiveInvite(into: &out)
            machine = .invite(invite)
        case .other(var other):
            other.receiveRequest(into: &out)
            machine = .other(other)
        }
    }

    mutating func receiveAcknowledgement(now: NIODeadline, into out: inout [TransactionOutput]) {
        guard case .invite(var invite) = machine else { return }
        invite.receiveAcknowledgement(now: now, into: &out)
        machine = .invite(invite)
    }

    mutating func respond(_ response: [UInt8], status: Int, now: NIODeadline, into out: inout [TransactionOutput]) {
        switch machine {
        case .invite(var invite):
            invite.respond(response, status: status, now: now, into: &out)
            machine = .invite(invite)
        case .other(var other):
            other.respond(response, status: status, now: now, into: &out)
            machine = .other(other)
        }
    }

    mutating func expire(now: NIODeadline, into out: inout [TransactionOutput]) {
        switch machine {
        case .invite(var invite):
            invite.expire(now: now, into: &out)
            machine = .invite(invite)
        case .other(var other):
            other.expire(now: now)
            machine = .other(other)
        }
    }

    mutating func abandon() {
        switch machine {
        case .invite(var invite):
            invite.abandon()
            machine = .invite(invite)
        case .other(var other):
            other.abandon()
            machine = .other(other)
        }
    }
}

/// What a response must carry to belong to a request of ours (RFC 3261 17.1.3).
struct ClientTransactionKey: Hashable, Sendable {
    let branch: String
    let method: String
}

/// A client transaction in the endpoint's table.
struct ClientTransaction: Sendable {
    let key: ClientTransactionKey
    let call: SIPCallID
    let flow: SIPFlow
    var machine: NonInviteClientTransaction
}
