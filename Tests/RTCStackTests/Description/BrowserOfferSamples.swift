/// Offers as the peers write them; keys and addresses are made up. Lines end in CRLF, as on the wire.
enum BrowserOfferSamples {
    static let all = [chrome, chromeAudioOnly, chromeVideoFirst, bundleOnlyAudio, firefox, safari, aiortc]

    private static func wire(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: true).map { $0 + "\r\n" }.joined()
    }

    static let fingerprint =
        "7A:B2:14:0C:9D:55:E3:61:F8:02:4B:90:AA:3C:77:1E:D4:68:B9:2F:05:CE:83:1A:46:FD:97:30:5B:C8:E1:12"

    /// Chrome 126, `getUserMedia({audio: true, video: true})` and a data channel, before any candidate was gathered.
    static let chrome = wire(
        """
        v=0
        o=- 4611731400430051336 2 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0 1 2
        a=extmap-allow-mixed
        a=msid-semantic: WMS 8f4e5f5d-3b6a-4e0e-a9a0-6d8a3f0c2f11
        m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
        c=IN IP4 0.0.0.0
        a=rtcp:9 IN IP4 0.0.0.0
        a=ice-ufrag:EsAw
        a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
        a=ice-options:trickle
        a=fingerprint:sha-256 \(fingerprint)
        a=setup:actpass
        a=mid:0
        a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
        a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
        a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
        a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
        a=sendrecv
        a=msid:8f4e5f5d-3b6a-4e0e-a9a0-6d8a3f0c2f11 0b1c6b3e-95ad-4a9b-8f0a-2f8ff6ff5a53
        a=rtcp-mux
        a=rtcp-rsize
        a=rtpmap:111 opus/48000/2
        a=rtcp-fb:111 transport-cc
        a=fmtp:111 minptime=10;useinbandfec=1
        a=rtpmap:63 red/48000/2
        a=fmtp:63 111/111
        a=rtpmap:9 G722/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:13 CN/8000
        a=rtpmap:110 telephone-event/48000
        a=rtpmap:126 telephone-event/8000
        a=ssrc:3735928559 cname:Wk1mRz0lYq5uB2xE
        a=ssrc:3735928559 msid:8f4e5f5d-3b6a-4e0e-a9a0-6d8a3f0c2f11 0b1c6b3e-95ad-4a9b-8f0a-2f8ff6ff5a53
        m=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103 35 36 45 46
        c=IN IP4 0.0.0.0
        a=rtcp:9 IN IP4 0.0.0.0
        a=ice-ufrag:EsAw
        a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
        a=ice-options:trickle
        a=fingerprint:sha-256 \(fingerprint)
        a=setup:actpass
        a=mid:1
        a=extmap:14 urn:ietf:params:rtp-hdrext:toffset
        a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
        a=sendrecv
        a=msid:8f4e5f5d-3b6a-4e0e-a9a0-6d8a3f0c2f11 d0a5d1d9-2ad0-4d70-8ac2-5d4f4a4f7c61
        a=rtcp-mux
        a=rtcp-rsize
        a=rtpmap:96 VP8/90000
        a=rtcp-fb:96 goog-remb
        a=rtcp-fb:96 transport-cc
        a=rtcp-fb:96 ccm fir
        a=rtcp-fb:96 nack
        a=rtcp-fb:96 nack pli
        a=rtpmap:97 rtx/90000
        a=fmtp:97 apt=96
        a=rtpmap:102 H264/90000
        a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
        a=rtpmap:103 rtx/90000
        a=fmtp:103 apt=102
        a=rtpmap:35 VP9/90000
        a=rtpmap:36 rtx/90000
        a=rtpmap:45 AV1/90000
        a=rtpmap:46 rtx/90000
        a=ssrc-group:FID 1111111111 2222222222
        a=ssrc:1111111111 cname:Wk1mRz0lYq5uB2xE
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel
        c=IN IP4 0.0.0.0
        a=ice-ufrag:EsAw
        a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
        a=ice-options:trickle
        a=fingerprint:sha-256 \(fingerprint)
        a=setup:actpass
        a=mid:2
        a=sctp-port:5000
        a=max-message-size:262144
        """)

    /// Chrome 126 with a microphone only, after gathering: mDNS and TCP candidates.
    static let chromeAudioOnly = wire(
        """
        v=0
        o=- 7614219274584779017 2 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0
        a=extmap-allow-mixed
        a=msid-semantic: WMS stream
        m=audio 51423 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
        c=IN IP4 198.51.100.23
        a=rtcp:9 IN IP4 0.0.0.0
        a=candidate:1467250027 1 udp 2122260223 0f1a3e0c-6f0c-4ab6-8ef5-1f2b33e5c1a0.local 51423 typ host generation 0 network-id 1 network-cost 10
        a=candidate:435653019 1 tcp 1518280447 0f1a3e0c-6f0c-4ab6-8ef5-1f2b33e5c1a0.local 9 typ host tcptype active generation 0 network-id 1 network-cost 10
        a=candidate:842163049 1 udp 1686052607 198.51.100.23 51423 typ srflx raddr 0.0.0.0 rport 0 generation 0 network-id 1 network-cost 10
        a=ice-ufrag:Xq/+
        a=ice-pwd:pYqLr8gUCOQ4zxjKXaWCBui1
        a=ice-options:trickle
        a=fingerprint:sha-256 \(fingerprint)
        a=setup:actpass
        a=mid:0
        a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
        a=sendrecv
        a=msid:stream track
        a=rtcp-mux
        a=rtcp-rsize
        a=rtpmap:111 opus/48000/2
        a=rtcp-fb:111 transport-cc
        a=fmtp:111 minptime=10;useinbandfec=1
        a=rtpmap:63 red/48000/2
        a=fmtp:63 111/111
        a=rtpmap:9 G722/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:13 CN/8000
        a=rtpmap:110 telephone-event/48000
        a=rtpmap:126 telephone-event/8000
        a=ssrc:77 cname:abc
        """)

    /// After Chromium 156 with a video transceiver before the audio track, shortened: the video section tags the group.
    static let chromeVideoFirst = wire(
        """
        v=0
        o=- 6639823488062306529 2 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0 1
        a=extmap-allow-mixed
        a=msid-semantic: WMS stream
        m=video 9 UDP/TLS/RTP/SAVPF 96 97 102
        c=IN IP4 0.0.0.0
        a=rtcp:9 IN IP4 0.0.0.0
        a=ice-ufrag:gB7p
        a=ice-pwd:p63GMwtX0RVUhydVf+Y4oKzU
        a=ice-options:trickle
        a=fingerprint:sha-256 \(fingerprint)
        a=setup:actpass
        a=mid:0
        a=sendrecv
        a=msid:- 5b46f874-0343-469f-9aab-3f0b520fc1fc
        a=rtcp-mux
        a=rtcp-rsize
        a=rtpmap:96 H264/90000
        a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
        a=rtpmap:97 rtx/90000
        a=fmtp:97 apt=96
        a=rtpmap:102 VP8/90000
        a=ssrc-group:FID 840746504 336780094
        a=ssrc:840746504 cname:XFOPw759gJ5ZdJIb
        m=audio 9 UDP/TLS/RTP/SAVPF 111 0 110
        c=IN IP4 0.0.0.0
        a=rtcp:9 IN IP4 0.0.0.0
        a=ice-ufrag:gB7p
        a=ice-pwd:p63GMwtX0RVUhydVf+Y4oKzU
        a=ice-options:trickle
        a=fingerprint:sha-256 \(fingerprint)
        a=setup:actpass
        a=mid:1
        a=sendrecv
        a=rtcp-mux
        a=rtpmap:111 opus/48000/2
        a=fmtp:111 minptime=10;useinbandfec=1
        a=rtpmap:0 PCMU/8000
        a=rtpmap:110 telephone-event/48000
        a=ssrc:3952769061 cname:XFOPw759gJ5ZdJIb
        """)

    /// The form RFC 9143 gives a bundle-only section: port 0 and no transport of its own; the tagged section has it.
    static let bundleOnlyAudio = wire(
        """
        v=0
        o=- 3990442156204857316 2 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE video1 audio1
        m=video 9 UDP/TLS/RTP/SAVPF 96
        c=IN IP4 0.0.0.0
        a=ice-ufrag:Tag1
        a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1
        a=fingerprint:sha-256 \(fingerprint)
        a=setup:actpass
        a=mid:video1
        a=recvonly
        a=rtcp-mux
        a=rtpmap:96 VP8/90000
        m=audio 0 UDP/TLS/RTP/SAVPF 111 0
        c=IN IP4 0.0.0.0
        a=bundle-only
        a=mid:audio1
        a=sendonly
        a=rtpmap:111 opus/48000/2
        a=fmtp:111 minptime=10;useinbandfec=1
        a=rtpmap:0 PCMU/8000
        """)

    /// Firefox 128: fingerprint of the session, stereo Opus, telephone-event at 8000 only, a second audio section.
    static let firefox = wire(
        """
        v=0
        o=mozilla...THIS_IS_SDPARTA-99.0 4611686018427387903 0 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=fingerprint:sha-256 \(fingerprint)
        a=group:BUNDLE 0 1
        a=ice-options:trickle
        a=msid-semantic:WMS *
        m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101
        c=IN IP4 0.0.0.0
        a=sendrecv
        a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
        a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level
        a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid
        a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
        a=fmtp:101 0-15
        a=ice-pwd:41a5ac5c95ba7eb54bea4bb4b3b1dd9a
        a=ice-ufrag:94f2ee0e
        a=mid:0
        a=msid:{c5a6f1e2-0b0a-4b4c-9b0f-0a1b2c3d4e5f} {9e0f1a2b-3c4d-5e6f-7081-92a3b4c5d6e7}
        a=rtcp-mux
        a=rtpmap:109 opus/48000/2
        a=rtpmap:9 G722/8000/1
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:101 telephone-event/8000/1
        a=setup:actpass
        a=ssrc:2655508255 cname:{735484ea-4f6c-f74a-bd66-7425f8476c2e}
        m=audio 0 UDP/TLS/RTP/SAVPF 109 9 0 8 101
        c=IN IP4 0.0.0.0
        a=bundle-only
        a=recvonly
        a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
        a=ice-pwd:41a5ac5c95ba7eb54bea4bb4b3b1dd9a
        a=ice-ufrag:94f2ee0e
        a=mid:1
        a=rtcp-mux
        a=rtpmap:109 opus/48000/2
        a=rtpmap:9 G722/8000/1
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:101 telephone-event/8000/1
        a=setup:actpass
        """)

    /// Safari 17.
    static let safari = wire(
        """
        v=0
        o=- 5498186869896684180 2 IN IP4 127.0.0.1
        s=-
        t=0 0
        a=group:BUNDLE 0
        a=msid-semantic: WMS 9f2f1f0d-6f7d-4b0c-8f9a-2f3f4f5f6f7f
        m=audio 9 UDP/TLS/RTP/SAVPF 111 63 103 9 102 0 8 105 13 110 113 126
        c=IN IP4 0.0.0.0
        a=rtcp:9 IN IP4 0.0.0.0
        a=ice-ufrag:uU1z
        a=ice-pwd:0Ol3kQ9nO5Zb7yPqPZp1xWlV
        a=ice-options:trickle
        a=fingerprint:sha-256 \(fingerprint)
        a=setup:actpass
        a=mid:0
        a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
        a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
        a=sendrecv
        a=rtcp-mux
        a=rtpmap:111 opus/48000/2
        a=rtcp-fb:111 transport-cc
        a=fmtp:111 minptime=10;useinbandfec=1
        a=rtpmap:63 red/48000/2
        a=rtpmap:103 ISAC/16000
        a=rtpmap:9 G722/8000
        a=rtpmap:102 ILBC/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:105 CN/16000
        a=rtpmap:13 CN/8000
        a=rtpmap:110 telephone-event/48000
        a=rtpmap:113 telephone-event/16000
        a=rtpmap:126 telephone-event/8000
        a=ssrc:3188812571 cname:kQfZ0pT7d1v0Pj5e
        """)

    /// aiortc 1.9: everything gathered, three fingerprints, no telephone-event, an odd payload type for Opus.
    static let aiortc = wire(
        """
        v=0
        o=- 3928491047 3928491047 IN IP4 0.0.0.0
        s=-
        t=0 0
        a=group:BUNDLE 0
        a=msid-semantic:WMS *
        m=audio 38301 UDP/TLS/RTP/SAVPF 96 9 0 8
        c=IN IP4 192.0.2.7
        a=sendrecv
        a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
        a=extmap:2 urn:ietf:params:rtp-hdrext:ssrc-audio-level
        a=mid:0
        a=msid:0d4aabcd-7b0f-4ab1-9ff0-4bd2c2f6c8ce 7d15d4b2-0d3e-4b5e-9e6e-0fa3f0c41e9a
        a=rtcp:9 IN IP4 0.0.0.0
        a=rtcp-mux
        a=ssrc:1830948412 cname:6c6c6b38-6f8d-4f50-ba9a-7f0fae9d05f9
        a=rtpmap:96 opus/48000/2
        a=rtpmap:9 G722/8000
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=candidate:1b2c3d4e5f60718293a4b5c6d7e8f901 1 udp 2130706431 192.0.2.7 38301 typ host
        a=candidate:a2b3c4d5e6f708192a3b4c5d6e7f8091 1 udp 2130706431 2001:db8::7 47211 typ host
        a=end-of-candidates
        a=ice-ufrag:Jd8b
        a=ice-pwd:tR0pFqkZ2sWnXy7eVb3LmA
        a=fingerprint:sha-256 \(fingerprint)
        a=fingerprint:sha-384 \(fingerprint):\(fingerprint.prefix(47))
        a=fingerprint:sha-512 \(fingerprint):\(fingerprint)
        a=setup:actpass
        """)
}

/// SplitMix64: the same mutations in every run.
struct DescriptionRandom: RandomNumberGenerator {
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
            switch Int.random(in: 0..<8, using: &self) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &self)
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(contentsOf: Array("0123456789:/=-; \r\n".utf8).shuffled(using: &self).prefix(3), at: index)
            case 3: bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 1...40, using: &self)))
            case 4: bytes.insert(contentsOf: bytes[index..<min(bytes.count, index + 80)], at: index)
            case 5: bytes.insert(contentsOf: Array("99999999999999999999".utf8), at: index)
            case 6 where Bool.random(using: &self): bytes.removeLast(bytes.count - index)
            default:
                var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
                lines.swapAt(Int.random(in: lines.indices, using: &self), Int.random(in: lines.indices, using: &self))
                bytes = Array(lines.joined(separator: [0x0A]))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
