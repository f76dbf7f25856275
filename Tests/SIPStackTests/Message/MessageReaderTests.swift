import Testing

@testable import SIPStack

/// The parts of a message, each by itself.
@Suite struct MessageReaderTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func vias() {
        let via = Via(reading: bytes("SIP / 2.0 / udp  host.example.com : 5070 ; Branch = z9hG4bKa ;rport, SIP/2.0/TCP b"))
        #expect(via?.transport == "UDP" && via?.host == "host.example.com" && via?.port == 5_070 && via?.branch == "z9hG4bKa")
        #expect(via.map { String(decoding: $0.rest, as: UTF8.self) } == ", SIP/2.0/TCP b")
        #expect(via?.problem == nil && via?.hasMagicCookie == true)
        #expect(Via(reading: bytes("SIP/2.0/UDP [2001:db8::1]"))?.host == "2001:db8::1")
        #expect(Via(reading: bytes("SIP/2.0/UDP h;branch=z9hG4bK"))?.hasMagicCookie == false)
        #expect(Via(reading: bytes("SIP/2.0/UDP h:0"))?.problem != nil)
        #expect(Via(reading: bytes("SIP/2.0/UDP h:99999"))?.problem != nil)
        #expect(Via(reading: bytes("SIP/2.0/UDP h x"))?.problem != nil)
        for broken in ["", "SIP", "SIP/2.0/UDP", "SIP/2.0/UDPhost", "SIP/2.0/UDP ;x", "SIP/2.0/UDP [::1"] {
            #expect(Via(reading: bytes(broken)) == nil, "\(broken)")
        }
    }

    @Test func addresses() throws {
        func read(_ text: String) throws(MalformedMessage) -> NameAddress { try NameAddress(reading: bytes(text), field: "From") }
        let quoted = try read("\"A \\\"B\\\" <x>\" <sip:a@b;p=1>;tag=t ; q")
        #expect(quoted.displayName == "A \"B\" <x>" && quoted.uri == "sip:a@b;p=1" && quoted.tag == "t")
        let bare = try read("sip:a@b;tag=t")
        #expect(bare.uri == "sip:a@b" && bare.tag == "t" && bare.displayName == "")
        #expect(try read("J. R. Müller <sip:a@b>").displayName == "J. R. Müller")
        #expect(try read("<tel:+1415>").uri == "tel:+1415")
        for broken in ["", "\"a <sip:b>", "<sip:a", "< sip:a@b >", "<>", "A, B <sip:a@b>", "sip:a@b?x=y", "<sip:a>;;x", "<sip:a> x", "\"a\" sip:b", "<sip:a>;=v"] {
            #expect(throws: MalformedMessage.self, "\(broken)") { try read(broken) }
        }
        let list = try NameAddress.list(bytes("<sip:a;lr>, \"x,y\" <sip:b>;q=1,sip:c"), field: "Route")
        #expect(list.map(\.uri) == ["sip:a;lr", "sip:b", "sip:c"])
    }

    @Test func uris() {
        let uri = SIPURI("sip:+14155550123;npdi:secret@[2001:db8::1]:5070;transport=TCP;lr")
        #expect(uri?.rawUser == "+14155550123;npdi" && uri?.user == "+14155550123" && uri?.host == "2001:db8::1" && uri?.port == 5_070)
        #expect(uri?.parameters == ["transport": "TCP", "lr": ""])
        #expect(SIPURI("SIPS:a%20b@c")?.user == "a b" && SIPURI("SIPS:a%20b@c")?.scheme == "sips")
        #expect(SIPURI("sip:null-%00-null@example.com")?.user == "null-\0-null")
        #expect(SIPURI("sip:a%zz%4@b")?.user == "a%zz%4")
        #expect(SIPURI("tel:+1-415;phone-context=x")?.user == "+1-415")
        #expect(SIPURI("sip:gateway.example.com")?.user == "" && SIPURI("sip:gateway.example.com")?.host == "gateway.example.com")
        for broken in ["", "sip:", "sip:a@", "http://x", "sip:a@b:0", "sip:a@b:70000", "a@b"] { #expect(SIPURI(broken) == nil, "\(broken)") }
    }

    @Test func commandSequences() throws {
        #expect(try CommandSequence(reading: bytes("0009   INVITE")) == CommandSequence(number: 9, method: "INVITE"))
        #expect(try CommandSequence(reading: bytes("2147483647 X")).number == 2_147_483_647)
        for broken in ["", "INVITE", "1", "2147483648 INVITE", "-1 INVITE", "1 INVITE x", "1.5 INVITE"] {
            #expect(throws: MalformedMessage.self, "\(broken)") { try CommandSequence(reading: bytes(broken)) }
        }
    }

    @Test func reasons() {
        #expect(SIPReason(reading: bytes("SIP ;cause=200 ;text=\"Call completed elsewhere\"")) == SIPReason(cause: 200, text: "Call completed elsewhere"))
        #expect(SIPReason(reading: bytes("Q.850;cause=16"))?.cause == 16)
        #expect(SIPReason(reading: bytes("Q.850;cause=x"))?.cause == nil)
        #expect(SIPReason(reading: bytes(";")) == nil)
        #expect(SIPReason(cause: 480, text: "a\"b\r\nc\\").value == "SIP;cause=480;text=\"abc\"")
    }

    @Test func bareLineFeedsAndMixedCaseAreRead() {
        let text = "options sip:a@b sip/2.0\nv: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\nf: <sip:a@b>;tag=1\nT: <sip:a@b>\nI: x\ncSeQ: 1 options\n\n"
        let read = bytes(text).withUnsafeBytes { MessageReader.read($0) }
        guard case .request(let request) = read else {
            Issue.record("\(read)")
            return
        }
        #expect(request.method == "options" && request.callID == "x" && request.maxForwards == nil)
    }

    @Test func numericAddresses() {
        for host in ["192.0.2.1", "0.0.0.0", "2001:db8::1", "::1", "::ffff:192.0.2.1"] { #expect(NumericAddress.isNumeric(host), "\(host)") }
        for host in ["", "a.b.c.d", "192.0.2", "192.0.2.256", "example.com", "1.2.3.4.5", "host:port"] { #expect(!NumericAddress.isNumeric(host), "\(host)") }
        for host in ["10.1.1.1", "172.16.0.1", "172.31.0.1", "192.168.3.3", "100.64.0.1", "127.0.0.1", "fd00::1"] { #expect(NumericAddress.isPrivate(host), "\(host)") }
        for host in ["172.32.0.1", "100.128.0.1", "8.8.8.8", "2001:db8::1"] { #expect(!NumericAddress.isPrivate(host), "\(host)") }
    }
}
