/// Both directions of one SRTP session (RFC 3711), in place, confined to the loop that owns the call.
///
/// The ciphers are OpenSSL's, kept for the whole session: nothing is allocated per packet. That every packet comes out as libsrtp2
/// makes it is tested (`SRTPReferenceTests`). The keys are for any SSRC in their direction; each SSRC has its own replay window
/// and rollover counter.
public final class SRTPContext {
    /// Streams a peer may open under one key. There is state for each; an authenticated peer that invents SSRCs must not make it
    /// grow without bound, and forgetting one would reopen it to replay.
    private static let receivedStreams = 64
    /// Streams we send under one key: a call has one or two.
    private static let sentStreams = 1024
    /// The common header and the sender's SSRC.
    private static let controlHeaderLength = 8

    public let profile: SRTPProfile
    private let sealing: any SRTPTransform
    private let opening: any SRTPTransform
    private let sent = SRTPStreamTable(limit: sentStreams)
    private let received = SRTPStreamTable(limit: receivedStreams)

    /// - Parameters:
    ///   - sendKey: master key followed by master salt, `profile.keyLength + profile.saltLength` bytes
    ///   - receiveKey: the peer's, of the same shape
    /// - Returns: `nil` when a key has the wrong length or the library lacks the profile.
    public init?(profile: SRTPProfile, sendKey: [UInt8], receiveKey: [UInt8]) {
        guard let sealing = profile.transform(master: sendKey, seals: true),
            let opening = profile.transform(master: receiveKey, seals: false)
        else { return nil }
        self.profile = profile
        self.sealing = sealing
        self.opening = opening
    }

    /// Encrypts and authenticates an RTP packet in place.
    /// - Parameters:
    ///   - length: the packet's length
    ///   - capacity: bytes that may be written at `bytes`, at least `length + profile.packetOverhead`
    /// - Returns: the new length; `nil` for no room, no RTP packet, or a sequence number already used.
    public func protect(_ bytes: UnsafeMutableRawPointer, length: Int, capacity: Int) -> Int? {
        guard length <= capacity - profile.packetOverhead,
            let header = SRTPHeader(bytes, length: length), let stream = sent.stream(of: header.ssrc)
        else { return nil }
        let index = stream.pointee.index(of: header.sequence)
        guard stream.pointee.packets.isFresh(index) else { return nil }
        // A keystream is used once, even should the cipher fail.
        stream.pointee.packets.insert(index)
        sent.keep(stream)
        let packet = SRTPPacket(bytes: bytes, clear: header.length, length: length, ssrc: header.ssrc, index: index)
        return sealing.seal(packet) ? length + profile.packetOverhead : nil
    }

    /// Encrypts and authenticates an RTCP compound packet in place.
    /// - Parameter capacity: at least `length + profile.controlOverhead`
    /// - Returns: the new length, or `nil`.
    public func protectControl(_ bytes: UnsafeMutableRawPointer, length: Int, capacity: Int) -> Int? {
        guard length >= Self.controlHeaderLength, length <= capacity - profile.controlOverhead else { return nil }
        let ssrc = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        guard let stream = sent.stream(of: ssrc), stream.pointee.lastControl < SRTPStream.mostControl else { return nil }
        stream.pointee.lastControl += 1
        let index = UInt64(stream.pointee.lastControl)
        sent.keep(stream)
        let packet = SRTPPacket(bytes: bytes, clear: Self.controlHeaderLength, length: length, ssrc: ssrc, index: index)
        return sealing.sealControl(packet) ? length + profile.controlOverhead : nil
    }

    /// Verifies and decrypts an SRTP packet in place. The bytes of one that is refused are undefined.
    /// - Returns: the RTP packet's length; `nil` when it is forged, replayed, malformed, or of one stream too many.
    public func unprotect(_ bytes: UnsafeMutableRawPointer, length: Int) -> Int? {
        let plain = length - profile.packetOverhead
        guard let header = SRTPHeader(bytes, length: plain), let stream = received.stream(of: header.ssrc) else { return nil }
        let index = stream.pointee.index(of: header.sequence)
        guard stream.pointee.packets.isFresh(index),
            opening.open(SRTPPacket(bytes: bytes, clear: header.length, length: plain, ssrc: header.ssrc, index: index))
        else { return nil }
        stream.pointee.packets.insert(index)
        received.keep(stream)
        return plain
    }

    /// Verifies and decrypts an SRTCP packet in place.
    /// - Returns: the RTCP packet's length, or `nil` as for `unprotect`, and for one that is not encrypted: we negotiate no
    ///   unencrypted SRTCP (RFC 3711 section 3.4).
    public func unprotectControl(_ bytes: UnsafeMutableRawPointer, length: Int) -> Int? {
        let plain = length - profile.controlOverhead
        guard plain >= Self.controlHeaderLength else { return nil }
        let ssrc = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        let word = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: opening.controlIndexOffset(plain), as: UInt32.self))
        guard word & SRTPStream.encryptedFlag != 0, let stream = received.stream(of: ssrc) else { return nil }
        let index = UInt64(word & ~SRTPStream.encryptedFlag)
        guard stream.pointee.controls.isFresh(index),
            opening.openControl(
                SRTPPacket(bytes: bytes, clear: Self.controlHeaderLength, length: plain, ssrc: ssrc, index: index))
        else { return nil }
        stream.pointee.controls.insert(index)
        received.keep(stream)
        return plain
    }
}
