/// What SRTP keeps of one SSRC in one direction.
struct SRTPStream {
    /// Set in the index word of an SRTCP packet that is encrypted (RFC 3711 section 3.4).
    static let encryptedFlag: UInt32 = 1 << 31
    /// SRTCP packets under one key (RFC 3711 section 9.2).
    static let mostControl: UInt32 = (1 << 31) - 1
    /// SRTP packets under one key.
    private static let mostPackets: UInt64 = 1 << 48

    let ssrc: UInt32
    /// 20 s of 20 ms packets, so that no reordering looks like a replay. The highest index holds the rollover counter.
    var packets = ReplayWindow<16>()
    var controls = ReplayWindow<2>()
    /// The index of the last SRTCP packet sent.
    var lastControl: UInt32 = 0

    init(ssrc: UInt32) { self.ssrc = ssrc }

    /// The 48-bit index a sequence number most likely stands for (RFC 3711 section 3.3.1, appendix A).
    func index(of sequence: UInt16) -> UInt64 {
        let highest = packets.highest
        let half: UInt64 = 1 << 15
        // In the first half of the first round nothing can be of a round before it.
        guard highest > half else { return UInt64(sequence) }
        let round = highest & ~0xFFFF
        let last = highest & 0xFFFF
        let candidate = round | UInt64(sequence)
        if last < half {
            guard UInt64(sequence) > last + half, round > 0 else { return candidate }
            return candidate - 0x1_0000
        }
        guard last - half > UInt64(sequence) else { return candidate }
        // Beyond the last round there is none: the index repeats, and is refused as a replay.
        return candidate + 0x1_0000 < Self.mostPackets ? candidate + 0x1_0000 : candidate
    }
}
