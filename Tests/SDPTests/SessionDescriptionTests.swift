import SDP
import Testing

@Suite struct SessionDescriptionTests {
    /// The example of RFC 8866 section 5, with the lines Tandem does not use.
    private static let example =
        "v=0\r\no=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\ns=Call to John Smith\r\n"
        + "i=SDP Offer #1\r\nu=http://www.jdoe.example.com/home.html\r\ne=Jane Doe <jane@jdoe.example.com>\r\n"
        + "p=+1 617 555-6011\r\nc=IN IP4 198.51.100.1/127\r\nb=CT:128\r\nt=0 0\r\nz=0 0\r\nk=prompt\r\na=recvonly\r\n"
        + "m=audio 49170/2 RTP/AVP 0\r\ni=sound\r\nm=audio 49180 RTP/AVP 0\r\nc=IN IP6 2001:db8::2\r\na=sendrecv\r\n"
        + "m=video 51372 RTP/AVP 99\r\na=rtpmap:99 h263-1998/90000\r\n"

    @Test func exampleOfTheStandard() throws {
        let session = try SessionDescription(parsing: Self.example)
        #expect(
            session.origin
                == Origin(username: "jdoe", sessionIdentifier: "3724394400", sessionVersion: "3724394405", address: "198.51.100.1"))
        #expect(session.name == "Call to John Smith")
        #expect(session.connection == Connection(address: "198.51.100.1"))
        #expect(session.media.map(\.kind) == ["audio", "audio", "video"])
        #expect(session.media.map(\.port) == [49170, 49180, 51372])
        #expect(session.media.map { session.direction(of: $0) } == [.recvonly, .sendrecv, .recvonly])
        #expect(session.connection(of: session.media[0])?.address == "198.51.100.1")
        #expect(session.connection(of: session.media[1])?.addressType == "IP6")
        #expect(session.media[2].rtpMap(of: 99) == RTPMap(payloadType: 99, encodingName: "h263-1998", clockRate: 90000))
    }

    @Test(arguments: ["\n", "\r", "\r\n", "\r\n\r\n"])
    func lineEnds(end: String) throws {
        let text = Self.example.replacing("\r\n", with: end)
        #expect(try SessionDescription(parsing: text) == SessionDescription(parsing: Self.example))
        #expect(try SessionDescription(parsing: String(text.dropLast())) == SessionDescription(parsing: Self.example))
    }

    @Test func carelessPeers() throws {
        let session = try SessionDescription(
            parsing: "v=0 \no=Some User Name 1 2 IN IP4 192.0.2.1\nx=unknown\ns= \nc=IN IP4 pc.example\nm=audio 4000 rtp/avp 0\t8\na= ptime : 30\n\n")
        #expect(session.origin.username == "Some_User_Name")
        #expect(session.origin.address == "192.0.2.1")
        #expect(session.name == "-")
        #expect(session.connection?.address == "pc.example")
        #expect(session.media[0].isPlainRTP)
        #expect(session.media[0].formats == ["0", "8"])
        #expect(session.media[0].packetTime == 30)
        #expect(try SessionDescription(parsing: "v=0").media.isEmpty)
        #expect(try SessionDescription(parsing: "v=0\no=broken").origin == Origin())
    }

    @Test(arguments: [
        ("", SDPError.missingVersion), ("\r\n\r\n", .missingVersion), ("v=1\r\n", .missingVersion), ("o=- 0 0 IN IP4 1\r\n", .missingVersion),
        ("hello", .missingVersion), ("v=0\r\nhello", .malformedLine(number: 2)), ("v=0\r\nab=c", .malformedLine(number: 2)),
        ("v=0\r\n\r\na=", .malformedLine(number: 3)), ("v=0\r\na=:x", .malformedLine(number: 2)),
        ("v=0\r\nm=audio", .malformedMedia(number: 2)), ("v=0\r\nm=audio 1", .malformedMedia(number: 2)),
        ("v=0\r\nm=audio -1 RTP/AVP 0", .malformedMedia(number: 2)), ("v=0\r\nm=audio 65536 RTP/AVP 0", .malformedMedia(number: 2)),
        ("v=0\r\nm=audio 99999999999999999999 RTP/AVP 0", .malformedMedia(number: 2)),
        ("v=0\r\nc=IN", .malformedConnection(number: 2)), ("v=0\r\nc=IN IP4 /3", .malformedConnection(number: 2)),
        ("v=0\r\ns=a\u{0}b\r\n", .controlCharacter(number: 2)), ("v=0\r\ns=a\u{7F}\r\n", .controlCharacter(number: 2)),
    ])
    func refusals(text: String, expected: SDPError) {
        #expect(throws: expected) { try SessionDescription(parsing: text) }
        #expect(!expected.description.isEmpty)
    }

    @Test func limits() throws {
        let attribute = SDPLimits.maximumAttributes
        let full = "v=0\n" + String(repeating: "a=x\n", count: attribute)
        #expect(try SessionDescription(parsing: full).attributes.count == attribute)
        #expect(throws: SDPError.tooMany(what: "attributes in one section", limit: attribute)) {
            try SessionDescription(parsing: full + "a=x\n")
        }
        // The limit holds for each section of its own.
        _ = try SessionDescription(parsing: full + "m=audio 1 RTP/AVP 0\na=x\n")

        let sections = String(repeating: "m=audio 1 RTP/AVP 0\n", count: SDPLimits.maximumMediaSections)
        #expect(try SessionDescription(parsing: "v=0\n" + sections).media.count == SDPLimits.maximumMediaSections)
        #expect(throws: SDPError.tooMany(what: "media sections", limit: SDPLimits.maximumMediaSections)) {
            try SessionDescription(parsing: "v=0\n" + sections + "m=audio 1 RTP/AVP 0")
        }

        let formats = (0...SDPLimits.maximumFormats).map { "\($0)" }.joined(separator: " ")
        #expect(throws: SDPError.tooMany(what: "formats in one section", limit: SDPLimits.maximumFormats)) {
            try SessionDescription(parsing: "v=0\nm=audio 1 RTP/AVP " + formats)
        }
        #expect(throws: SDPError.tooMany(what: "lines", limit: SDPLimits.maximumLines)) {
            try SessionDescription(parsing: "v=0\n" + String(repeating: "\n", count: SDPLimits.maximumLines + 1))
        }
        let large = "v=0\ns=" + String(repeating: "x", count: SDPLimits.maximumBytes)
        #expect(throws: SDPError.tooLarge(bytes: large.utf8.count)) { try SessionDescription(parsing: large) }
    }

    @Test func writing() throws {
        var session = SessionDescription(
            origin: Origin(sessionIdentifier: "7", sessionVersion: "1", address: "192.0.2.1"), name: "",
            connection: Connection(address: "2001:db8::1"), attributes: [Attribute("tool", "x\r\ny\u{0}z")])
        session.media = [
            MediaDescription(
                kind: "audio", port: 0, transportProtocol: "RTP/AVP", formats: [], connection: Connection(address: "192.0.2.2"),
                attributes: [Attribute("rtcp-mux"), Attribute("empty", "")])
        ]
        #expect(
            session.text == "v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\na=tool:xyz\r\n"
                + "m=audio 0 RTP/AVP 0\r\nc=IN IP4 192.0.2.2\r\na=rtcp-mux\r\na=empty:\r\n")
    }

    @Test func whatIsReadIsWrittenAndReadAgain() throws {
        let session = try SessionDescription(parsing: Self.example)
        #expect(try SessionDescription(parsing: session.text) == session)
        var random = SDPTestRandom(seed: 3)
        var read = 0
        for _ in 0..<20_000 {
            var bytes = Array(Self.example.utf8)
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let index = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: index)
                default: bytes.insert(bytes[Int.random(in: bytes.indices, using: &random)], at: index)
                }
            }
            guard let session = try? SessionDescription(parsing: String(decoding: bytes, as: UTF8.self)) else { continue }
            read += 1
            let text = session.text
            #expect(try SessionDescription(parsing: text).text == text)
        }
        #expect(read > 1000)
    }
}

/// SplitMix64: the same numbers in every run.
struct SDPTestRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
