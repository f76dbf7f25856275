import SDP
import SIPStack
import Testing

@Suite struct TrunkMediaSessionTests {
    private static func session(_ codecs: [AudioCodec] = [.pcmu, .pcma]) -> TrunkMediaSession {
        TrunkMediaSession(localAddress: "203.0.113.10", localPort: 20000, codecs: codecs, sessionID: 77)
    }

    private static func version(_ sdp: String) throws -> String {
        try SessionDescription(parsing: sdp).origin.sessionVersion
    }

    private static let offerText = """
        v=0
        o=- 77 1 IN IP4 203.0.113.10
        s=-
        c=IN IP4 203.0.113.10
        t=0 0
        m=audio 20000 RTP/AVP 0 8 101
        a=rtpmap:0 PCMU/8000
        a=rtpmap:8 PCMA/8000
        a=rtpmap:101 telephone-event/8000
        a=fmtp:101 0-15
        a=ptime:20
        a=sendrecv

        """.replacing("\n", with: "\r\n")

    @Test func delayedOffer() throws {
        var session = Self.session()
        #expect(session.offer() == Self.offerText)
        let audio = try session.accept(answer: TrunkOfferSamples.asterisk)
        #expect(audio.codec == .pcma)
        #expect(audio.receivePayloadTypes == [0: .pcmu, 8: .pcma])
        #expect(audio.telephoneEvent == TelephoneEventFormat(payloadType: 101, clockRate: 8000))
        #expect(audio.remoteAddress == "198.51.100.40")
        #expect(audio.remotePort == 15226)
    }

    @Test func answerWithNumbersOfItsOwn() throws {
        var session = Self.session([.opus, .pcmu])
        let offer = try SessionDescription(parsing: session.offer())
        #expect(offer.media[0].formats == ["111", "0", "110", "101"])
        let audio = try session.accept(
            answer: "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 96 97\r\na=rtpmap:96 opus/48000/2\r\n"
                + "a=rtpmap:97 telephone-event/48000\r\na=fmtp:96 maxaveragebitrate=16000;useinbandfec=1\r\na=recvonly\r\n")
        // We send by the answer's numbers and receive by our own (RFC 3264 section 5.1).
        #expect(audio.payloadType == 96)
        #expect(audio.receivePayloadTypes == [111: .opus, 0: .pcmu])
        #expect(audio.telephoneEvent == TelephoneEventFormat(payloadType: 97, clockRate: 48000))
        #expect(audio.receiveTelephoneEvents.map(\.payloadType) == [110, 101])
        #expect(audio.opus == OpusParameters(maxAverageBitrate: 16000, useInbandFEC: true))
        #expect(audio.direction == .sendonly)
    }

    @Test func answerThatLeavesOutWhatANumberMeans() throws {
        var session = Self.session()
        _ = session.offer()
        let audio = try session.accept(answer: "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0 101\r\n")
        #expect(audio.telephoneEvent == TelephoneEventFormat(payloadType: 101, clockRate: 8000))
    }

    @Test func answerWithoutEvents() throws {
        var session = Self.session()
        _ = session.offer()
        let audio = try session.accept(answer: TrunkOfferSamples.sipp)
        #expect(audio.telephoneEvent == nil)
        #expect(audio.receiveTelephoneEvents.isEmpty)
    }

    @Test(arguments: [
        ("v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 0\r\n", "the answer rejects audio"),
        ("v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 18\r\n", "the answer has no codec of the offer"),
        ("v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/SAVP 0\r\n", "the answer changes the transport protocol"),
        ("v=0\r\nc=IN IP4 192.0.2.1\r\nm=video 4000 RTP/AVP 0\r\n", "the answer has no audio section where the offer had one"),
        ("v=0\r\nc=IN IP4 192.0.2.1\r\n", "the answer has no audio section where the offer had one"),
    ])
    func refusedAnswers(text: String, reason: String) {
        var session = Self.session()
        _ = session.offer()
        #expect(throws: TrunkMediaError.notAcceptable(reason)) { try session.accept(answer: text) }
    }

