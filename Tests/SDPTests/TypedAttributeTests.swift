import SDP
import Testing

@Suite struct TypedAttributeTests {
    private static func section(_ lines: String..., formats: String = "0") throws -> MediaDescription {
        let text = "v=0\nm=audio 4000 RTP/AVP \(formats)\n" + lines.map { "a=\($0)\n" }.joined()
        return try #require(try SessionDescription(parsing: text).media.first)
    }

    @Test func rtpMaps() throws {
        let section = try Self.section(
            "rtpmap:111 opus/48000/2", "rtpmap:0 pcmu/8000", "rtpmap:300 x/1", "rtpmap:96", "rtpmap:97 y", "rtpmap:98 z/0",
            formats: "111 0 8 9 18 111 200 x")
        #expect(section.payloadTypes == [111, 0, 8, 9, 18])
        #expect(section.rtpMaps.map(\.payloadType) == [111, 0])
        #expect(section.rtpMap(of: 111)?.channels == 2)
        #expect(section.rtpMap(of: 0)?.encodingName == "pcmu")
        #expect(section.rtpMap(of: 8)?.value == "8 PCMA/8000")
        #expect(section.rtpMap(of: 9)?.encodingName == "G722")
        #expect(section.rtpMap(of: 18) == nil)
        #expect(RTPMap(payloadType: 111, encodingName: "opus", clockRate: 48000, channels: 2).value == "111 opus/48000/2")
    }

