import RTP

/// DTLS that came before its sender was authenticated by a check: a ClientHello overtakes the check, and losing it
/// costs the browser's first retransmission.
struct EarlyDatagrams {
    /// A ClientHello with post-quantum key shares takes two datagrams; a stranger may fill no more than this.
    static let limit = 4
    static let largest = 1500

    private var kept: [(source: TransportAddress, bytes: [UInt8])] = []

    /// False when there is no room.
    mutating func keep(_ datagram: UnsafeRawBufferPointer, from source: TransportAddress) -> Bool {
        guard kept.count < Self.limit, datagram.count <= Self.largest else { return false }
        kept.append((source, Array(datagram)))
        return true
    }

    /// What this address sent, in order, and no longer kept.
    mutating func take(from source: TransportAddress) -> [[UInt8]] {
        guard kept.contains(where: { $0.source == source }) else { return [] }
        defer { kept.removeAll { $0.source == source } }
        return kept.filter { $0.source == source }.map(\.bytes)
    }

    mutating func removeAll() { kept = [] }
}