    @Test func answerWithoutOffer() {
        var session = Self.session()
        #expect(throws: TrunkMediaError.notAcceptable("no offer was made")) {
            try session.accept(answer: TrunkOfferSamples.sipp)
        }
    }

    @Test func versionGrowsOnlyWithTheContent() throws {
        var session = Self.session()
        let hold = TrunkOfferSamples.asterisk.replacing("a=sendrecv", with: "a=sendonly")
        let texts = [
            try session.answer(offer: TrunkOfferSamples.asterisk).sdp,
            try session.answer(offer: TrunkOfferSamples.asterisk).sdp,
            try session.answer(offer: hold).sdp,
            try session.answer(offer: hold).sdp,
            try session.answer(offer: TrunkOfferSamples.asterisk).sdp,
        ]
        #expect(try texts.map(Self.version) == ["1", "1", "2", "2", "3"])
        #expect(texts[0] == texts[1])
        #expect(try SessionDescription(parsing: texts[4]).origin.sessionIdentifier == "77")
    }

    @Test func refusedReofferChangesNothing() throws {
        var session = Self.session()
        let first = try session.answer(offer: TrunkOfferSamples.asterisk).sdp
        #expect(throws: TrunkMediaError.self) { try session.answer(offer: "nonsense") }
        #expect(throws: TrunkMediaError.self) {
            try session.answer(offer: TrunkOfferSamples.asterisk.replacing("RTP/AVP 8 0 101", with: "RTP/AVP 18"))
        }
        #expect(try session.answer(offer: TrunkOfferSamples.asterisk).sdp == first)
    }

    @Test func laterOfferKeepsSectionsAndNumbers() throws {
        var session = Self.session([.pcmu, .pcma, .opus])
        let offered = TrunkOfferSamples.linphone
            .replacing("97 98 8 0 99 100 101", with: "8 101 96").replacing("rtpmap:101 telephone-event/8000", with: "rtpmap:101 opus/48000/2")
            .replacing("m=video", with: "a=rtpmap:96 telephone-event/8000\r\nm=video")
        _ = try session.answer(offer: offered)
        let offer = try SessionDescription(parsing: session.offer())
        #expect(offer.origin.sessionVersion == "2")
        #expect(offer.media.map(\.port) == [20000, 0])
        #expect(offer.media[0].transportProtocol == "RTP/AVPF")
        // PCMU is new and takes its own number; Opus and the events keep the peer's.
        #expect(offer.media[0].formats == ["0", "8", "101", "110", "96"])
        let audio = try session.accept(answer: offered)
        #expect(audio.codec == .pcma)
    }

    @Test func standardNumberThatIsTakenGivesWay() throws {
        var session = Self.session([.pcmu, .opus])
        _ = try session.answer(
            offer: "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 101\r\na=rtpmap:101 opus/48000/2\r\n")
        let offer = try SessionDescription(parsing: session.offer())
        #expect(offer.media[0].formats == ["0", "101", "110", "96"])
        #expect(offer.media[0].rtpMap(of: 96)?.encodingName == "telephone-event")
    }

    @Test func codecsNamedTwiceAreOfferedOnce() throws {
        var session = Self.session([.pcmu, .pcma, .pcmu])
        #expect(session.offer() == Self.offerText)
    }

    /// Our offer, answered by another session of ours, agrees at both ends.
    @Test(arguments: [[AudioCodec.pcmu, .pcma], [.opus, .g722, .pcmu], [.g722]])
    func twoSessionsAgree(codecs: [AudioCodec]) throws {
        var caller = Self.session(codecs)
        var callee = TrunkMediaSession(localAddress: "198.51.100.1", localPort: 30000, codecs: codecs.reversed(), sessionID: 5)
        let (answer, theirs) = try callee.answer(offer: caller.offer())
        let ours = try caller.accept(answer: answer)
        #expect(ours.codec == codecs[0])
        #expect(theirs.codec == codecs[0])
        #expect(ours.payloadType == theirs.payloadType)
        #expect(ours.telephoneEvent == theirs.telephoneEvent)
        #expect(ours.remoteAddress == "198.51.100.1")
        #expect(theirs.remotePort == 20000)
    }

    @Test(arguments: TrunkOfferSamples.all.indices)
    func mutationsNeverTrap(sample: Int) throws {
        let text = TrunkOfferSamples.all[sample]
        var random = TrunkDescriptionRandom(seed: UInt64(sample) + 7)
        var session = Self.session(AudioCodec.allCases)
        var answered = 0
        for _ in 0..<3000 {
            let mutated = random.mutated(text)
            if let (sdp, audio) = try? session.answer(offer: mutated) {
                answered += 1
                let description = try SessionDescription(parsing: sdp)
                #expect(description.media.filter { $0.port != 0 }.count == 1)
                #expect(audio.receivePayloadTypes[audio.payloadType] == audio.codec)
                #expect(audio.codec.packetTimes.contains(audio.packetTime))
            }
            _ = session.offer()
            if let audio = try? session.accept(answer: mutated) {
                #expect(audio.codec.packetTimes.contains(audio.packetTime))
            }
        }
        #expect(answered > 100)
    }
}
