/// Offers as phones and switches write them; addresses are made up. Lines end in CRLF, as on the wire.
enum TrunkOfferSamples {
    static let all = [baresip, linphone, asterisk, sipp, freeswitch, oldPhoneHold, secureAndPlain]

    private static func wire(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: true).map { $0 + "\r\n" }.joined()
    }

    /// baresip 1.0 with the modules opus, g711 and stdio.
    static let baresip = wire(
        """
        v=0
        o=- 3142187498 1726829561 IN IP4 192.0.2.20
        s=-
        c=IN IP4 192.0.2.20
        t=0 0
        a=tool:baresip 1.0.0
        m=audio 10512 RTP/AVP 96 0 8 101
        b=AS:128
        a=rtpmap:96 opus/48000/2
        a=fmtp:96 stereo=1;sprop-stereo=1
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=rtcp:10513
        a=sendrecv
        a=label:1
        a=rtcp-rsize
        a=ssrc:1478915412 cname:sip:alice@192.0.2.20
        a=ptime:20
        """)

    /// Linphone 5: AVPF, many codecs without Opus in this build, video after audio.
    static let linphone = wire(
        """
        v=0
        o=alice 2890 1847 IN IP4 192.0.2.30
        s=Talk
        c=IN IP4 192.0.2.30
        t=0 0
        a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics
        a=record:off
        m=audio 7078 RTP/AVPF 97 98 8 0 99 100 101
        a=rtpmap:97 speex/16000
        a=fmtp:97 vbr=on
        a=rtpmap:98 speex/8000
        a=fmtp:98 vbr=on
        a=rtpmap:99 telephone-event/16000
        a=rtpmap:100 telephone-event/48000
        a=rtpmap:101 telephone-event/8000
        a=rtcp-fb:* trr-int 5000
        a=rtcp-fb:* ccm tmmbr
        m=video 9078 RTP/AVPF 96
        a=rtpmap:96 VP8/90000
        a=rtcp-fb:96 nack pli
        """)

    /// Asterisk 20 by chan_pjsip.
    static let asterisk = wire(
        """
        v=0
        o=- 1276083441 1276083441 IN IP4 198.51.100.40
        s=Asterisk
        c=IN IP4 198.51.100.40
        t=0 0
        m=audio 15226 RTP/AVP 8 0 101
        a=rtpmap:8 PCMA/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-16
        a=ptime:20
        a=maxptime:140
        a=sendrecv
        """)

    /// sipp's built-in scenario.
    static let sipp = wire(
        """
        v=0
        o=user1 53655765 2353687637 IN IP4 127.0.0.1
        s=-
        c=IN IP4 127.0.0.1
        t=0 0
        m=audio 6000 RTP/AVP 0
        a=rtpmap:0 PCMU/8000
        """)

    /// FreeSWITCH 1.10: a space in `s=`, G.722 first, comfort noise.
    static let freeswitch = wire(
        """
        v=0
        o=FreeSWITCH 1726812345 1726812346 IN IP4 203.0.113.50
        s=FreeSWITCH
        c=IN IP4 203.0.113.50
        t=0 0
        m=audio 24578 RTP/AVP 9 8 0 101 13
        a=rtpmap:9 G722/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=rtpmap:13 CN/8000
        a=silenceSupp:off - - - -
        a=ptime:20
        a=rtcp:24579 IN IP4 203.0.113.50
        """)

    /// An old phone on hold: LF only, no `s=`, no rtpmap, address of zeros.
    static let oldPhoneHold =
        "v=0\no=phone 1 2 IN IP4 192.0.2.9\nc=IN IP4 0.0.0.0\nt=0 0\nm=audio 2328 RTP/AVP 18 0\n"

    /// A phone with optional encryption: SRTP first, clear RTP second.
    static let secureAndPlain = wire(
        """
        v=0
        o=root 1 1 IN IP4 192.0.2.60
        s=call
        c=IN IP4 192.0.2.60
        t=0 0
        m=audio 61000 RTP/SAVP 8 0 101
        a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4
        a=rtpmap:101 telephone-event/8000
        m=audio 61002 RTP/AVP 8 0 101
        a=rtpmap:101 telephone-event/8000
        a=ptime:30
        """)
}

/// SplitMix64: the same mutations in every run.
struct TrunkDescriptionRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// One to four changes of bytes, numbers, lines or length.
    mutating func mutated(_ text: String) -> String {
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 1...4, using: &self) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &self)
            switch Int.random(in: 0..<7, using: &self) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &self)
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(contentsOf: Array("0123456789:/=-; \r\n".utf8).shuffled(using: &self).prefix(3), at: index)
            case 3: bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 1...40, using: &self)))
            case 4: bytes.insert(contentsOf: bytes[index..<min(bytes.count, index + 80)], at: index)
            case 5: bytes.insert(contentsOf: Array("99999999999999999999".utf8), at: index)
            default:
                var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
                lines.swapAt(Int.random(in: lines.indices, using: &self), Int.random(in: lines.indices, using: &self))
                bytes = Array(lines.joined(separator: [0x0A]))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
