/// The streams of one direction, the one that spoke last in front.
final class SRTPStreamTable {
    private let limit: Int
    private var streams: UnsafeMutablePointer<SRTPStream>
    private var capacity = 2
    private var count = 0

    init(limit: Int) {
        self.limit = limit
        streams = .allocate(capacity: capacity)
    }

    deinit { streams.deallocate() }

    /// The state of an SSRC; for an unknown one a fresh state, which `keep` makes part of the table.
    /// - Returns: a place that is valid until the next call of this or of `keep`; `nil` when the table is full.
    func stream(of ssrc: UInt32) -> UnsafeMutablePointer<SRTPStream>? {
        for index in 0..<count where streams[index].ssrc == ssrc { return streams + index }
        guard count < limit else { return nil }
        if count == capacity { grow() }
        (streams + count).initialize(to: SRTPStream(ssrc: ssrc))
        return streams + count
    }

    /// Keeps a stream that `stream(of:)` gave, in front: its former place is another's then. Only after authentication: a forged
    /// SSRC takes no place.
    func keep(_ stream: UnsafeMutablePointer<SRTPStream>) {
        let index = stream - streams
        if index == count { count += 1 }
        guard index > 0 else { return }
        let former = streams[0]
        streams[0] = streams[index]
        streams[index] = former
    }

    private func grow() {
        let larger = UnsafeMutablePointer<SRTPStream>.allocate(capacity: capacity * 2)
        larger.moveInitialize(from: streams, count: count)
        streams.deallocate()
        streams = larger
        capacity *= 2
    }
}
