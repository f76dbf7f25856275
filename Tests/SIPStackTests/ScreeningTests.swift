import NIOCore
import Testing

@testable import SIPStack

/// What is refused before any call exists, and by what answer.
@Suite struct ScreeningTests {
    @Test func optionsTellsWhatWeCanDo() {
        let harness = Harness()
        harness.receive(Caller().request("OPTIONS"))
        let answer = harness.takeSent().last
        #expect(answer?.status == 200 && answer?["Accept"] == "application/sdp" && answer?["Supported"] == "" && answer?["Server"] == "Tandem/test")
        #expect(answer?["Allow"] == "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, MESSAGE, NOTIFY" && answer?.toTag != nil)
        harness.endpoint.drainRetryAfterSeconds = 120
        harness.receive(Caller().request("OPTIONS", branch: "z9hG4bKo2", sequence: 2))
        let drained = harness.takeSent().last
        #expect(drained?.status == 503 && drained?["Retry-After"] == "120")
    }

    @Test(arguments: ["REGISTER", "SUBSCRIBE", "PRACK", "REFER", "PUBLISH", "FOO", "invite"])
    func otherMethodsAre405(_ method: String) {
        let harness = Harness()
        harness.receive(Caller().request(method))
        #expect(harness.statuses == [405] && harness.sent.last?.message["Allow"] != nil)
    }

    @Test(arguments: ["BYE", "INFO", "UPDATE", "NOTIFY"]) func dialogRequestsWithoutDialogAre481(_ method: String) {
        let harness = Harness()
        harness.receive(Caller().request(method))
        var caller = Caller()
        caller.toTag = "unknown"
        harness.receive(caller.request(method, branch: "z9hG4bKother", sequence: 2))
        #expect(harness.statuses == [481, 481])
    }

    @Test func aStrayAckIsDropped() {
        let harness = Harness()
        harness.receive(Caller().ack())
        harness.receive(Caller().ack(), known: false)
        #expect(harness.sent.isEmpty && harness.isIdle)
    }

    @Test func aSourceThatIsNoTrunkGetsAPlain403() {
        let harness = Harness()
        harness.receive(Caller().invite(), known: false)
        harness.receive(Caller().invite(), known: false)
        harness.receive(Caller().request("OPTIONS", branch: "z9hG4bKo"), known: false)
        let sent = harness.takeSent()
        #expect(sent.map(\.status) == [403, 403, 403])
        #expect(sent[0].text == sent[1].text, "a repetition gets the same tag")
        for message in sent { #expect(message["Server"] == nil && message["Allow"] == nil && message["Contact"] == nil && message.reason == "Forbidden") }
        var caller = Caller()
        caller.toTag = sent[0].toTag
        harness.receive(caller.ack(branch: caller.branch), known: false)
        #expect(harness.sent.isEmpty && harness.events.isEmpty && harness.isIdle)
        #expect(harness.endpoint.counters.refusedSources == 3)
    }

    @Test func unreadableBytesGetNothing() {
        let harness = Harness()
        let noise: [[UInt8]] = [
            [0xFF, 0xD8, 0, 1], Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8), Array("INVITE sip:a@b SIP/2.0\r\n\r\n".utf8),
            Array("SIP/2.0\r\n\r\n".utf8), Array(repeating: 65, count: 3_000), Array(Caller().invite().utf8.prefix(20)),
        ]
        for bytes in noise {
            harness.receive(bytes)
            harness.receive(bytes, known: false)
        }
        #expect(harness.sent.isEmpty && harness.endpoint.counters.unreadable == UInt64(noise.count * 2))
        harness.receive(Caller().request("OPTIONS", maxForwards: "x"), known: false)
        #expect(harness.sent.isEmpty && harness.endpoint.counters.malformed == 1)
    }

    @Test func keepAlivesAreSilent() {
        let harness = Harness()
        for bytes in [[], [13, 10, 13, 10], [0], [0, 0, 0, 0], [13, 10]] as [[UInt8]] { harness.receive(bytes) }
        #expect(harness.sent.isEmpty && harness.endpoint.counters.messagesReceived == 0)
    }

    @Test func aMergedRequestIs482() {
        let harness = Harness()
        harness.receive(Caller().invite())
        var fork = Caller()
        fork.branch = "z9hG4bKotherway"
        harness.receive(fork.invite())
        #expect(harness.statuses == [100, 482])
        #expect(harness.events.count == 1)
        // A second try with a new CSeq is another request.
        fork.branch = "z9hG4bKagain"
        fork.sequence = 2
        harness.receive(fork.invite())
        #expect(harness.statuses == [100, 482, 100])
    }

