import RTCStack
import SDP

/// Descriptions by SIP and WHIP (RFC 8866, 8840). What was read and is written again reads the same.
enum SDPTarget: FuzzTarget {
    private static let phone = """
        v=0\r\no=- 1 1 IN IP4 192.0.2.15\r\ns=-\r\nc=IN IP4 192.0.2.15\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 9 96 101\r\na=rtpmap:96 opus/48000/2\r\n\
        a=fmtp:96 useinbandfec=1;stereo=1;maxplaybackrate=16000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=maxptime:60\r\n\
        a=rtcp:4001\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\na=sendrecv\r\n
        """
    private static let browser = """
        v=0\r\no=- 4 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=ice-options:trickle\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63 110\r\n\
        c=IN IP4 0.0.0.0\r\na=ice-ufrag:brow\r\na=ice-pwd:browserpasswordbrowser12\r\na=fingerprint:sha-256 \
        00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\na=setup:actpass\r\na=mid:0\r\n\
        a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\na=sendrecv\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n\
        a=rtcp-fb:111 transport-cc\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:110 telephone-event/48000\r\na=ssrc:7 cname:x\r\n\
        a=candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host generation 0\r\n
        """
    private static let fragment = "a=ice-ufrag:brow\r\na=ice-pwd:browserpasswordbrowser12\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\na=end-of-candidates\r\n"

    static var seeds: [[UInt8]] { [phone, browser, fragment].map { Array($0.utf8) } }

    static func run(_ input: FuzzInput) {
        var input = input
        let text = String(decoding: input.remainder(), as: UTF8.self)
        _ = try? BrowserOffer(parsing: text)
        _ = try? TrickleFragment(parsing: text)
        guard let description = try? SessionDescription(parsing: text) else { return }
        let again = try? SessionDescription(parsing: description.text)
        require(again?.text == description.text, "written again it is another: \(description.text)")
        for media in description.media { negotiate(media, of: description) }
    }

    private static func negotiate(_ media: MediaDescription, of description: SessionDescription) {
        let theirs = AudioCapabilities(media)
        _ = (media.candidates, media.fingerprints, media.cryptos, media.extensionMaps, media.sources, media.feedback)
        for codecs in [AudioCodec.browserPreference, [.pcmu]] {
            _ = NegotiatedAudio(
                theirs: theirs, ours: theirs.preferring(codecs), section: media, direction: description.direction(of: media))
        }
    }
}
