import Foundation
import Testing
@testable import Gateway

@Suite struct SignalMessageTests {
    private func parse(_ text: String) throws -> SignalRequest { try SignalRequest(parsing: text.utf8) }

    @Test(arguments: [
        (#"{"type":"call","to":"demo","sdp":"v=0"}"#, SignalRequest.call(to: "demo", sdp: "v=0", parameters: [:])),
        (#"{"sdp":"v=0","token":"t","parameters":{"a":"1"},"to":"+1 (415)","type":"call","new":[1]}"#,
            .call(to: "+1 (415)", sdp: "v=0", parameters: ["a": "1"])),
        (#"{"type":"call","to":"demo","sdp":"v=0","parameters":null}"#, .call(to: "demo", sdp: "v=0", parameters: [:])),
        (#"{"type":"candidate","candidate":"candidate:1 1 udp"}"#, .candidate),
        (#"{"type":"candidate","candidate":{"candidate":"","sdpMid":"0"}}"#, .candidate),
        (#"{"type":"restart","sdp":"v=0"}"#, .restart(sdp: "v=0")),
        (#"{"type":"dtmf","digits":"12#"}"#, .dtmf(digits: "12#")),
        (#"{"type":"mute","on":true}"#, .mute(on: true)),
        (#"{"type":"message","body":"hi"}"#, .message(CallMessage(contentType: "text/plain", body: "hi"))),
        (#"{"type":"message","content_type":"application/json","body":"{}"}"#, .message(CallMessage(contentType: "application/json", body: "{}"))),
        (#"{"type":"hangup"}"#, .hangup),
        (#"{"type":"resume","session":"abc"}"#, .resume(session: "abc")),
        (#"{"type":"register","user":"alice","token":"t"}"#, .register(user: "alice")),
        (#"{"type":"accept","call":"abc","sdp":"v=0"}"#, .accept(call: "abc", sdp: "v=0")),
        (#"{"type":"decline","call":"abc"}"#, .decline(call: "abc", status: 603)),
        (#"{"type":"decline","call":"abc","code":486}"#, .decline(call: "abc", status: 486)),
    ])
    func reads(text: String, wanted: SignalRequest) throws {
        #expect(try parse(text) == wanted)
    }

    @Test(arguments: [
        "", "nonsense", "[]", "\"call\"", "{", "{}", #"{"type":1}"#, #"{"type":"fly"}"#, #"{"type":"call","to":"demo"}"#,
        #"{"type":"call","sdp":"v=0"}"#, #"{"type":"call","to":"","sdp":"v=0"}"#, #"{"type":"call","to":"a\nb","sdp":"v=0"}"#,
        #"{"type":"call","to":7,"sdp":"v=0"}"#, #"{"type":"call","to":"a","sdp":"v=0","parameters":{"a":1}}"#,
        #"{"type":"call","to":"a","sdp":"v=0","parameters":[]}"#, #"{"type":"dtmf"}"#, #"{"type":"mute","on":"yes"}"#,
        #"{"type":"message"}"#, #"{"type":"message","body":7}"#, #"{"type":"message","body":"\#(String(repeating: "x", count: 65_537))"}"#,
        #"{"type":"resume"}"#, #"{"type":"restart"}"#, #"{"type":"register"}"#, #"{"type":"register","user":""}"#,
        #"{"type":"register","user":" a"}"#, #"{"type":"register","user":"\#(String(repeating: "x", count: 65))"}"#,
        #"{"type":"accept","call":"a"}"#, #"{"type":"accept","sdp":"v=0"}"#, #"{"type":"decline"}"#, #"{"type":"decline","call":"a","code":200}"#,
        #"{"type":"dtmf","digits":"\#(String(repeating: "1", count: 129))"}"#,
        #"{"type":"call","to":"\#(String(repeating: "1", count: 257))","sdp":""}"#,
        String(repeating: "[", count: 100_000),
    ])
    func refuses(text: String) {
        #expect(throws: SignalRequest.Refusal.self) { try parse(text) }
    }

    @Test func refusesTooManyParameters() {
        let many = (0...CallParameters.countLimit).map { #""p\#($0)":"x""# }.joined(separator: ",")
        #expect(throws: SignalRequest.Refusal.self) { try parse(#"{"type":"call","to":"a","sdp":"b","parameters":{\#(many)}}"#) }
        let long = String(repeating: "x", count: CallParameters.lengthLimit + 1)
        #expect(throws: SignalRequest.Refusal.self) { try parse(#"{"type":"call","to":"a","sdp":"b","parameters":{"a":"\#(long)"}}"#) }
    }

    @Test func writesEveryMessage() {
        let id = FakeBrowserCalls.call(1)
        let server = ICEServer(urls: ["turn:a"], username: "u", credential: "c")
        func text(_ reply: SignalReply) -> String { String(decoding: reply.json(iceServers: [server]), as: UTF8.self) }
        #expect(text(.session(id: id)) ==
            #"{"ice_servers":[{"credential":"c","urls":["turn:a"],"username":"u"}],"id":"\#(id)","resume_seconds":30,"type":"session"}"#)
        #expect(text(.answer(sdp: "v=0\r\n")) == #"{"sdp":"v=0\r\n","type":"answer"}"#)
        #expect(text(.ringing) == #"{"type":"ringing"}"#)
        #expect(text(.connected) == #"{"type":"connected"}"#)
        #expect(text(.ended(CallEnd(.busy))) ==
            #"{"cause":"busy","detail":"The called party is busy.","sip_code":486,"type":"ended"}"#)
        #expect(text(.registered(user: "alice")) == #"{"type":"registered","user":"alice"}"#)
        let incoming = IncomingCall(invitation: id, from: "+14155550100", to: "sales", parameters: ["a": "1"])
        #expect(text(.incoming(incoming)) ==
            #"{"call":"\#(id)","from":"+14155550100","parameters":{"a":"1"},"to":"sales","type":"incoming"}"#)
        #expect(text(.incomingOver(id, CallEnd(.noAnswer))) ==
            #"{"call":"\#(id)","cause":"no_answer","detail":"Nobody answered.","sip_code":480,"type":"ended"}"#)
        #expect(text(.error(code: 404, detail: "No.")) == #"{"code":404,"detail":"No.","type":"error"}"#)
    }

    @Test func readsQueries() throws {
        #expect(try CallParameters.read(query: nil) == [:])
        #expect(try CallParameters.read(query: "a=1&b=x+y%20z&c&%C3%A4=%2B") == ["a": "1", "b": "x y z", "c": "", "ä": "+"])
        #expect(try CallParameters.read(query: "a=1&a=2&&") == ["a": "2"])
        for bad in ["a=%", "a=%ff", "=x", "%zz=1"] {
            #expect(throws: CallParameters.Refusal.self) { try CallParameters.read(query: bad) }
        }
    }
}
