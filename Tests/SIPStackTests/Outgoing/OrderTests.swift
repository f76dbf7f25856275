import NIOCore
import Testing

@testable import SIPStack

/// What may be ordered at all, and how it is written.
@Suite struct OrderTests {
    @Test(arguments: [
        ("+14155550123", "+14155550123"), ("*72#", "*72%23"), ("a b", "a%20b"), ("x@evil.example", "x%40evil.example"),
        ("1;phone-context=x", "1%3Bphone-context%3Dx"), ("sip:a:b", "sip%3Aa%3Ab"), ("a?X=y&z,", "a%3FX%3Dy%26z%2C"), ("%00", "%2500"),
        ("\u{661}\u{662}", "%D9%A1%D9%A2"), ("<>\"", "%3C%3E%22"),
    ]) func numbersStayOneUserPart(_ number: String, _ written: String) throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order(number: number)))
        #expect(invite.requestURI == "sip:\(written)@198.51.100.7:5060" && invite["To"] == "<sip:\(written)@198.51.100.7:5060>")
        #expect(SIPURI(invite.requestURI)?.user == number && SIPURI(invite.requestURI)?.host == "198.51.100.7")
    }

    @Test(arguments: ["", "1\r\n2", "1\0", "\u{7F}", "1\t2", String(repeating: "1", count: 129)]) func otherNumbersAreRefused(_ number: String) {
        #expect(throws: SIPOrderError.number) { try Callee.order(number: number) }
        if !number.isEmpty { #expect(throws: SIPOrderError.callerID) { try Callee.order(from: SIPCallerID(user: number)) } }
    }

    @Test(arguments: ["X-A", "Diversion", "Privacy", "Identity", "User-to-User", "Remote-Party-ID"]) func headersThatMayBeAdded(_ name: String) throws {
        let harness = Harness()
        let invite = try #require(harness.dial(try Callee.order(headers: [SIPHeaderField(name: name, value: "v;a=\"b\"")])))
        #expect(invite.all(name) == ["v;a=\"b\""])
    }

    @Test(arguments: [
        "Via", "v", "To", "t", "From", "f", "Call-ID", "i", "CSeq", "Contact", "m", "Route", "Record-Route", "Max-Forwards", "Content-Length", "l", "Content-Type",
        "c", "Require", "Proxy-Require", "Supported", "k", "Authorization", "Proxy-Authorization", "P-Asserted-Identity", "Session-Expires", "x",
        "Content-Encoding", "e", "User-Agent", "Allow", "X-Tandem-Path", "replaces",
    ]) func headersThatAreOurs(_ name: String) {
        #expect(throws: SIPOrderError.reservedHeader(name)) { try Callee.order(headers: [SIPHeaderField(name: name, value: "1")]) }
    }

    @Test(arguments: [
        ("X", "a\r\nVia: x"), ("X", "a\nb"), ("X", "a\0"), ("X", "\r"), ("", "a"), ("X Y", "a"), ("X:", "a"), ("X\r\nY", "a"), ("X", "\u{1B}[2J"),
    ]) func headersThatWouldInject(_ name: String, _ value: String) {
        #expect(throws: SIPOrderError.malformedHeader(name)) { try Callee.order(headers: [SIPHeaderField(name: name, value: value)]) }
    }

    @Test func targetsHandlesAndCounts() {
        #expect(throws: SIPOrderError.noTarget) { try Callee.order(targets: []) }
        for host in ["", "a b", "a;b", "a>", "a@b", "a\r\nb", String(repeating: "a", count: 254)] {
            #expect(throws: SIPOrderError.host(host)) { try Callee.order(targets: [SIPTarget(host: host, address: Callee.address)]) }
        }
        #expect(throws: SIPOrderError.host("a.example")) {
            try Callee.order(targets: [SIPTarget(host: "a.example", address: SIPAddress(host: "a.example", port: 5060))])
        }
        #expect(throws: SIPOrderError.host("a\r\n")) { try Callee.order(from: SIPCallerID(user: "1", host: "a\r\n")) }
        #expect(throws: SIPOrderError.handle) { try Callee.order(id: SIPCallID(1)) }
        #expect(throws: SIPOrderError.tooManyHeaders) { try Callee.order(headers: Array(repeating: SIPHeaderField(name: "X", value: "1"), count: 33)) }
        #expect(SIPOrderError.malformedHeader("a\r\nb").description.contains("a??b"))
    }

    @Test func addressesOfTheSixthVersion() throws {
        let harness = Harness()
        let target = SIPTarget(SIPAddress(host: "2001:db8::7", port: 5060))
        let invite = try #require(harness.dial(try Callee.order(targets: [target])))
        #expect(invite.requestURI == "sip:+14155550123@[2001:db8::7]:5060" && SIPURI(invite.requestURI)?.port == 5060)
        #expect(SIPCallID.outgoing(7).description == "out7" && !SIPCallID(7).isOutgoing)
    }
}
