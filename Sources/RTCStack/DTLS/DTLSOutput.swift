/// What a `DTLSEngine` wants done or known.
public enum DTLSOutput {
    /// A datagram for the peer; the bytes are valid until the next call on the engine.
    case send(UnsafeRawBufferPointer)
    /// The handshake is complete. Whose certificate it was is for `matches` to say.
    case established
    case failed(DTLSFailure)
    /// The peer said close_notify.
    case closed
}

/// Why there is no connection.
public enum DTLSFailure: Error, Sendable, Hashable {
    /// OpenSSL's reason.
    case handshake(String)
    /// The peer did not finish it in time.
    case timeout
}
