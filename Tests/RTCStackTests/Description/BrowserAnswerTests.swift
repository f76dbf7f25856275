import RTCStack
import SDP
import Testing

@Suite struct BrowserAnswerTests {
    private static func parameters(_ change: (inout BrowserAnswerParameters) -> Void = { _ in }) -> BrowserAnswerParameters {
        var parameters = BrowserAnswerParameters(
            localUfrag: "loca", localPassword: "0123456789012345678901", fingerprint: "AA:BB",
            candidates: [
                BrowserCandidate(address: "203.0.113.10", port: 40000), BrowserCandidate(address: "2001:db8::1", port: 40001),
            ],
            sessionID: 42, localSSRC: 4_000_000_000, cname: "name")
        change(&parameters)
        return parameters
    }

    private static func answer(
        to text: String, _ change: (inout BrowserAnswerParameters) -> Void = { _ in }
    ) throws -> (BrowserAnswer, SessionDescription) {
        let answer = try BrowserOffer(parsing: text).answer(parameters(change))
        return (answer, try SessionDescription(parsing: answer.sdp))
    }

    @Test func wholeAnswerToChrome() throws {
        let (answer, _) = try Self.answer(to: BrowserOfferSamples.chrome)
        let expected = """
            v=0
            o=- 42 1 IN IP4 127.0.0.1
            s=-
            t=0 0
            a=group:BUNDLE 0
            a=ice-lite
            a=ice-options:ice2 trickle
            a=msid-semantic:WMS *
            m=audio 40000 UDP/TLS/RTP/SAVPF 111 0 8 63 110 126
            c=IN IP4 203.0.113.10
            a=mid:0
            a=sendrecv
            a=rtcp-mux
            a=ice-ufrag:loca
            a=ice-pwd:0123456789012345678901
            a=fingerprint:sha-256 AA:BB
            a=setup:passive
            a=candidate:1 1 udp 2130706431 203.0.113.10 40000 typ host
            a=candidate:2 1 udp 2130706175 2001:db8::1 40001 typ host
            a=end-of-candidates
            a=rtpmap:111 opus/48000/2
            a=fmtp:111 minptime=10;useinbandfec=1
            a=rtpmap:0 PCMU/8000
            a=rtpmap:8 PCMA/8000
            a=rtpmap:63 red/48000/2
            a=fmtp:63 111/111
            a=rtpmap:110 telephone-event/48000
            a=fmtp:110 0-15
            a=rtpmap:126 telephone-event/8000
            a=fmtp:126 0-15
            a=rtcp-rsize
            a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
            a=rtcp-fb:111 transport-cc
            a=ptime:20
            a=maxptime:60
            a=msid:tandem audio
            a=ssrc:4000000000 cname:name
            m=video 0 UDP/TLS/RTP/SAVPF 96
            c=IN IP4 0.0.0.0
            a=mid:1
            a=inactive
            a=rtpmap:96 VP8/90000
            m=application 0 UDP/DTLS/SCTP webrtc-datachannel
            c=IN IP4 0.0.0.0
            a=mid:2
            a=inactive

            """
        #expect(answer.sdp == expected.replacing("\n", with: "\r\n"))
        #expect(answer.dtlsRole == .passive)
        var audio = NegotiatedAudio(
            codec: .opus, payloadType: 111, receivePayloadTypes: [111: .opus, 0: .pcmu, 8: .pcma],
            telephoneEvent: TelephoneEventFormat(payloadType: 110, clockRate: 48000),
            receiveTelephoneEvents: [
                TelephoneEventFormat(payloadType: 110, clockRate: 48000), TelephoneEventFormat(payloadType: 126, clockRate: 8000),
            ],
            packetTime: 20, opus: OpusParameters(useInbandFEC: true), direction: .sendrecv, rtcpMux: true)
        audio.sendRedundancy = 63
        audio.receiveRedundancy = 63
        audio.feedback.transportSequence = 3
        audio.feedback.reducedSize = true
        #expect(answer.audio == audio)
    }

    /// Chrome sends what the answer lists first; so the offer's order is kept.
    @Test func redundancyStandsWhereTheOfferHasIt() throws {
        let (_, description) = try Self.answer(to: BrowserOfferSamples.chrome.replacing("SAVPF 111 63 9", with: "SAVPF 63 111 9"))
        #expect(description.media[0].formats == ["63", "111", "0", "8", "110", "126"])
        let (answer, without) = try Self.answer(to: BrowserOfferSamples.chrome) { $0.codecs = [.pcmu, .pcma] }
        #expect(without.media[0].formats == ["0", "8", "126"])
        #expect(answer.audio.sendRedundancy == nil)
    }

