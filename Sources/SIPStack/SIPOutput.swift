/// How a call ended that neither we nor a CANCEL ended.
public enum SIPEnd: Hashable, Sendable {
    /// BYE of the far end, with its Reason field if it sent one.
    case hungUp(reason: SIPReason?)
    /// Our 200 was never acknowledged within 64*T1; a BYE was sent.
    case noAcknowledgement
    /// The connection broke before the call was established.
    case transportLost
}

/// What the endpoint wants done or known, in order.
public enum SIPOutput: Sendable {
    /// Send this message. A TCP flow with connection 0 wants a new connection to its address.
    case send(bytes: [UInt8], flow: SIPFlow)
    /// Close this connection after what was sent before.
    case close(connection: UInt64)
    /// A new INVITE; 100 was sent. Answer by `ring`, `accept`, `reject` or `hangUp`.
    case incoming(SIPIncomingCall)
    /// The ACK of a 200 of ours, with the answer where our 200 carried the offer (delayed offer; nil if the far end left it out).
    case acknowledged(SIPCallID, answer: String?)
    /// CANCEL: 200 and 487 are sent, the call is over.
    case cancelled(SIPCallID)
    /// A re-INVITE, or an UPDATE with a description. `offer` nil: the far end wants ours. Answer by `answerReoffer` or `rejectReoffer`.
    case reoffer(SIPCallID, offer: String?)
    /// An INFO with a body, answered already (RFC 6086; DTMF of phones that know no RFC 4733).
    case info(SIPCallID, contentType: String, body: [UInt8])
    /// A text of a far end, within a call or not (RFC 3428). Answer by `answerMessage`.
    case message(SIPTextMessage)
    /// A text of ours was not taken, with the far end's status, or ours where it was not sent.
    case textRefused(SIPCallID, reference: Int64, status: Int)
    /// What became of a REFER of ours.
    case referral(SIPCallID, SIPReferral)
    /// A provisional response, 101 to 199, to a call of ours. `answer`: the description in it (early media), which may be followed by
    /// others, of other phones too; the latest counts. `from`: the host that is being called.
    case progress(SIPCallID, status: Int, answer: String?, from: SIPAddress)
    /// A call of ours was answered, and the ACK is sent. `answer` is of the phone that answered, from an earlier response if the 2xx brought
    /// none; nil if it never sent one.
    case answered(SIPCallID, answer: String?, from: SIPAddress)
    /// A call of ours did not come about, and is over.
    case failed(SIPCallID, SIPFailure)
    /// The call is over; every later command for it does nothing.
    case ended(SIPCallID, SIPEnd)
}
