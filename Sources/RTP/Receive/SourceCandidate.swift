/// An SSRC that is not the accepted one: it takes over with its second packet in sequence from the same address.
struct SourceCandidate {
    private var pending: (ssrc: UInt32, source: TransportAddress, next: UInt16)?

    /// - Returns: true when this packet makes the source the accepted one.
    mutating func receive(ssrc: UInt32, sequence: UInt16, from source: TransportAddress) -> Bool {
        if let pending, pending.ssrc == ssrc, pending.source == source, pending.next == sequence {
            self.pending = nil
            return true
        }
        pending = (ssrc, source, sequence &+ 1)
        return false
    }

    /// The accepted source spoke: it is alive, so whoever wants its place begins anew. Keeps two concurrent streams
    /// from taking the place from each other at every second packet.
    mutating func clear() {
        pending = nil
    }
}
