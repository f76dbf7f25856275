import NIOCore
import Testing

@testable import SIPStack

#if canImport(Glibc)
    import Glibc
#endif

/// The 49 messages of RFC 4475, each with the answer an endpoint without registrar owes it.
@Suite struct TortureTests {
    enum Expected: Sendable, Equatable {
        /// One final response with this status, and no call.
        case answer(Int)
        /// A call comes in; 100 is sent.
        case call
        /// Nothing is sent: it is a response to no request of ours.
        case nothing
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let file: String
        let expected: Expected
        let why: String
        var testDescription: String { file }

        init(_ file: String, _ expected: Expected, _ why: String) {
            self.file = file
            self.expected = expected
            self.why = why
        }
    }

    static let cases: [Case] = [
        // 3.1.1 valid messages: none is refused as malformed.
        Case("wsinv", .answer(481), "3.1.1.1: legal white space everywhere; it has a To tag, and no such dialog exists"),
        Case("intmeth", .answer(405), "3.1.1.2: a strange but legal method, which is none of ours; NUL in a quoted pair"),
        Case("esc01", .call, "3.1.1.3: escapes in the user part, the call is for sips:user@example.com at example.net"),
        Case("escnull", .answer(405), "3.1.1.4: escaped NUL in a REGISTER, and we are no registrar"),
        Case("esc02", .answer(405), "3.1.1.5: the method RE%47IST%45R is not REGISTER, and neither is ours"),
        Case("lwsdisp", .answer(200), "3.1.1.6: no space between display name and <"),
        Case("longreq", .call, "3.1.1.7: long values, 34 Vias, compact names, an RFC 2543 branch"),
        Case("dblreq", .answer(405), "3.1.1.8: REGISTER; what follows Content-Length in the datagram is ignored"),
        Case("semiuri", .answer(200), "3.1.1.9: a semicolon in the user part"),
        Case("transports", .answer(200), "3.1.1.10: five transports in Vias, known or not"),
        Case("mpart01", .answer(415), "3.1.1.11: a MESSAGE of several parts; binary body"),
        Case("unreason", .nothing, "3.1.1.12: a response with a reason phrase in UTF-8"),
        Case("noreason", .nothing, "3.1.1.13: a response with an empty reason phrase"),
        // 3.1.2 invalid messages.
        Case("badinv01", .answer(400), "3.1.2.1: empty parameters in Via and Contact"),
        Case("clerr", .answer(400), "3.1.2.2: Content-Length larger than the datagram"),
        Case("ncl", .answer(400), "3.1.2.3: negative Content-Length"),
        Case("scalar02", .answer(400), "3.1.2.4: CSeq and Max-Forwards out of range"),
        Case("scalarlg", .nothing, "3.1.2.5: a response with overlarge numbers is dropped"),
        Case("quotbal", .answer(400), "3.1.2.6: unterminated quotes in To"),
        Case("ltgtruri", .answer(400), "3.1.2.7: angle brackets around the Request-URI"),
        Case("lwsruri", .answer(400), "3.1.2.8: white space within the Request-URI"),
        Case("lwsstart", .answer(400), "3.1.2.9: more than one space in the Request-Line"),
        Case("trws", .answer(400), "3.1.2.10: spaces at the end of the Request-Line"),
        Case("escruri", .answer(400), "3.1.2.11: a header part in the Request-URI"),
        Case("baddate", .call, "3.1.2.12: a Date that is not GMT; an element that does not use Date should not refuse"),
        Case("regbadct", .answer(400), "3.1.2.13: a Contact with a header part but no brackets"),
        Case("badaspec", .answer(400), "3.1.2.14: spaces within the brackets of To"),
        Case("baddn", .answer(400), "3.1.2.15: a comma in an unquoted display name"),
        Case("badvers", .answer(505), "3.1.2.16: SIP/7.0"),
        Case("mismatch01", .answer(400), "3.1.2.17: OPTIONS with the CSeq method INVITE"),
        Case("mismatch02", .answer(400), "3.1.2.18: unknown method with the CSeq method INVITE; 501 or 400"),
        Case("bigcode", .nothing, "3.1.2.19: a status code beyond 699 is dropped"),
        // 3.2 transaction layer.
        Case("badbranch", .answer(200), "3.2.1: the bare magic cookie is no branch; matched as RFC 2543 does"),
        // 3.3 application layer.
        Case("insuf", .answer(400), "3.3.1: no Call-ID, From or To"),
        Case("unkscm", .answer(416), "3.3.2: a Request-URI scheme nobody knows"),
        Case("novelsc", .answer(416), "3.3.3: a registered scheme that is not ours"),
        Case("unksm2", .answer(405), "3.3.4: REGISTER with unknown schemes in To, From and Contact; we are no registrar"),
        Case("bext01", .answer(420), "3.3.5: Require of unknown extensions"),
        Case("invut", .answer(415), "3.3.6: a body of an unknown type"),
        Case("regaut01", .answer(405), "3.3.7: REGISTER with an unknown authorization scheme"),
        Case("multi01", .answer(400), "3.3.8: single fields several times"),
        Case("mcl01", .answer(400), "3.3.9: two Content-Lengths that differ"),
        Case("bcast", .nothing, "3.3.10: a 200 with a broadcast Via must not be forwarded"),
        Case("zeromf", .answer(200), "3.3.11: an endpoint answers OPTIONS whatever Max-Forwards says"),
        Case("cparam01", .answer(405), "3.3.12: REGISTER with an unknown Contact parameter"),
        Case("cparam02", .answer(405), "3.3.13: REGISTER with an unknown URI parameter"),
        Case("regescrt", .answer(405), "3.3.14: REGISTER with an escaped header in the Contact's URI"),
        Case("sdp01", .answer(406), "3.3.15: the caller accepts no description, so we cannot answer"),
        // 3.4 backward compatibility.
        Case("inv2543", .call, "3.4.1: an INVITE of RFC 2543 without branch, From tag, Contact, Max-Forwards and Content-Length"),
    ]

