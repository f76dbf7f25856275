import SDP

/// The RTP payload types (RFC 3550 section 5.1, seven bits) that a peer may send, as bits.
struct PayloadTypes {
    private var lower: UInt64 = 0
    private var upper: UInt64 = 0

    init(_ audio: NegotiatedAudio) {
        for type in audio.receivePayloadTypes.keys { insert(type) }
        for event in audio.receiveTelephoneEvents { insert(event.payloadType) }
        if let redundancy = audio.receiveRedundancy { insert(redundancy) }
    }

    func contains(_ type: UInt8) -> Bool {
        (type < 64 ? lower : upper) & 1 << UInt64(type & 63) != 0 && type < 128
    }

    private mutating func insert(_ type: UInt8) {
        if type < 64 { lower |= 1 << UInt64(type) } else { upper |= 1 << UInt64(type & 63) }
    }
}
