import Foundation
import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Who is told how calls and streams go, in Twilio's words.
@Suite struct StatusCallbackTests {
    private static let all = "statusCallbackEvent='initiated ringing answered completed'"

    private static func fields(_ notice: CallNotice) -> [String: String] {
        Dictionary((notice.form?.fields ?? []).map { ($0.name, $0.value) }) { $1 }
    }

    /// The notices to a path, their fields.
    private static func told(_ gateway: VirtualGateway, _ path: String) -> [[String: String]] {
        gateway.notices.filter { $0.url.target.split(separator: "?")[0] == path }.map(fields)
    }

    @Test func aDialledPhoneFromBeginningToEnd() throws {
        let (gateway, _) = TwiMLCallTests.gateway("<Dial><Number statusCallback='/status' \(Self.all)>+15550001111</Number></Dial>")
        let (phone, callee) = (gateway.phone(), gateway.callee())
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(2)) { callee.acknowledged })
        gateway.run(for: .milliseconds(3200))
        callee.hangUp()
        gateway.run(for: .milliseconds(200))
        let told = Self.told(gateway, "/status")
        #expect(told.map { $0["CallStatus"] } == ["initiated", "ringing", "in-progress", "completed"])
        #expect(told.map { $0["SequenceNumber"] } == ["0", "1", "2", "3"])
        let last = try #require(told.last)
        #expect(last["CallDuration"] == "3" && last["To"] == "+15550001111" && last["Direction"] == "outbound-dial")
        #expect(last["ParentCallSid"] == gateway.log.records.first.map { "CA\($0.id)" } && last["CallSid"] != last["ParentCallSid"])
        #expect(Set(told.map { $0["CallSid"] }).count == 1 && last["AccountSid"] == TwiMLCallTests.account)
        let notice = try #require(gateway.notices.last)
        let form = try #require(notice.form)
        #expect(form.signature == TwilioSignature.sign("https://agents.example/status", fields: form.fields, token: "12345"))
        #expect(notice.content.headers == [FormField("X-Twilio-Signature", form.signature ?? "")] && notice.content.type == FormField.mediaType)
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func eachOfSeveralPhonesHasItsOwn() throws {
        let document = """
            <Dial><Number statusCallback='/one?a=1' statusCallbackMethod='GET' \(Self.all)>+15550001111</Number>\
            <Number statusCallback='/two'>second</Number></Dial>
            """
        let (gateway, _) = TwiMLCallTests.gateway(document)
        let (phone, first, second) = (gateway.phone(), gateway.callee(), gateway.callee(of: "second"))
        first.reactions = [(.milliseconds(10), .progress(180))]
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(2)) { second.acknowledged })
        phone.hangUp()
        gateway.run(for: .milliseconds(200))
        #expect(Self.told(gateway, "/two").map { $0["CallStatus"] } == ["completed"])
        let one = gateway.notices.filter { $0.url.target.hasPrefix("/one?a=1&") }
        #expect(one.map { $0.url.target.contains("CallStatus=initiated") } == [true, false, false])
        let canceled = try #require(one.last)
        #expect(one.count == 3 && canceled.url.target.contains("CallStatus=canceled") && canceled.content.isGet)
        let signature = TwilioSignature.sign("https://agents.example" + canceled.url.target, token: "12345")
        #expect(canceled.form?.signature == signature)
    }

    @Test(arguments: [(486, "busy"), (480, "no-answer"), (503, "failed")])
    func aPhoneThatDoesNotAnswer(_ status: Int, _ word: String) {
        let (gateway, _) = TwiMLCallTests.gateway("<Dial><Number statusCallback='/status'>+15550001111</Number></Dial>")
        let (phone, callee) = (gateway.phone(), gateway.callee())
        callee.reactions = [(.milliseconds(10), .refuse(status))]
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        #expect(Self.told(gateway, "/status").map { $0["CallStatus"] } == [word])
        #expect(Self.told(gateway, "/status").map { $0["CallDuration"] } == ["0"])
    }

    @Test func streamsBeginAndEnd() {
        let stream = "<Connect><Stream name='line' url='wss://agents.example/media' statusCallback='/stream'/></Connect>"
        let (gateway, _) = TwiMLCallTests.gateway(stream + stream + stream)
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        gateway.agent?.hangUp()
        gateway.run(for: .seconds(1))
        gateway.agent?.hangUp(code: nil)
        gateway.run(for: .seconds(1))
        phone.hangUp()
        gateway.run(for: .seconds(1))
        let told = Self.told(gateway, "/stream")
        #expect(told.map { $0["StreamEvent"] } == [
            "stream-started", "stream-stopped", "stream-started", "stream-error", "stream-started", "stream-stopped",
        ])
        #expect(told.allSatisfy { $0["StreamName"] == "line" && $0["StreamSid"]?.hasPrefix("MZ") == true && $0["Timestamp"]?.hasSuffix("+0000") == true })
        #expect(told.map { $0["StreamError"]?.isEmpty == false } == [false, false, false, true, false, false])
    }

    @Test func theConfigurationsCallbackIsToldThatTheCallIsOver() {
        let (gateway, _) = TwiMLCallTests.gateway("<Pause length='2'/>")
        gateway.configure { $0.agents[0].statusCallback = "https://agents.example/over" }
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(3))
        let told = Self.told(gateway, "/over")
        #expect(told.map { $0["CallStatus"] } == ["completed"] && told.first?["Direction"] == "inbound" && told.first?["CallDuration"] == "2")
    }

    // MARK: By REST

    private static func order(_ document: String) throws -> OutboundOrder {
        var order = OutboundTests.order
        order.from = "+15558887777"
        let read = try TwiMLReader.read(Array("<Response>\(document)</Response>".utf8))
        order.twilio = TwilioOrder(account: TwiMLCallTests.account, what: .document(read))
        order.twilio?.callback = StatusCallback(
            url: "https://agents.example/order", events: Set(StatusCallback.Event.allCases), agent: order.agent)
        return order
    }

    @Test func aCallOrderedByREST() throws {
        let (gateway, web) = TwiMLCallTests.gateway("<Hangup/>")
        let callee = gateway.callee()
        try OutboundTests.place(gateway, Self.order("<Connect><Stream/></Connect>"))
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.isUp == true })
        // The order says what to do, so the webhook is not asked.
        #expect(web.requests.isEmpty && callee.invites.first?.contains("\r\nFrom: <sip:+15558887777@") == true)
        gateway.run(for: .seconds(2))
        callee.hangUp()
        gateway.run(for: .seconds(1))
        let told = Self.told(gateway, "/order")
        #expect(told.map { $0["CallStatus"] } == ["initiated", "ringing", "in-progress", "completed"])
        let record = try #require(gateway.log.records.first)
        #expect(told.allSatisfy { $0["CallSid"] == "CA\(record.id)" && $0["Direction"] == "outbound-api" && $0["From"] == "+15558887777" })
        #expect(told.last?["CallDuration"] == "2" && record.account == TwiMLCallTests.account)
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func anOrderIsDoneOnceAndThenTheCallEnds() throws {
        let (gateway, _) = TwiMLCallTests.gateway("<Hangup/>")
        let callee = gateway.callee()
        try OutboundTests.place(gateway, Self.order("<Pause length='1'/>"))
        gateway.run(for: .seconds(3))
        #expect(callee.byeAt != nil && gateway.agents.isEmpty)
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test(arguments: [(486, "busy"), (480, "no-answer"), (404, "failed")])
    func anOrderThatNobodyAnswers(_ status: Int, _ word: String) throws {
        let (gateway, _) = TwiMLCallTests.gateway("<Hangup/>")
        let callee = gateway.callee()
        callee.reactions = [(.milliseconds(10), .refuse(status))]
        try OutboundTests.place(gateway, Self.order("<Hangup/>"))
        gateway.run(for: .seconds(1))
        #expect(Self.told(gateway, "/order").map { $0["CallStatus"] } == ["initiated", word])
        #expect(Self.told(gateway, "/order").last?["SipResponseCode"] == "\(status)")
    }

    /// Whom the called party sees is the plan's to say.
    @Test func thePlansCallerIDGoesFirst() throws {
        let plan = "routes: [{ name: out, when: { via: api }, do: [{ trunk: carrier, caller_id: \"+15559998888\" }] }]"
        let (gateway, _) = TwiMLCallTests.gateway("<Hangup/>", plan: plan)
        let callee = gateway.callee()
        try OutboundTests.place(gateway, Self.order("<Hangup/>"))
        gateway.run(for: .milliseconds(300))
        #expect(callee.invites.first?.contains("\r\nFrom: <sip:+15559998888@") == true)
    }

    @Test(arguments: [("initiated ringing", true), ("", true), ("ringing  completed", true), ("ringing,completed", false), ("Ringing", false), ("over", false)])
    func events(_ words: String, _ isGood: Bool) {
        let text = "<Response><Dial><Number statusCallback='/s' statusCallbackEvent='\(words)'>+1</Number></Dial></Response>"
        let document = try? TwiMLReader.read(Array(text.utf8))
        #expect((document != nil) == isGood)
    }
}