    @Test func codecsOfMaps() throws {
        func codec(_ text: String) throws -> AudioCodec? { AudioCodec(try #require(RTPMap(parsing: "96 " + text))) }
        #expect(try codec("OPUS/48000/2") == .opus)
        #expect(try codec("opus/48000") == .opus)
        #expect(try codec("opus/16000/2") == nil)
        #expect(try codec("pcmu/8000") == .pcmu)
        #expect(try codec("PCMA/8000/1") == .pcma)
        #expect(try codec("PCMU/8000/2") == nil)
        #expect(try codec("PCMU/16000") == nil)
        #expect(try codec("G722/8000") == .g722)
        #expect(try codec("L16/8000") == .l16Narrow && codec("l16/16000/1") == .l16Wide)
        #expect(try codec("L16/44100") == nil && codec("L16/16000/2") == nil)
        #expect(try codec("G722/16000") == nil)
        #expect(try codec("G729/8000") == nil)
    }

    @Test func formatParameters() throws {
        let section = try Self.section(
            "fmtp:11 wrong=1", "fmtp:111 MinPtime=10; useinbandfec = 1;;stereo=0;flag;minptime=40", "fmtp:101 0-15")
        let parameters = section.formatParameters(of: 111)
        #expect(parameters.number("minptime") == 10)
        #expect(parameters.flag("useinbandfec"))
        #expect(!parameters.flag("stereo"))
        #expect(parameters["flag"] == "")
        #expect(parameters["absent"] == nil)
        #expect(section.formatParameters(of: 101)["0-15"] == "")
        #expect(section.formatParameters(of: 1) == FormatParameters())
    }

    @Test func opusParametersAreClamped() {
        #expect(OpusParameters(FormatParameters()) == OpusParameters())
        let wild = OpusParameters(
            FormatParameters(parsing: "maxplaybackrate=1;maxaveragebitrate=999999999;usedtx=1;cbr=1;stereo=yes;unknown=3"))
        #expect(wild == OpusParameters(maxPlaybackRate: 8000, maxAverageBitrate: 510_000, useDTX: true, cbr: true))
        let odd = OpusParameters(FormatParameters(parsing: "maxplaybackrate=99999999999999999999;maxaveragebitrate=5;useinbandfec=1"))
        #expect(odd == OpusParameters(maxPlaybackRate: 48000, maxAverageBitrate: 6000, useInbandFEC: true))
    }

    @Test func directions() throws {
        #expect(try Self.section("recvonly").direction == .recvonly)
        #expect(try Self.section("ptime:20").direction == nil)
        #expect(try Self.section("sendonly:x").direction == nil)
        #expect(MediaDirection.sendonly.reversed == .recvonly)
        #expect(MediaDirection.inactive.reversed == .inactive)
        #expect(MediaDirection.sendrecv.intersection(.recvonly) == .recvonly)
        #expect(MediaDirection.sendonly.intersection(.recvonly) == .inactive)
        for direction in MediaDirection.allCases {
            #expect(MediaDirection(sends: direction.sends, receives: direction.receives) == direction)
            #expect(direction.reversed.reversed == direction)
        }
    }

    @Test func transport() throws {
        let section = try Self.section(
            "ice-ufrag:abcd", "ice-pwd:0123456789012345678901", "ice-options:trickle ice2", "setup:ActPass", "rtcp-mux",
            "rtcp:4001 IN IP4 192.0.2.1", "mid:a1", "bundle-only", "end-of-candidates", "ice-lite",
            "extmap:3/sendonly urn:x", "extmap:bad", "ssrc:4294967295 cname:me", "ssrc:4294967296 cname:no", "rtcp-fb:* nack pli",
            "rtcp-fb:96 ccm fir", "rtcp-fb:x y", "maxptime:60.7",
            "crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc|2^20 UNENCRYPTED_SRTCP", "crypto:x y z")
        #expect(section.iceUsernameFragment == "abcd")
        #expect(section.icePassword == "0123456789012345678901")
        #expect(section.iceOptions == ["trickle", "ice2"])
        #expect(section.isICELite && section.isEndOfCandidates && section.isControlMultiplexed && section.isBundleOnly)
        #expect(section.setup == .actpass)
        #expect(section.controlPort == 4001)
        #expect(section.mid == "a1")
        #expect(section.extensionMaps.map(\.uri) == ["urn:x"])
        #expect(section.extensionMaps.first?.direction == .sendonly)
        #expect(section.sources.map(\.ssrc) == [4_294_967_295])
        #expect(section.sources.first?.attribute == Attribute("cname", "me"))
        #expect(section.feedback.map(\.payloadType) == [nil, 96])
        #expect(section.feedback.map(\.value) == ["nack pli", "ccm fir"])
        #expect(section.maximumPacketTime == 60)
        #expect(section.cryptos.count == 1)
        #expect(section.cryptos.first?.keyParameters == "inline:abc|2^20")
        #expect(section.cryptos.first?.sessionParameters == ["UNENCRYPTED_SRTCP"])
        #expect(try Self.section("rtcp:0", "setup:maybe", "mid:").controlPort == nil)
        #expect(try Self.section("setup:maybe").setup == nil)
        #expect(try Self.section("mid:").mid == nil)
    }

    @Test func fingerprints() throws {
        let bytes = (0..<32).map { UInt8($0 * 8) }
        let fingerprint = Fingerprint(hashName: "SHA-256", bytes: bytes)
        #expect(fingerprint.value.hasPrefix("sha-256 00:08:10:"))
        #expect(fingerprint.value.hasSuffix(":F0:F8"))
        #expect(fingerprint.isSupported)
        #expect(Fingerprint(parsing: fingerprint.value.lowercased()) == fingerprint)
        #expect(Fingerprint(parsing: "sha-256 00:08") == nil)
        #expect(Fingerprint(parsing: "sha-1 " + Array(repeating: "AB", count: 20).joined(separator: ":"))?.isSupported == true)
        #expect(Fingerprint(parsing: "md5 " + Array(repeating: "AB", count: 16).joined(separator: ":"))?.isSupported == false)
        for bad in ["", "sha-256", "sha-256 ", "x GG", "x A", "x +A", "x AB:", "x AB::CD", "x ABC", "x AB CD", "x -1"] {
            #expect(Fingerprint(parsing: bad) == nil, "\(bad)")
        }
    }

    @Test func candidates() throws {
        let text = "candidate:842163049 1 UDP 1686052607 198.51.100.23 51423 typ srflx raddr 10.0.0.1 rport 9 generation 0"
        let candidate = try #require(CandidateLine(parsing: text))
        #expect(candidate.transport == "udp")
        #expect(candidate.priority == 1_686_052_607)
        #expect(candidate.extensions == ["raddr": "10.0.0.1", "rport": "9", "generation": "0"])
        #expect(CandidateLine(parsing: "a=" + text) == candidate)
        #expect(CandidateLine(parsing: candidate.value) == candidate)
        #expect(candidate.value.hasSuffix("typ srflx raddr 10.0.0.1 rport 9 generation 0"))
        #expect(CandidateLine.host(address: "192.0.2.1", port: 4, rank: 0).value == "1 1 udp 2130706431 192.0.2.1 4 typ host")
        #expect(CandidateLine.host(address: "192.0.2.1", port: 4, rank: 1).priority == 2_130_706_175)
        for bad in [
            "", "candidate:", "1 1 udp 1 a 1 typ", "1 0 udp 1 a 1 typ host", "1 1 udp 4294967296 a 1 typ host",
            "1 1 udp 1 a 65536 typ host", "1 1 udp 1 a 1 type host", "1 1 udp -1 a 1 typ host",
        ] {
            #expect(CandidateLine(parsing: bad) == nil, "\(bad)")
        }
    }

    @Test func bundles() throws {
        let session = try SessionDescription(
            parsing: "v=0\na=group:LS a b\na=group:BUNDLE a c\na=group:\nm=audio 1 X 0\na=mid:a\nm=audio 1 X 0\na=mid:b\nm=audio 1 X 0\n")
        #expect(session.groups.map(\.semantics) == ["LS", "BUNDLE"])
        #expect(session.bundle(of: session.media[0])?.mids == ["a", "c"])
        #expect(session.bundle(of: session.media[1]) == nil)
        #expect(session.bundle(of: session.media[2]) == nil)
    }

    @Test func connections() {
        #expect(Connection(address: "0.0.0.0").isUnspecified)
        #expect(Connection(address: "::").isUnspecified)
        #expect(!Connection(address: "10.0.0.1").isUnspecified)
        #expect(Connection(address: "2001:db8::1").addressType == "IP6")
    }
}
