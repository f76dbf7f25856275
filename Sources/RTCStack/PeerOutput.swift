import RTP

/// What a `PeerSession` wants done or known.
public enum PeerOutput {
    /// A datagram for the browser; the bytes are valid until the next call on the session.
    case send(UnsafeRawBufferPointer, to: TransportAddress)
    /// A pair is nominated, the handshake is complete and the certificate is the one announced: media may flow.
    case connected(SRTPProfile)
    /// What we send goes to this address from now on.
    case selected(TransportAddress)
    /// A decrypted RTP packet: a range of the datagram passed in.
    case media(UnsafeMutableRawBufferPointer)
    /// A decrypted RTCP compound packet: a range of the datagram passed in.
    case control(UnsafeMutableRawBufferPointer)
    /// Nothing authenticated came for 8 s.
    case away
    /// Something came again.
    case back
    /// The session is over; nothing follows.
    case ended(PeerEnd)
}

/// Why a session is over.
public enum PeerEnd: Sendable, Hashable {
    /// Nothing authenticated came for 30 s.
    case timeout
    /// DTLS failed; the reason is OpenSSL's.
    case handshakeFailed(reason: String)
    /// The browser did not finish the handshake within 15 s.
    case handshakeTimeout
    /// The certificate is not the one announced in SDP: no key was installed, nothing was decrypted.
    case fingerprintMismatch
    /// The browser said close_notify.
    case closedByPeer
}
