import CSRTP

/// Both directions of one SRTP session (RFC 3711) on libsrtp2, in place, confined to the loop that owns the call.
///
/// The keys are for any SSRC in their direction; each SSRC has its own replay window and rollover counter.
public final class SRTPContext {
    /// Packets remembered for replay protection: 20 s of 20 ms packets, so that no reordering looks like a replay.
    private static let replayWindow: UInt = 1024
    /// Streams a peer may open under one key. libsrtp2 keeps state for each; an authenticated peer that
    /// invents SSRCs must not make it grow without bound, and forgetting one would reopen it to replay.
    private static let streamLimit = 64

    public let profile: SRTPProfile
    private let sending: srtp_t
    private let receiving: srtp_t
    /// SSRCs in receive order of first authentication, the one that spoke last in front.
    private var knownStreams: [UInt32] = []

    /// libsrtp2 wants this once per process, before anything else.
    private static let libraryIsReady = srtp_init() == srtp_err_status_ok

    /// - Parameters:
    ///   - sendKey: master key followed by master salt, `profile.keyLength + profile.saltLength` bytes
    ///   - receiveKey: the peer's, of the same shape
    /// - Returns: `nil` when a key has the wrong length or the library lacks the profile.
    public init?(profile: SRTPProfile, sendKey: [UInt8], receiveKey: [UInt8]) {
        let length = profile.keyLength + profile.saltLength
        guard sendKey.count == length, receiveKey.count == length, Self.libraryIsReady,
            let sending = Self.makeSession(profile, key: sendKey, direction: ssrc_any_outbound)
        else { return nil }
        guard let receiving = Self.makeSession(profile, key: receiveKey, direction: ssrc_any_inbound) else {
            srtp_dealloc(sending)
            return nil
        }
        self.profile = profile
        self.sending = sending
        self.receiving = receiving
        knownStreams.reserveCapacity(Self.streamLimit)
    }

    deinit {
        srtp_dealloc(sending)
        srtp_dealloc(receiving)
    }

    /// Encrypts and authenticates an RTP packet in place.
    /// - Parameters:
    ///   - length: the packet's length
    ///   - capacity: bytes that may be written at `bytes`, at least `length + profile.packetOverhead`
    /// - Returns: the new length; `nil` for no room, no RTP packet, or a sequence number already used.
    public func protect(_ bytes: UnsafeMutableRawPointer, length: Int, capacity: Int) -> Int? {
        guard length >= RTPPacketView.headerLength, length + profile.packetOverhead <= capacity else { return nil }
        return run(bytes, length) { srtp_protect(sending, $0, $1) }
    }

    /// Encrypts and authenticates an RTCP compound packet in place.
    /// - Parameter capacity: at least `length + profile.controlOverhead`
    /// - Returns: the new length, or `nil`.
    public func protectControl(_ bytes: UnsafeMutableRawPointer, length: Int, capacity: Int) -> Int? {
        guard length >= Self.controlHeaderLength, length + profile.controlOverhead <= capacity else { return nil }
        return run(bytes, length) { srtp_protect_rtcp(sending, $0, $1) }
    }

    /// Verifies and decrypts an SRTP packet in place.
    /// - Returns: the RTP packet's length; `nil` when it is forged, replayed, malformed, or of one stream too many.
    public func unprotect(_ bytes: UnsafeMutableRawPointer, length: Int) -> Int? {
        guard length >= RTPPacketView.headerLength + profile.packetOverhead else { return nil }
        let ssrc = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        guard mayReceive(ssrc), let result = run(bytes, length, { srtp_unprotect(receiving, $0, $1) }) else {
            return nil
        }
        remember(ssrc)
        return result
    }

    /// Verifies and decrypts an SRTCP packet in place.
    /// - Returns: the RTCP packet's length, or `nil` as for `unprotect`.
    public func unprotectControl(_ bytes: UnsafeMutableRawPointer, length: Int) -> Int? {
        guard length >= Self.controlHeaderLength + profile.controlOverhead else { return nil }
        let ssrc = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        guard mayReceive(ssrc), let result = run(bytes, length, { srtp_unprotect_rtcp(receiving, $0, $1) }) else {
            return nil
        }
        remember(ssrc)
        return result
    }

    /// The common header and the sender's SSRC.
    private static let controlHeaderLength = 8

    private func run(
        _ bytes: UnsafeMutableRawPointer, _ length: Int,
        _ transform: (UnsafeMutableRawPointer, UnsafeMutablePointer<Int32>) -> srtp_err_status_t
    ) -> Int? {
        guard var size = Int32(exactly: length) else { return nil }
        guard transform(bytes, &size) == srtp_err_status_ok, size >= 0 else { return nil }
        return Int(size)
    }

    private func mayReceive(_ ssrc: UInt32) -> Bool {
        knownStreams.count < Self.streamLimit || knownStreams.contains(ssrc)
    }

    /// Only after authentication: a forged SSRC takes no place.
    private func remember(_ ssrc: UInt32) {
        if knownStreams.first == ssrc { return }
        if let index = knownStreams.firstIndex(of: ssrc) {
            knownStreams.swapAt(0, index)
        } else {
            knownStreams.insert(ssrc, at: 0)
        }
    }

    private static func makeSession(
        _ profile: SRTPProfile, key: [UInt8], direction: srtp_ssrc_type_t
    ) -> srtp_t? {
        var policy = srtp_policy_t()
        switch profile {
        case .aeadAES128GCM:
            srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp)
            srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp)
        case .aesCM128HMACSHA1_80:
            srtp_crypto_policy_set_rtp_default(&policy.rtp)
            srtp_crypto_policy_set_rtcp_default(&policy.rtcp)
        }
        policy.ssrc.type = direction
        policy.window_size = replayWindow
        policy.allow_repeat_tx = 0
        var master = key
        return master.withUnsafeMutableBufferPointer { bytes -> srtp_t? in
            policy.key = bytes.baseAddress
            var session: srtp_t?
            guard srtp_create(&session, &policy) == srtp_err_status_ok else { return nil }
            return session
        }
    }
}