    @Test(arguments: ["a=fmtp:63 111/0", "a=fmtp:63 111/x", "a=fmtp:63", "a=x-fmtp:63 111/111", "a=fmtp:63 /"])
    func redundancyOfAnotherFormatIsNotAnswered(line: String) throws {
        let text = BrowserOfferSamples.chrome.replacing("a=fmtp:63 111/111", with: line)
        let (answer, description) = try Self.answer(to: text)
        #expect(description.media[0].formats == ["111", "0", "8", "110", "126"])
        #expect(answer.audio.receiveRedundancy == nil)
    }

    @Test func firefoxHasEventsAt8000AndASecondAudioSection() throws {
        let (answer, description) = try Self.answer(to: BrowserOfferSamples.firefox)
        #expect(answer.audio.codec == .opus)
        #expect(answer.audio.payloadType == 109)
        #expect(answer.audio.telephoneEvent == TelephoneEventFormat(payloadType: 101, clockRate: 8000))
        #expect(answer.audio.opus == OpusParameters(maxPlaybackRate: 48000, stereo: true, useInbandFEC: true))
        #expect(description.media.map(\.port) == [40000, 0])
        #expect(description.media.map(\.mid) == ["0", "1"])
        #expect(description.groups == [MediaGroup(semantics: "BUNDLE", mids: ["0"])])
    }

    @Test func safariOffersEventsOfThreeClocks() throws {
        let (answer, description) = try Self.answer(to: BrowserOfferSamples.safari)
        #expect(description.media[0].formats == ["111", "0", "8", "110", "126"])
        #expect(answer.audio.telephoneEvent?.clockRate == 48000)
    }

    @Test func aiortcHasNoEvents() throws {
        let (answer, description) = try Self.answer(to: BrowserOfferSamples.aiortc)
        #expect(answer.audio.payloadType == 96)
        #expect(answer.audio.telephoneEvent == nil)
        #expect(answer.audio.receiveTelephoneEvents.isEmpty)
        #expect(description.media[0].formats == ["96", "0", "8"])
        #expect(!answer.audio.opus.useInbandFEC)
        #expect(answer.audio.remoteAddress == nil)
        #expect(answer.audio.remotePort == 0)
    }

    @Test func tagThatCannotBeKeptLeavesTheGroup() throws {
        for text in [
            BrowserOfferSamples.chromeVideoFirst.replacing("m=video 9", with: "m=video 0"),
            BrowserOfferSamples.chromeVideoFirst.replacing("m=video 9 UDP/TLS/RTP/SAVPF", with: "m=application 9 UDP/DTLS/SCTP"),
        ] {
            let (_, description) = try Self.answer(to: text)
            #expect(description.media.map(\.port) == [0, 40000])
            #expect(description.groups == [MediaGroup(semantics: "BUNDLE", mids: ["1"])])
        }
    }

    /// Chrome with `max-bundle` refuses an answer that rejects the section its transport belongs to.
    @Test func tagIsKeptAsInactive() throws {
        let (answer, description) = try Self.answer(to: BrowserOfferSamples.chromeVideoFirst)
        #expect(description.groups == [MediaGroup(semantics: "BUNDLE", mids: ["0", "1"])])
        let video = description.media[0]
        #expect(video.port == 40000)
        #expect(video.direction == .inactive)
        #expect(video.formats == ["96"])
        #expect(video.values(of: "rtpmap") == ["96 H264/90000"])
        #expect(video.values(of: "fmtp") == ["96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f"])
        #expect(video.isControlMultiplexed)
        #expect(video.candidates.count == 2)
        for name in ["ice-ufrag", "ice-pwd", "fingerprint", "setup"] {
            #expect(video.value(of: name) != nil && video.value(of: name) == description.media[1].value(of: name))
        }
        #expect(description.media[1].direction == .sendrecv)
        #expect(answer.audio.codec == .opus)
    }

    @Test func bundleOnlyAudio() throws {
        let (answer, description) = try Self.answer(to: BrowserOfferSamples.bundleOnlyAudio)
        #expect(description.media.map(\.port) == [40000, 40000])
        #expect(description.groups == [MediaGroup(semantics: "BUNDLE", mids: ["video1", "audio1"])])
        #expect(answer.audio.direction == .recvonly)
        #expect(description.media[1].has("rtcp-mux"))
        #expect(!description.media[1].has("bundle-only"))
    }

    @Test func withoutBundleNoneIsAnswered() throws {
        let text = BrowserOfferSamples.chromeAudioOnly.replacing("a=group:BUNDLE 0\r\n", with: "")
        #expect(try Self.answer(to: text).1.groups.isEmpty)
        let bare = text.replacing("a=mid:0\r\n", with: "")
        let (_, description) = try Self.answer(to: bare)
        #expect(description.media[0].mid == nil)
        #expect(!description.text.contains("a=mid"))
    }

