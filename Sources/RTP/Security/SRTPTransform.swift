/// The cryptographic transform of one direction, with its session keys (RFC 3711 section 4).
///
/// Everything happens in place, and nothing is allocated: the cipher contexts are made once.
protocol SRTPTransform: AnyObject {
    /// Encrypts an RTP packet and writes the tag behind it.
    func seal(_ packet: SRTPPacket) -> Bool
    /// Verifies and decrypts an RTP packet whose tag is behind it.
    func open(_ packet: SRTPPacket) -> Bool
    /// Encrypts an RTCP packet and writes tag and index behind it.
    func sealControl(_ packet: SRTPPacket) -> Bool
    /// Verifies and decrypts an RTCP packet; tag and index are behind it.
    func openControl(_ packet: SRTPPacket) -> Bool
    /// Where the index word of an SRTCP packet stands.
    /// - Parameter plain: the RTCP packet's length
    func controlIndexOffset(_ plain: Int) -> Int
}

/// A packet in its buffer.
struct SRTPPacket {
    let bytes: UnsafeMutableRawPointer
    /// Bytes at the beginning that stay in clear.
    let clear: Int
    /// Bytes without what protection adds.
    let length: Int
    let ssrc: UInt32
    /// The 48-bit index of an RTP packet, or the 31-bit one of an RTCP packet.
    let index: UInt64
}

extension SRTPProfile {
    /// - Parameters:
    ///   - master: master key followed by master salt
    ///   - seals: whether the transform is to encrypt, else to decrypt
    /// - Returns: `nil` when the key has the wrong length or OpenSSL lacks the cipher.
    func transform(master: [UInt8], seals: Bool) -> (any SRTPTransform)? {
        guard master.count == keyLength + saltLength else { return nil }
        switch self {
        case .aeadAES128GCM: return GCMTransform(master: master, seals: seals)
        case .aesCM128HMACSHA1_80: return CounterModeTransform(master: master)
        }
    }
}
