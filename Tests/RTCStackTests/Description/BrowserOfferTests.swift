import RTCStack
import SDP
import Testing

@Suite struct BrowserOfferTests {
    @Test func chromeWithVideoAndData() throws {
        let offer = try BrowserOffer(parsing: BrowserOfferSamples.chrome)
        #expect(offer.iceUsernameFragment == "EsAw")
        #expect(offer.icePassword == "P2uYro0UCOQ4zxjKXaWCBui1")
        #expect(offer.setup == .actpass)
        #expect(offer.mid == "0")
        #expect(offer.direction == .sendrecv)
        #expect(offer.candidates.isEmpty)
        #expect(offer.supportsTrickle)
        #expect(offer.fingerprints.map(\.value) == ["sha-256 \(BrowserOfferSamples.fingerprint)"])
    }

    @Test func chromeCandidatesWithHiddenAddresses() throws {
        let offer = try BrowserOffer(parsing: BrowserOfferSamples.chromeAudioOnly)
        #expect(offer.iceUsernameFragment == "Xq/+")
        let lines = offer.candidates.compactMap(CandidateLine.init(parsing:))
        #expect(lines.map(\.type) == ["host", "host", "srflx"])
        #expect(lines.map(\.transport) == ["udp", "tcp", "udp"])
        #expect(lines[0].address == "0f1a3e0c-6f0c-4ab6-8ef5-1f2b33e5c1a0.local")
        #expect(lines[1].extensions["tcptype"] == "active")
    }

    @Test func firefoxTakesTheFingerprintOfTheSession() throws {
        let offer = try BrowserOffer(parsing: BrowserOfferSamples.firefox)
        #expect(offer.iceUsernameFragment == "94f2ee0e")
        #expect(offer.fingerprints.count == 1)
        #expect(offer.supportsTrickle)
    }

    @Test func aiortcShowsThreeFingerprints() throws {
        let offer = try BrowserOffer(parsing: BrowserOfferSamples.aiortc)
        #expect(offer.fingerprints.map(\.hashName) == ["sha-256", "sha-384", "sha-512"])
        #expect(offer.fingerprints.map(\.bytes.count) == [32, 48, 64])
        #expect(offer.candidates.count == 2)
    }

    @Test func bundleOnlyAudioUsesTheTransportOfItsGroup() throws {
        let offer = try BrowserOffer(parsing: BrowserOfferSamples.bundleOnlyAudio)
        #expect(offer.iceUsernameFragment == "Tag1")
        #expect(offer.mid == "audio1")
        #expect(offer.setup == .actpass)
    }

    @Test func transportIsThatOfTheTaggedSection() throws {
        let text = BrowserOfferSamples.chromeVideoFirst.replacing(
            "a=mid:0\r\n", with: "a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n")
        // Were audio given a transport of its own, bundling would still put it on the tagged one.
        let other = String(text.replacing("m=audio", with: "\u{1}").split(separator: "\u{1}")[0]) + "m=audio"
            + text.replacing("m=audio", with: "\u{1}").split(separator: "\u{1}")[1].replacing("gB7p", with: "othr")
        let offer = try BrowserOffer(parsing: other)
        #expect(offer.iceUsernameFragment == "gB7p")
        #expect(offer.candidates.count == 1)
        #expect(offer.mid == "1")
        // A tag that is switched off carries nothing.
        let off = try BrowserOffer(parsing: other.replacing("m=video 9", with: "m=video 0"))
        #expect(off.iceUsernameFragment == "othr")
        #expect(off.candidates.isEmpty)
    }

    /// Each entry: what to replace in Chrome's offer by what, and what must come of it.
    @Test(arguments: [
        ("v=0", "v=1", BrowserOfferError.malformed(.missingVersion), 400),
        ("m=audio 9 ", "m=audio ", .malformed(.malformedMedia(number: 8)), 400),
        ("m=audio 51423", "m=audio 0", .noAudioSection, 400),
        ("m=audio", "m=video", .noAudioSection, 400),
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP", .noAudioSection, 400),
        ("111 63 9 0 8 13 110 126", "63 9 13 110 126", .noCommonCodec, 406),
        ("a=ice-ufrag:Xq/+\r\n", "", .missingICECredentials, 400),
        ("a=ice-ufrag:Xq/+", "a=ice-ufrag:Xq/", .missingICECredentials, 400),
        ("a=ice-pwd:pYqLr8gUCOQ4zxjKXaWCBui1", "a=ice-pwd:short", .missingICECredentials, 400),
        ("a=fingerprint:sha-256", "a=fingerprint:md5", .missingFingerprint, 400),
        (":C8:E1:12", ":C8:E1", .missingFingerprint, 400),
        (":C8:E1:12", ":C8:E1:+2", .missingFingerprint, 400),
        ("a=rtcp-mux\r\n", "", .missingControlMultiplexing, 400),
        ("a=setup:actpass", "a=setup:holdconn", .unusableSetup, 400),
    ])
    func refusals(find: String, replacement: String, expected: BrowserOfferError, status: Int) {
        let base = find == "m=audio 9 " ? BrowserOfferSamples.chrome : BrowserOfferSamples.chromeAudioOnly
        let text = base.replacing(find, with: replacement)
        #expect(text != base)
        #expect(throws: expected) { try BrowserOffer(parsing: text) }
        #expect(expected.httpStatus == status)
        #expect(!expected.description.isEmpty)
    }

    @Test func emptyAndHugeTextsAreMalformed() {
        #expect(throws: BrowserOfferError.malformed(.missingVersion)) { try BrowserOffer(parsing: "") }
        let huge = BrowserOfferSamples.chrome + String(repeating: "a=x\r\n", count: 20_000)
        #expect(throws: BrowserOfferError.malformed(.tooLarge(bytes: huge.utf8.count))) { try BrowserOffer(parsing: huge) }
    }

    @Test func missingSetupMeansActive() throws {
        let offer = try BrowserOffer(parsing: BrowserOfferSamples.chromeAudioOnly.replacing("a=setup:actpass\r\n", with: ""))
        #expect(offer.setup == .active)
    }

    @Test func codecsAreThoseAskedFor() throws {
        #expect(throws: BrowserOfferError.noCommonCodec) {
            try BrowserOffer(parsing: BrowserOfferSamples.bundleOnlyAudio, codecs: [.g722])
        }
        _ = try BrowserOffer(parsing: BrowserOfferSamples.chrome, codecs: [.g722])
    }

    @Test func secondAudioSectionIsTakenWhereTheFirstIsUnusable() throws {
        let text = BrowserOfferSamples.firefox
            .replacing("m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101", with: "m=audio 0 UDP/TLS/RTP/SAVPF 109 9 0 8 101")
        let offer = try BrowserOffer(parsing: text)
        #expect(offer.mid == "1")
        #expect(offer.direction == .recvonly)
    }
}