    @Test(arguments: [
        (SetupRole.actpass, BrowserDTLSRole.passive, BrowserDTLSRole.passive),
        (.actpass, .active, .active), (.active, .active, .passive), (.active, .passive, .passive),
        (.passive, .passive, .active), (.passive, .active, .active),
    ])
    func setupRoles(offered: SetupRole, preferred: BrowserDTLSRole, expected: BrowserDTLSRole) throws {
        let text = BrowserOfferSamples.chromeAudioOnly.replacing("a=setup:actpass", with: "a=setup:\(offered.rawValue)")
        let (answer, description) = try Self.answer(to: text) { $0.dtlsRole = preferred }
        #expect(answer.dtlsRole == expected)
        #expect(description.media[0].setup?.rawValue == expected.rawValue)
    }

    @Test(arguments: [
        (MediaDirection.sendrecv, MediaDirection.sendrecv), (.sendonly, .recvonly), (.recvonly, .sendonly), (.inactive, .inactive),
    ])
    func directions(offered: MediaDirection, expected: MediaDirection) throws {
        let text = BrowserOfferSamples.chromeAudioOnly.replacing("a=sendrecv", with: "a=\(offered.rawValue)")
        let (answer, description) = try Self.answer(to: text)
        #expect(answer.audio.direction == expected)
        #expect(description.media[0].direction == expected)
        #expect(description.media[0].has("ssrc") == expected.sends)
    }

    @Test func narrowerDirectionOfOurs() throws {
        let (answer, _) = try Self.answer(to: BrowserOfferSamples.chromeAudioOnly) { $0.direction = .sendonly }
        #expect(answer.audio.direction == .sendonly)
    }

    @Test func preferenceDecidesTheCodec() throws {
        let (answer, description) = try Self.answer(to: BrowserOfferSamples.chrome) { $0.codecs = [.pcma, .pcmu] }
        #expect(answer.audio.codec == .pcma)
        #expect(answer.audio.telephoneEvent == TelephoneEventFormat(payloadType: 126, clockRate: 8000))
        // An event clock no codec beside it has is not answered.
        #expect(description.media[0].formats == ["8", "0", "126"])
        let (fallback, _) = try Self.answer(to: BrowserOfferSamples.bundleOnlyAudio) { $0.codecs = [.g722] }
        #expect(fallback.audio.codec == .opus)
    }

    @Test func withoutCandidatesThePortIsDiscard() throws {
        let (_, description) = try Self.answer(to: BrowserOfferSamples.chrome) { $0.candidates = [] }
        #expect(description.media[0].port == 9)
        #expect(description.media[0].connection?.address == "0.0.0.0")
        #expect(description.media[0].isEndOfCandidates)
    }

    @Test func valuesCannotBeginLines() throws {
        let (answer, _) = try Self.answer(to: BrowserOfferSamples.chrome) { $0.cname = "x\r\na=evil:1" }
        #expect(!answer.sdp.contains("\na=evil"))
        #expect(answer.sdp.contains("cname:xa=evil:1\r\n"))
    }

    /// Whatever still parses is answered section by section, with numbers of the offer only.
    @Test(arguments: BrowserOfferSamples.all.indices)
    func mutationsNeverTrap(sample: Int) throws {
        let text = BrowserOfferSamples.all[sample]
        var random = DescriptionRandom(seed: UInt64(sample) + 1)
        var answered = 0
        for _ in 0..<1500 {
            guard let offer = try? BrowserOffer(parsing: random.mutated(text)) else { continue }
            answered += 1
            let answer = offer.answer(Self.parameters())
            let description = try SessionDescription(parsing: answer.sdp)
            #expect(description.media.count >= 1)
            #expect((1...2).contains(description.media.filter { $0.port != 0 }.count))
            #expect(answer.audio.receivePayloadTypes[answer.audio.payloadType] == answer.audio.codec)
            #expect(answer.audio.codec.packetTimes.contains(answer.audio.packetTime))
            #expect(try SessionDescription(parsing: description.text) == description)
        }
        #expect(answered > 100)
    }

    /// Generic NACK (RFC 4585) is taken where the offer has it, for the codec in use or for all.
    @Test(arguments: [("111 nack", true), ("* nack", true), ("111 nack pli", false), ("0 nack", false), ("111 goog-remb", false)])
    func retransmissionWhereOffered(_ line: String, _ isTaken: Bool) throws {
        let offer = BrowserOfferSamples.chromeAudioOnly.replacing("a=rtpmap:111 opus/48000/2", with: "a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:\(line)")
        let (answer, session) = try Self.answer(to: offer)
        #expect(answer.audio.feedback.retransmission == isTaken)
        #expect(session.media.first?.values(of: "rtcp-fb").contains("111 nack") == isTaken)
    }
}