    @Test func maxForwardsZero() {
        let harness = Harness()
        harness.receive(Caller().request("INVITE", maxForwards: "0", body: Harness.sdp))
        harness.receive(Caller().request("OPTIONS", branch: "z9hG4bKo", maxForwards: "0"))
        #expect(harness.statuses == [483, 200])
    }

    @Test func requiredExtensionsAre420() {
        let harness = Harness()
        harness.receive(Caller().invite(extra: ["Require: 100rel, timer", "Require: precondition"]))
        #expect(harness.statuses == [420] && harness.sent.last?.message["Unsupported"] == "100rel, timer, precondition")
        #expect(harness.incoming == nil)
    }

    @Test func schemes() {
        for (uri, status) in [("http://example.com", 416), ("mailto:a@b", 416), ("sip:", 400), ("nocolon", 400), ("sip:a@b?x=y", 400), ("tel:+14155550123", 100)] {
            let harness = Harness()
            var caller = Caller()
            caller.target = uri
            harness.receive(caller.invite())
            #expect(harness.statuses == [status], "\(uri)")
            if status == 100 { #expect(harness.incoming?.requested.user == "+14155550123") }
        }
    }

    @Test func bodies() {
        let sdp = Harness.sdp
        func receive(_ type: String?, _ body: String, extra: [String] = []) -> (Int?, String?) {
            let harness = Harness()
            var text = Caller().request("INVITE", extra: extra, body: body, type: type ?? "-")
            if type == nil, let start = text.range(of: "Content-Type: -\r\n") { text.removeSubrange(start) }
            harness.receive(text)
            return (harness.statuses.last, harness.incoming?.offer)
        }
        let mixed = "preamble\r\n--b1\r\nContent-Type: application/isup\r\n\r\n\u{1}\u{2}\r\n--b1\r\nContent-Type: application/sdp\r\nContent-Disposition: session\r\n\r\n\(sdp)\r\n--b1--\r\n"
        #expect(receive("application/sdp", sdp) == (100, sdp))
        #expect(receive("Application/SDP; charset=utf-8", sdp) == (100, sdp))
        #expect(receive(nil, sdp) == (100, sdp), "some phones forget Content-Type")
        let taken = receive("multipart/mixed;boundary=b1", mixed)
        #expect(taken.0 == 100 && taken.1?.hasPrefix(sdp) == true, "\(taken)")
        let quoted = receive("multipart/mixed; boundary=\"b1\"", mixed)
        #expect(quoted.0 == 100 && quoted.1?.hasPrefix(sdp) == true)
        #expect(receive("multipart/mixed;boundary=b1", "--b1\r\nContent-Type: text/plain\r\n\r\nx\r\n--b1--\r\n") == (415, nil))
        #expect(receive("text/plain", "hello") == (415, nil))
        #expect(receive("text/plain", "hello", extra: ["Content-Disposition: render; handling=optional"]) == (100, nil))
        #expect(receive("application/sdp", sdp, extra: ["Content-Encoding: gzip"]) == (415, nil))
    }

    @Test func acceptMustCoverADescription() {
        for (accept, status) in [("text/plain", 406), ("application/sdp", 100), ("text/plain, application/*", 100), ("*/*", 100), ("", 100)] {
            let harness = Harness()
            harness.receive(Caller().invite(extra: ["Accept: \(accept)"]))
            #expect(harness.statuses == [status], "\(accept)")
        }
    }

    @Test func answersSayWhatIsWrong() {
        let good = Caller().invite()
        func reason(_ from: String, _ to: String) -> String {
            let harness = Harness()
            var text = good
            guard let range = text.range(of: from) else { return "not found" }
            text.replaceSubrange(range, with: to)
            harness.receive(text)
            return harness.sent.last?.message.startLine ?? "nothing"
        }
        #expect(reason("SIP/2.0", "SIP/3.0") == "SIP/2.0 505 Version Not Supported")
        #expect(reason("Call-ID: call1@192.0.2.15\r\n", "") == "SIP/2.0 400 Missing Call-ID")
        #expect(reason("1 INVITE", "1 BYE") == "SIP/2.0 400 CSeq Method Mismatch")
        #expect(reason("1 INVITE", "9999999999 INVITE") == "SIP/2.0 400 Bad CSeq Number")
        #expect(reason("Max-Forwards: 70", "Max-Forwards: 300") == "SIP/2.0 400 Bad Max-Forwards")
        #expect(reason("<sip:alice@192.0.2.15>;tag", "<sip:alice@192.0.2.15;tag") == "SIP/2.0 400 Unclosed Angle Bracket In From")
        #expect(reason("Max-Forwards: 70", "Subject: \0") == "SIP/2.0 400 NUL In Header")
        #expect(reason("Max-Forwards: 70", String(repeating: "X: y\r\n", count: 300) + "Max-Forwards: 70") == "SIP/2.0 400 Too Many Header Fields")
        #expect(reason("Max-Forwards: 70", "X: " + String(repeating: "y", count: 20_000)) == "SIP/2.0 400 Header Field Too Long")
        #expect(reason("Content-Length: ", "Content-Length: 9") == "SIP/2.0 400 Body Shorter Than Content-Length")
        #expect(reason(";branch=z9hG4bKinvite1", ";;branch=z9hG4bKinvite1") == "SIP/2.0 400 Empty Parameter In Via")
        #expect(reason(";branch=", String(repeating: ";p", count: 64) + ";branch=") == "SIP/2.0 400 Too Many Parameters In Via")
        #expect(reason("INVITE sip:", "INVITE sip:" + String(repeating: "a", count: 8_200) + "@") == "SIP/2.0 414 Request-URI Too Long")
    }

    @Test func tooManyTransactionsAre503() {
        var configuration = Harness.configuration
        configuration.maximumServerTransactions = 20
        let harness = Harness(configuration: configuration)
        for number in 0..<30 { harness.receive(Caller().request("OPTIONS", branch: "z9hG4bK\(number)", sequence: number + 1)) }
        #expect(harness.statuses.filter { $0 == 200 }.count == 20 && harness.statuses.filter { $0 == 503 }.count == 10)
        #expect(harness.sent.last?.message["Retry-After"] != nil && harness.endpoint.counters.serverTransactionsAlive == 20)
        for method in ["BYE", "CANCEL"] {
            harness.receive(Caller().request(method, branch: "z9hG4bK\(method)", sequence: 99))
            #expect(harness.statuses.last == 481, "\(method) is still heard")
        }
        #expect(harness.endpoint.counters.serverTransactionsAlive == 20, "what ends nothing leaves nothing behind")
        harness.advance(.seconds(33))
        #expect(harness.isIdle)
    }

    @Test func whatEndsSomethingPassesTheLimit() {
        var configuration = Harness.configuration
        configuration.maximumServerTransactions = 2
        let harness = Harness(configuration: configuration)
        let (_, caller) = harness.establish()
        var second = Caller()
        (second.callID, second.branch) = ("call2@192.0.2.15", "z9hG4bKinvite2")
        harness.receive(second.invite())
        harness.receive(Caller().request("OPTIONS", branch: "z9hG4bKfull", sequence: 7))
        #expect(harness.statuses.last == 503)
        harness.receive(caller.request("BYE", branch: "z9hG4bKbye", sequence: 2))
        #expect(harness.statuses.last == 200)
        _ = harness.takeSent()
        harness.receive(second.request("CANCEL"))
        #expect(harness.statuses == [200, 487])
    }

    /// A transaction keeps what its responses give back for 32 s.
    @Test func fieldsToBeGivenBackAreBounded() {
        let harness = Harness()
        let vias = (0..<5).map { "Via: SIP/2.0/UDP proxy\($0);branch=z9hG4bK\(String(repeating: "x", count: 2_000))" }
        harness.receive(Caller().invite(extra: Array(vias.prefix(3))))
        #expect(harness.statuses == [100])
        harness.receive(Caller().request("OPTIONS", branch: "z9hG4bKlong", sequence: 2, extra: vias))
        harness.receive(Caller().request("MESSAGE", branch: "z9hG4bKroute", sequence: 3, extra: ["Record-Route: <sip:" + String(repeating: "r", count: 9_000) + ">"]))
        #expect(harness.statuses == [100, 513, 513] && harness.endpoint.counters.serverTransactionsAlive == 1)
    }

    /// Nothing a user of the stack says can end a header field or replace one of ours.
    @Test func callersCannotInjectFields() {
        let harness = Harness()
        harness.receive(Caller().invite())
        let call = harness.incoming?.id ?? SIPCallID(0)
        let headers = [
            ("X-Good", "yes"), ("X-Bad", "a\r\nX-Evil: 1"), ("X-Bad\r\nX-Evil", "1"), ("X-Nul", "\0"), ("Via", "SIP/2.0/UDP evil"),
            ("Contact", "<sip:evil>"), ("t", "<sip:evil>"), ("", "x"), ("X Space", "1"), ("X-Colon:", "1"),
        ]
        harness.run { $0.ring(call, status: 180, reason: "Ring\r\nX-Evil: 1", now: $1, into: &$2) }
        harness.run { $0.accept(call, sdp: Harness.ourSDP, headers: headers, now: $1, into: &$2) }
        for message in harness.takeSent() {
            #expect(!message.fields.contains { $0.name == "X-Evil" || $0.value.contains("evil") || $0.name.hasPrefix("X-Bad") })
            #expect(message.all("Via").count == 1 && message.all("To").count == 1)
            if message.status == 200 { #expect(message["X-Good"] == "yes") }
        }
    }
}
