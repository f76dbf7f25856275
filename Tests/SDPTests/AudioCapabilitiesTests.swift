import SDP
import Testing

@Suite struct AudioCapabilitiesTests {
    private static func capabilities(_ formats: String, _ lines: String...) throws -> AudioCapabilities {
        let text = "v=0\nm=audio 4000 RTP/AVP \(formats)\n" + lines.map { "a=\($0)\n" }.joined()
        return AudioCapabilities(try #require(try SessionDescription(parsing: text).media.first))
    }

    @Test func firstNumberOfACodecCounts() throws {
        let capabilities = try Self.capabilities(
            "96 0 97 18 100 101", "rtpmap:96 opus/48000/2", "rtpmap:97 opus/48000/2", "rtpmap:100 telephone-event/8000",
            "rtpmap:101 telephone-event/8000", "fmtp:96 stereo=1", "fmtp:97 cbr=1")
        #expect(capabilities.formats.map(\.codec) == [.opus, .pcmu])
        #expect(capabilities.formats.map(\.payloadType) == [96, 0])
        #expect(capabilities.formats.first?.parameters.flag("stereo") == true)
        #expect(capabilities.telephoneEvents == [TelephoneEventFormat(payloadType: 100, clockRate: 8000)])
    }

    @Test func lineOutweighsTheAssignedNumber() throws {
        #expect(try Self.capabilities("0", "rtpmap:0 PCMA/8000").formats.map(\.codec) == [.pcma])
    }

    /// Lines that say nothing of the redundancy, however many, do not hide it; the first one about a number counts.
    @Test func redundancyAmongManyLines() throws {
        func read(_ lines: String...) throws -> RedundancyFormat? {
            let noise = (0..<900).map { "a=fmtp:\($0 % 128 == 63 ? 0 : $0 % 128) 9/9\n" }.joined()
            let text = "v=0\nm=audio 4000 RTP/AVP 63 111 \((0..<63).map(String.init).joined(separator: " "))\na=rtpmap:111 opus/48000/2\n"
            return AudioCapabilities(try #require(try SessionDescription(parsing: text + noise + lines.map { "a=\($0)\n" }.joined()).media.first)).redundancy
        }
        let format = RedundancyFormat(payloadType: 63, primaryType: 111, isPreferred: true)
        #expect(try read("rtpmap:63 RED/48000/2", "fmtp:63 111/111", "fmtp:63 0/0") == format)
        #expect(try read("rtpmap:63 red/48000/2", "fmtp:63 0/111", "fmtp:63 111/111") == nil)
        #expect(try read("rtpmap:63 red/48000/2", "fmtp:319 111/111") == nil)
        #expect(try read("rtpmap:63 red/8000", "fmtp:63 111/111") == nil)
    }

    @Test func numbersThatLookLikeControlPacketsAreSkippedWhenMultiplexed() throws {
        let lines = ("rtpmap:72 opus/48000/2", "rtpmap:73 telephone-event/8000")
        #expect(try Self.capabilities("72 73 0", lines.0, lines.1).formats.map(\.payloadType) == [72, 0])
        let multiplexed = try Self.capabilities("72 73 0", lines.0, lines.1, "rtcp-mux")
        #expect(multiplexed.formats.map(\.payloadType) == [0])
        #expect(multiplexed.telephoneEvents.isEmpty)
    }

    @Test func orderOfTheOfferOrOurs() throws {
        let offered = try Self.capabilities("8 9 0")
        #expect(offered.selecting([.pcmu, .pcma]).formats.map(\.codec) == [.pcma, .pcmu])
        #expect(offered.preferring([.pcmu, .opus, .pcma]).formats.map(\.codec) == [.pcmu, .pcma])
        #expect(offered.selecting([.opus]).formats.isEmpty)
    }

    /// Which event clocks are kept beside which codecs (ARCHITECTURE 4a.6), and which one sends beside the first.
    @Test(arguments: [
        ([AudioCodec.opus], [48000, 8000], [48000], 48000 as Int?),
        ([.opus], [8000], [8000], 8000), ([.opus], [16000], [], nil), ([.opus, .pcmu], [8000, 16000, 48000], [8000, 48000], 48000),
        ([.opus, .pcmu], [8000], [8000], 8000), ([.pcmu], [48000], [], nil), ([.pcmu], [48000, 8000], [8000], 8000),
        ([.g722], [8000], [8000], 8000), ([.pcmu, .opus], [48000], [48000], nil),
    ])
    func eventClocks(codecs: [AudioCodec], offered: [Int], kept: [Int], sends: Int?) {
        let capabilities = AudioCapabilities(
            formats: codecs.map { AudioFormat(codec: $0, payloadType: $0.defaultPayloadType) },
            telephoneEvents: offered.enumerated().map { TelephoneEventFormat(payloadType: UInt8(96 + $0), clockRate: $1) }
        ).preferring(codecs)
        #expect(capabilities.telephoneEvents.map(\.clockRate) == kept)
        #expect(capabilities.telephoneEvent(beside: codecs[0])?.clockRate == sends)
    }

    @Test func whatItWritesItReads() throws {
        let capabilities = AudioCapabilities(
            formats: AudioCodec.allCases.map { AudioFormat(codec: $0, payloadType: $0.defaultPayloadType) },
            telephoneEvents: [TelephoneEventFormat(payloadType: 101, clockRate: 8000)])
        let section = MediaDescription(
            kind: "audio", port: 1, transportProtocol: "RTP/AVP", formats: capabilities.formatList,
            attributes: capabilities.attributes)
        let read = AudioCapabilities(section)
        #expect(read.formats.map(\.payloadType) == capabilities.formats.map(\.payloadType))
        #expect(read.telephoneEvents == capabilities.telephoneEvents)
        #expect(section.formatParameters(of: 111).number("minptime") == 10)
    }

    @Test(arguments: [
        (AudioCodec.opus, "", 20), (.opus, "minptime=10", 20), (.opus, "minptime=40", 40), (.opus, "minptime=41", 60),
        (.opus, "minptime=120", 60), (.pcmu, "minptime=40", 20),
    ])
    func smallestFrameOfTheDecoder(codec: AudioCodec, parameters: String, expected: Int) throws {
        let format = AudioFormat(codec: codec, payloadType: 96, parameters: FormatParameters(parsing: parameters))
        let capabilities = AudioCapabilities(formats: [format], telephoneEvents: [])
        let section = MediaDescription(kind: "audio", port: 1, transportProtocol: "RTP/AVP", formats: ["96"])
        let audio = NegotiatedAudio(theirs: capabilities, ours: capabilities, section: section, direction: .sendrecv)
        #expect(audio?.packetTime == expected)
    }

    @Test func nothingInCommonIsNothingNegotiated() {
        let none = AudioCapabilities(formats: [], telephoneEvents: [])
        let section = MediaDescription(kind: "audio", port: 1, transportProtocol: "RTP/AVP", formats: [])
        #expect(NegotiatedAudio(theirs: none, ours: none, section: section, direction: .sendrecv) == nil)
    }
}
