import Testing

@testable import Gateway

@Suite struct TwiMLReaderTests {
    @Test func everyVerb() throws {
        let document = try TwiMLReader.read(
            Array(
                """
                <?xml version="1.0" encoding="UTF-8"?>
                <!-- what to do -->
                <Response>
                  <Play loop="2">https://a.example/hello.wav?a=1&amp;b=2</Play>
                  <Pause length="3"/><Pause/>
                  <Connect action="/later">
                    <Stream url='wss://a.example/media' name="x">
                      <Parameter name="user" value="&#x41;&quot;&lt;"/>
                    </Stream>
                  </Connect>
                  <Dial timeout="10" callerId="+14155550100" action="/dialled" method="get">
                    <Number>+14155550199</Number><Sip>sip:bob@example.com</Sip><Client><Identity>helper</Identity></Client>
                  </Dial>
                  <Dial><![CDATA[ +14155550198 ]]></Dial>
                  <Redirect>next.xml</Redirect>
                  <Reject reason="busy"/><Reject/><Hangup/>
                </Response>

                """.utf8))
        var long = TwiML.Dial(targets: ["+14155550199", "sip:bob@example.com", "helper"], timeout: 10, callerID: "+14155550100")
        long.action = TwiML.Request(url: "/dialled", isGet: true)
        #expect(
            document.verbs == [
                .play(url: "https://a.example/hello.wav?a=1&b=2", times: 2), .pause(seconds: 3), .pause(seconds: 1),
                .connect(TwiML.Stream(url: "wss://a.example/media", parameters: ["user": "A\"<"], name: "x")), .dial(long),
                .dial(TwiML.Dial(targets: ["+14155550198"])), .redirect(TwiML.Request(url: "next.xml")), .reject(status: 486),
                .reject(status: 603), .hangUp,
            ])
        #expect(try TwiMLReader.read(Array("<Response/>".utf8)) == TwiML())
    }

    @Test(arguments: [
        ("", "an element was expected"),
        ("<Response>", "<Response> does not end"),
        ("<Response></Respons>", "the end tag is not that of <Response>"),
        ("<Reply/>", "the root element is <Reply>, not <Response>"),
        ("<Response/><Response/>", "something follows the root element"),
        ("<!DOCTYPE a [<!ENTITY b \"c\">]><Response/>", "document types and processing instructions are not taken"),
        ("<Response><?php ?></Response>", "document types and processing instructions are not taken"),
        ("<Response>&b;</Response>", "&b; is unknown"),
        ("<Response>&#0;</Response>", "&#0; is unknown"),
        ("<Response>& </Response>", "& begins no reference; write &amp;"),
        ("<Response a=1/>", "the value of attribute a is not quoted"),
        ("<Response a='1' a='2'/>", "attribute a is there twice"),
        ("<Response a='1'b='2'/>", "a space, > or /> was expected"),
        ("<Response a='1", "the value of attribute a does not end"),
        ("<Response a='<'/>", "< in the value of attribute a"),
        ("<Response><!-- </Response>", "--> is missing"),
        ("<a><a><a><a><a><a><a><a><a>", "elements are nested too deep"),
        ("<Response><Say>Hello</Say></Response>", "<Say> is refused: the gateway has no speech synthesis; use <Play> or let the agent speak"),
        ("<Response><Start><Stream url='wss://a/'/></Start></Response>", "<Start> is refused: its stream goes one way only; use <Connect><Stream>"),
        ("<Response><Gather/></Response>", "<Gather> is not built"),
        ("<Response><Connect/></Response>", "<Connect> takes one <Stream> and nothing else"),
        ("<Response><Connect><Stream url='http://a/'/></Connect></Response>", "the url of <Stream> is no ws:// or wss:// URL"),
        ("<Response><Dial/></Response>", "<Dial> takes one to ten targets"),
        ("<Response><Dial><Conference>a</Conference></Dial></Response>", "<Conference> in <Dial> is not built"),
        ("<Response><Pause length='-1'/></Response>", "length of <Pause> is a number from 1 to 600"),
        ("<Response><Play/></Response>", "<Play> needs the URL of a WAV file"),
    ])
    func whatCannotBeDoneIsRefused(_ text: String, _ reason: String) {
        #expect(throws: MarkupReader.Failure(line: 1, reason: reason)) { try TwiMLReader.read(Array(text.utf8)) }
    }

    @Test func sizesAreBounded() {
        let large = "<Response>" + String(repeating: " ", count: 64 << 10) + "</Response>"
        #expect(throws: MarkupReader.Failure(line: 1, reason: "the document is larger than 64 KiB")) { try TwiMLReader.read(Array(large.utf8)) }
        let many = "<Response>" + String(repeating: "<Hangup/>", count: 500) + "</Response>"
        #expect(throws: MarkupReader.Failure(line: 1, reason: "the document has too many elements")) { try TwiMLReader.read(Array(many.utf8)) }
        #expect(throws: MarkupReader.Failure(line: 1, reason: "the document is not UTF-8")) { try TwiMLReader.read([0x3C, 0xFF]) }
    }

    @Test func linesAreCounted() {
        #expect(throws: MarkupReader.Failure(line: 3, reason: "<Nonsense> is not built")) {
            try TwiMLReader.read(Array("<Response>\n<Hangup/>\n<Nonsense/></Response>".utf8))
        }
    }

    /// Cut and altered documents end in a value or a failure, never in a trap.
    @Test func anyBytesEnd() throws {
        let whole = Array("<?xml version='1.0'?><Response><Dial a=\"b&amp;\">1<Number>+1</Number><![CDATA[x]]></Dial><!-- --></Response>".utf8)
        for length in whole.indices {
            #expect((try? TwiMLReader.read(Array(whole[..<length]))) == nil)
            for byte: UInt8 in [0, 0x26, 0x3C, 0x3E, 0x5B, 0xFF] {
                var altered = whole
                altered[length] = byte
                _ = try? TwiMLReader.read(altered)
            }
        }
        #expect(try TwiMLReader.read(whole).verbs.count == 1)
    }
}
