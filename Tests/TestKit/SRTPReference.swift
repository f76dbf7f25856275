import CSRTP
import RTP

/// libsrtp2, which `SRTPContext` is held against, packet by packet.
public final class SRTPReference {
    private let sending: srtp_t
    private let receiving: srtp_t
    private static let isReady = srtp_init() == srtp_err_status_ok
    /// What protection adds at most (`SRTP_MAX_TRAILER_LEN`).
    public static let room = 160

    public init?(profile: SRTPProfile, sendKey: [UInt8], receiveKey: [UInt8]) {
        guard Self.isReady, let sending = Self.session(profile, sendKey, ssrc_any_outbound),
            let receiving = Self.session(profile, receiveKey, ssrc_any_inbound)
        else { return nil }
        self.sending = sending
        self.receiving = receiving
    }

    deinit {
        srtp_dealloc(sending)
        srtp_dealloc(receiving)
    }

    public func seal(_ packet: [UInt8], isControl: Bool) -> [UInt8]? {
        run(packet) { isControl ? srtp_protect_rtcp(sending, $0, $1) : srtp_protect(sending, $0, $1) }
    }

    public func open(_ packet: [UInt8], isControl: Bool) -> [UInt8]? {
        run(packet) { isControl ? srtp_unprotect_rtcp(receiving, $0, $1) : srtp_unprotect(receiving, $0, $1) }
    }

    private func run(
        _ packet: [UInt8], _ transform: (UnsafeMutableRawPointer, UnsafeMutablePointer<Int32>) -> srtp_err_status_t
    ) -> [UInt8]? {
        var bytes = packet + [UInt8](repeating: 0, count: Self.room)
        var length = Int32(packet.count)
        let status = bytes.withUnsafeMutableBytes { buffer in
            buffer.baseAddress.map { transform($0, &length) } ?? srtp_err_status_fail
        }
        return status == srtp_err_status_ok ? Array(bytes[..<Int(length)]) : nil
    }

    private static func session(_ profile: SRTPProfile, _ key: [UInt8], _ direction: srtp_ssrc_type_t) -> srtp_t? {
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
        policy.window_size = 1024
        policy.allow_repeat_tx = 0
        var master = key
        return master.withUnsafeMutableBufferPointer { bytes in
            policy.key = bytes.baseAddress
            var session: srtp_t?
            return srtp_create(&session, &policy) == srtp_err_status_ok ? session : nil
        }
    }
}
