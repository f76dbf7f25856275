/// What a datagram on the browsers' shared port is, told by its first byte (RFC 7983), RTCP from RTP by the second
/// (RFC 5761 section 4).
public enum PacketKind: Sendable, Hashable {
    case stun
    case dtls
    case media
    case control
    /// ZRTP, TURN channels, QUIC, or nonsense: nothing we speak.
    case unknown

    /// Without the second byte RTCP cannot be told from RTP: both are `.media` here.
    public init(firstByte: UInt8) {
        switch firstByte {
        case 0...3: self = .stun
        case 20...63: self = .dtls
        case 128...191: self = .media
        default: self = .unknown
        }
    }

    public init(_ datagram: UnsafeRawBufferPointer) {
        guard datagram.count >= 2 else {
            self = .unknown
            return
        }
        self.init(firstByte: datagram[0])
        if self == .media, (192...223).contains(datagram[1]) { self = .control }
    }
}
