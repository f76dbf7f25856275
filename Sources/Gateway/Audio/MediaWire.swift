import NIOCore

/// The way out of an RTP port: where packets get protected, addressed and queued for this turn's batch.
protocol MediaWire: AnyObject {
    /// Room for one packet with its SRTP trailer, valid until the next `send…`; nil while nothing can be sent (no keys yet,
    /// no address yet, batch full).
    func packetBuffer() -> UnsafeMutableRawBufferPointer?
    /// Sends the RTP packet of `length` bytes written to the last `packetBuffer`.
    func sendMedia(length: Int, now: NIODeadline)
    /// Sends the RTCP packet of `length` bytes written to the last `packetBuffer`.
    func sendControl(length: Int, now: NIODeadline)
    /// Sends an RTP packet again as it was sent before; nothing where it is not kept any more.
    func resend(_ sequence: UInt16)
}

extension MediaWire {
    func resend(_ sequence: UInt16) {}
}
