import SDP
import SIPStack
import Testing

@Suite struct TrunkAnswerTests {
    private static func session(_ codecs: [AudioCodec] = [.pcmu, .pcma], telephoneEvent: Bool = true) -> TrunkMediaSession {
        TrunkMediaSession(
            localAddress: "203.0.113.10", localPort: 20000, codecs: codecs, telephoneEvent: telephoneEvent, sessionID: 77)
    }

    private static func answer(
        _ text: String, _ codecs: [AudioCodec] = [.pcmu, .pcma]
    ) throws -> (sdp: SessionDescription, audio: NegotiatedAudio) {
        var session = session(codecs)
        let (sdp, audio) = try session.answer(offer: text)
        return (try SessionDescription(parsing: sdp), audio)
    }

    private static let events = TelephoneEventFormat(payloadType: 101, clockRate: 8000)

    @Test func wholeAnswerToAsterisk() throws {
        var session = Self.session()
        let (sdp, audio) = try session.answer(offer: TrunkOfferSamples.asterisk)
        #expect(
            sdp == """
                v=0
                o=- 77 1 IN IP4 203.0.113.10
                s=-
                c=IN IP4 203.0.113.10
                t=0 0
                m=audio 20000 RTP/AVP 8 0 101
                a=rtpmap:8 PCMA/8000
                a=rtpmap:0 PCMU/8000
                a=rtpmap:101 telephone-event/8000
                a=fmtp:101 0-15
                a=ptime:20
                a=sendrecv

                """.replacing("\n", with: "\r\n"))
        #expect(
            audio
                == NegotiatedAudio(
                    codec: .pcma, payloadType: 8, receivePayloadTypes: [8: .pcma, 0: .pcmu], telephoneEvent: Self.events,
                    receiveTelephoneEvents: [Self.events], remoteAddress: "198.51.100.40", remotePort: 15226,
                    remoteControlPort: 15227))
    }

    @Test func baresip() throws {
        let narrow = try Self.answer(TrunkOfferSamples.baresip)
        #expect(narrow.audio.codec == .pcmu)
        #expect(narrow.audio.remoteControlPort == 10513)
        #expect(narrow.sdp.media[0].formats == ["0", "8", "101"])

        // With Opus the offer's order decides, and events at 8000 serve where no other clock was offered.
        let wide = try Self.answer(TrunkOfferSamples.baresip, [.pcmu, .opus])
        #expect(wide.audio.codec == .opus)
        #expect(wide.audio.payloadType == 96)
        #expect(wide.audio.opus.stereo)
        #expect(wide.audio.telephoneEvent == Self.events)
        #expect(wide.sdp.media[0].formats == ["96", "0", "101"])

        let opusAlone = try Self.answer(TrunkOfferSamples.baresip, [.opus])
        #expect(opusAlone.audio.telephoneEvent == Self.events)
    }

    @Test func linphone() throws {
        let (sdp, audio) = try Self.answer(TrunkOfferSamples.linphone)
        #expect(audio.codec == .pcma)
        #expect(audio.telephoneEvent == Self.events)
        #expect(audio.receiveTelephoneEvents == [Self.events])
        #expect(sdp.media.map(\.port) == [20000, 0])
        #expect(sdp.media[0].transportProtocol == "RTP/AVPF")
        #expect(sdp.media[1].kind == "video")
        #expect(sdp.media[1].formats == ["96"])
    }

    @Test func freeswitch() throws {
        #expect(try Self.answer(TrunkOfferSamples.freeswitch).audio.codec == .pcma)
        let wide = try Self.answer(TrunkOfferSamples.freeswitch, [.pcmu, .g722])
        #expect(wide.audio.codec == .g722)
        #expect(wide.audio.payloadType == 9)
        #expect(wide.audio.telephoneEvent == Self.events)
    }

    @Test func sippWithoutEvents() throws {
        let (sdp, audio) = try Self.answer(TrunkOfferSamples.sipp)
        #expect(audio.telephoneEvent == nil)
        #expect(audio.receiveTelephoneEvents.isEmpty)
        #expect(sdp.media[0].formats == ["0"])
    }

    @Test func eventsAreLeftOutWhereSwitchedOff() throws {
        var session = Self.session(telephoneEvent: false)
        let (sdp, audio) = try session.answer(offer: TrunkOfferSamples.asterisk)
        #expect(audio.telephoneEvent == nil)
        #expect(!sdp.contains("telephone-event"))
        #expect(!session.offer().contains("telephone-event"))
    }

    @Test func addressOfZerosIsAHold() throws {
        let (sdp, audio) = try Self.answer(TrunkOfferSamples.oldPhoneHold)
        #expect(audio.direction == .recvonly)
        #expect(audio.remoteAddress == nil)
        #expect(audio.remotePort == 2328)
        #expect(sdp.media[0].direction == .recvonly)
        #expect(sdp.media[0].formats == ["0"])
    }

    @Test(arguments: [
        (MediaDirection.sendrecv, MediaDirection.sendrecv), (.sendonly, .recvonly), (.recvonly, .sendonly), (.inactive, .inactive),
    ])
    func directions(offered: MediaDirection, expected: MediaDirection) throws {
        let section = TrunkOfferSamples.asterisk.replacing("a=sendrecv", with: "a=\(offered.rawValue)")
        #expect(try Self.answer(section).audio.direction == expected)
        let session = TrunkOfferSamples.sipp.replacing("t=0 0\r\n", with: "t=0 0\r\na=\(offered.rawValue)\r\n")
        let (sdp, audio) = try Self.answer(session)
        #expect(audio.direction == expected)
        #expect(sdp.media[0].direction == expected)
    }

    @Test func ourOwnHoldNarrowsTheAnswer() throws {
        var session = Self.session()
        session.direction = .sendonly
        #expect(try session.answer(offer: TrunkOfferSamples.asterisk).audio.direction == .sendonly)
        #expect(session.offer().contains("a=sendonly\r\n"))
    }

    @Test func encryptedSectionIsRejectedAndTheClearOneTaken() throws {
        let (sdp, audio) = try Self.answer(TrunkOfferSamples.secureAndPlain)
        #expect(sdp.media.map(\.port) == [0, 20000])
        #expect(audio.remotePort == 61002)
        #expect(audio.packetTime == 30)
        #expect(sdp.media[1].packetTime == 30)
    }

    @Test(arguments: [
        ("a=ptime:10", 10), ("a=ptime:30", 30), ("a=ptime:60", 60), ("a=ptime:25", 20), ("a=ptime:100", 60), ("a=ptime:5", 10),
        ("a=ptime:0", 20), ("a=ptime:x", 20), ("a=ptime:20.5", 20), ("a=maxptime:10", 10), ("a=maxptime:140", 20),
        ("a=ptime:40\r\na=maxptime:30", 30), ("a=maxptime:3", 10),
    ])
    func packetTimes(lines: String, expected: Int) throws {
        let (sdp, audio) = try Self.answer(TrunkOfferSamples.sipp + lines + "\r\n")
        #expect(audio.packetTime == expected)
        #expect(sdp.media[0].packetTime == expected)
    }

    @Test(arguments: [("a=ptime:30", 20), ("a=ptime:50", 40), ("a=ptime:10", 10), ("a=ptime:60", 60)])
    func opusHasFewerPacketTimes(line: String, expected: Int) throws {
        let text = TrunkOfferSamples.baresip.replacing("a=ptime:20", with: line)
        #expect(try Self.answer(text, [.opus]).audio.packetTime == expected)
    }

    @Test func numbersOfTheOfferAreKept() throws {
        let text = TrunkOfferSamples.asterisk
            .replacing("RTP/AVP 8 0 101", with: "RTP/AVP 110 0 96").replacing("rtpmap:8 ", with: "rtpmap:110 ")
            .replacing("rtpmap:101", with: "rtpmap:96").replacing("fmtp:101", with: "fmtp:96")
        let (sdp, audio) = try Self.answer(text)
        #expect(sdp.media[0].formats == ["110", "0", "96"])
        #expect(audio.payloadType == 110)
        #expect(audio.receivePayloadTypes == [110: .pcma, 0: .pcmu])
        #expect(audio.telephoneEvent?.payloadType == 96)
    }

    @Test func multiplexingOnlyWhereWanted() throws {
        let text = TrunkOfferSamples.asterisk + "a=rtcp-mux\r\n"
        #expect(try Self.answer(text).audio.rtcpMux == false)
        var session = TrunkMediaSession(
            localAddress: "2001:db8::1", localPort: 20000, sessionID: 1, acceptsControlMultiplexing: true)
        let (sdp, audio) = try session.answer(offer: text)
        #expect(audio.rtcpMux)
        #expect(audio.remoteControlPort == nil)
        #expect(sdp.contains("a=rtcp-mux\r\n"))
        #expect(sdp.contains("c=IN IP6 2001:db8::1\r\n"))
    }

    @Test(arguments: [
        ("", TrunkMediaError.malformed(.missingVersion), 400),
        ("v=0\r\nthis is not SDP\r\n", .malformed(.malformedLine(number: 2)), 400),
        ("v=0\r\nm=audio 70000 RTP/AVP 0\r\n", .malformed(.malformedMedia(number: 2)), 400),
        ("v=0\r\nc=IN IP4\r\n", .malformed(.malformedConnection(number: 2)), 400),
        ("v=0\r\nm=audio 4000 RTP/AVP 0\r\n", .malformed(.missingConnection), 400),
        ("v=0\r\nc=IN IP4 192.0.2.1\r\n", .notAcceptable("the offer has no audio section"), 488),
        ("v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 0\r\n", .notAcceptable("the offer has no audio section"), 488),
        ("v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 18\r\n", .notAcceptable("no audio codec in common"), 488),
        (
            "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/SAVP 0\r\n",
            .notAcceptable("audio is offered over SRTP only, which is off for this trunk"), 488
        ),
    ])
    func refusals(text: String, expected: TrunkMediaError, status: Int) {
        var session = Self.session()
        #expect(throws: expected) { try session.answer(offer: text) }
        #expect(expected.sipStatus == status)
        #expect(!expected.description.isEmpty)
    }
}