    static func vector(_ name: String) -> [UInt8] {
        let here = #filePath
        let folder = here[..<(here.lastIndex(of: "/") ?? here.startIndex)]
        guard let file = fopen("\(folder)/Vectors/\(name).dat", "rb") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = bytes.withUnsafeMutableBytes { fread($0.baseAddress, 1, $0.count, file) }
        return Array(bytes[..<count])
    }

    @Test func everyMessageIsThere() {
        #expect(Self.cases.count == 49)
        #expect(Set(Self.cases.map(\.file)).count == 49)
        for item in Self.cases { #expect(!Self.vector(item.file).isEmpty, "\(item.file)") }
    }

    @Test(arguments: cases) func message(_ item: Case) {
        let harness = Harness()
        harness.receive(Self.vector(item.file))
        let finals = harness.statuses.filter { $0 >= 200 }
        switch item.expected {
        case .answer(let status):
            #expect(finals == [status], "\(item.why)")
            #expect(harness.incoming == nil)
        case .call:
            #expect(harness.statuses == [100], "\(item.why)")
            #expect(harness.incoming != nil)
            harness.run { [call = harness.incoming?.id ?? SIPCallID(0)] in $0.reject(call, status: 404, now: $1, into: &$2) }
            #expect(harness.statuses == [100, 404])
        case .nothing:
            #expect(harness.sent.isEmpty, "\(item.why)")
            #expect(harness.endpoint.counters.strayResponses + harness.endpoint.counters.unreadable == 1)
        }
        harness.advance(.seconds(33))
        #expect(harness.isIdle)
    }

    /// Responses that are valid are read and only then dropped; invalid ones are unreadable.
    @Test func responsesAreTold() {
        for (file, isReadable) in [("unreason", true), ("noreason", true), ("bcast", true), ("scalarlg", false), ("bigcode", false)] {
            let harness = Harness()
            harness.receive(Self.vector(file))
            #expect(harness.endpoint.counters.strayResponses == (isReadable ? 1 : 0), "\(file)")
        }
    }

    @Test func answersSayWhatTheyMust() {
        func answer(_ file: String) -> ParsedMessage {
            let harness = Harness()
            harness.receive(Self.vector(file))
            return harness.takeSent().last ?? ParsedMessage([])
        }
        #expect(answer("bext01")["Unsupported"] == "nothingSupportsThis, nothingSupportsThisEither")
        #expect(answer("invut")["Accept"] == "application/sdp")
        #expect(answer("intmeth")["Allow"]?.contains("INVITE") == true)
        #expect(answer("transports").all("Via").count == 5)
        #expect(answer("multi01").reason.hasPrefix("Multiple"))
        // Byte for byte, the NUL of the quoted pair included.
        #expect(answer("intmeth")["To"]?.hasPrefix("\"BEL:\\\u{7} NUL:\\\0 DEL:\\\u{7F}\" <sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>;tag=") == true)
    }

    @Test func addressesAreRead() {
        func call(_ file: String) -> SIPIncomingCall? {
            let harness = Harness()
            harness.receive(Self.vector(file))
            return harness.incoming
        }
        let escaped = call("esc01")
        #expect(escaped?.requested.user == "sips:user@example.com")
        #expect(escaped?.requested.rawUser == "sips%3Auser%40example.com")
        #expect(escaped?.requested.host == "example.net")
        #expect(escaped?.to.user == "user")
        #expect(escaped?.from.user == "I have spaces")
        let old = call("inv2543")
        #expect(old?.from.user == "+13035551111")
        #expect(old?.to.user == "+16505552222")
        #expect(old?.offer?.hasPrefix("v=0\r\n") == true)
        #expect(call("longreq")?.from.user.hasPrefix("amazinglylongcallername") == true)
    }

    /// The same messages over a stream, cut by the framer: one that is cut wrongly must not take the next with it.
    @Test(arguments: cases) func framed(_ item: Case) {
        var framer = SIPStreamFramer()
        var out: [SIPStreamFramer.Output] = []
        framer.receive(Self.vector(item.file), into: &out)
        switch item.file {
        case "clerr": #expect(out.isEmpty, "waits for the body it was promised")
        case "ncl", "mcl01":
            #expect(out.count == 2)
            if case .broken = out.last {} else { Issue.record("the stream goes on after a bad Content-Length") }
        case "dblreq":
            // Two messages, for on a stream the second is one of its own; then an empty line or two.
            #expect(out.filter { if case .message = $0 { true } else { false } }.count == 2)
        default:
            guard case .message = out.first else {
                Issue.record("no message")
                return
            }
        }
    }
}
