/// What a packet is and where in it that lies: for a redundant payload (RFC 2198) its own sound counts.
struct PacketContent {
    let kind: FormatTable.Kind
    let payloadType: UInt8
    /// 0 for an unknown payload type.
    let clockRate: Int
    /// Where its own sound begins in the payload; above 0 copies of earlier packets lie in front of it.
    let offset: Int
}

extension FormatTable {
    /// Redundancy that cannot be read, or holds what was not negotiated, is unknown.
    func content(of packet: RTPPacketView) -> PacketContent {
        let type = packet.payloadType
        let kind = kind(of: type)
        guard kind == .redundancy else { return PacketContent(kind: kind, payloadType: type, clockRate: clockRate(of: type), offset: 0) }
        guard let redundancy = RedundantPayload(packet.payload), self.kind(of: redundancy.primaryType) == .audio else {
            return PacketContent(kind: .unknown, payloadType: type, clockRate: 0, offset: 0)
        }
        let primary = redundancy.primaryType
        return PacketContent(kind: .audio, payloadType: primary, clockRate: clockRate(of: primary), offset: redundancy.primaryOffset)
    }
}
