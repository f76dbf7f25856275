/// What a transaction asks for. Sending and telling its user are the only effects it has.
enum TransactionOutput: Sendable, Equatable {
    /// A message to send now, first time.
    case send([UInt8])
    /// The same message once more.
    case retransmit([UInt8])
    /// A client transaction passes a response to its user.
    case response(status: Int)
    /// A server INVITE transaction in the accepted state passes an ACK to its user (RFC 6026 7.1).
    case acknowledgement
    /// No final response came (timers B, F), or no ACK for one of ours (timer H).
    case timedOut
}
