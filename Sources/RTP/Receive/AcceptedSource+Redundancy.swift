/// Holes filled from copies that a later packet carries (RFC 2198).
extension AcceptedSource {
    /// Says what is between two packets of sound: frames that `packet` holds copies of, and losses.
    /// - Parameters:
    ///   - missing: packets between them
    ///   - last: timestamp of the packet before the hole
    ///   - timestamp: that of `packet`, which follows it
    func fill(
        _ missing: Int, from last: Int64, before packet: ReceivedPacket, at timestamp: Int64,
        counting statistics: inout RTPStatistics, into events: inout [RTPEvent]
    ) {
        guard packet.offset > 0, let redundancy = RedundantPayload(packet.payload) else {
            announce(missing, from: last, to: timestamp, next: packet.sound, counting: &statistics, into: &events)
            return
        }
        var copies = 0
        forEachCopy(in: redundancy, of: packet, from: last, to: timestamp, atMost: missing) { _, _ in copies += 1 }
        var lost = missing - copies
        var cursor = last
        // The first missing one's, as far as silence suppression lets it be known.
        var sequence = packet.sequence - Int64(missing)
        forEachCopy(in: redundancy, of: packet, from: last, to: timestamp, atMost: missing) { time, sound in
            let before = announce(lost, from: cursor, to: time, next: sound, counting: &statistics, into: &events)
            lost -= before
            sequence += Int64(before)
            events.append(
                .frame(
                    RTPFrame(
                        payload: sound, payloadType: packet.payloadType, extendedTimestamp: time, extendedSequence: sequence,
                        marker: false, arrival: packet.arrival, afterNewSource: false, isCopy: true)))
            statistics.restored += 1
            sequence += 1
            cursor = time
        }
        announce(lost, from: cursor, to: timestamp, next: packet.sound, counting: &statistics, into: &events)
    }

    /// The copies that lie in the hole, earliest first, with their timestamps.
    private func forEachCopy(
        in redundancy: RedundantPayload, of packet: ReceivedPacket, from last: Int64, to timestamp: Int64, atMost most: Int,
        _ body: (Int64, UnsafeRawBufferPointer) -> Void
    ) {
        var cursor = last
        var count = 0
        for index in 0..<redundancy.blockCount where count < most {
            let block = redundancy.block(index)
            let time = timestamp - block.timestampOffset
            guard block.payloadType == packet.payloadType, !block.sound.isEmpty, time > cursor, time < timestamp else { continue }
            body(time, block.sound)
            cursor = time
            count += 1
        }
    }
}
