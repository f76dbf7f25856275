import Foundation
import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Whole calls that a webhook's documents lead, on virtual time.
@Suite struct TwiMLCallTests {
    static let voice = "https://agents.example/voice"
    static let account = "AC00000000000000000000000000000001"

    final class Web {
        var documents: [String: String] = [:]
        var files: [String: [UInt8]] = [:]
        var requests: [WebRequest] = []

        func answer(_ request: WebRequest) -> Result<[UInt8], WebRequest.Failure> {
            requests.append(request)
            if let file = files[request.url] { return .success(file) }
            guard let document = documents[request.url] else { return .failure(WebRequest.Failure(reason: "it answered HTTP 404")) }
            return .success(Array("<Response>\(document)</Response>".utf8))
        }

        func form(_ index: Int) -> [String: String] { Dictionary(requests[index].form.map { ($0.name, $0.value) }) { $1 } }
    }

    static func gateway(_ document: String, plan: String = VirtualGateway.standardPlan) -> (VirtualGateway, Web) {
        let (gateway, web) = (VirtualGateway(plan: plan), Web())
        gateway.configure { configuration in
            configuration.agents[0].webhook = voice
            configuration.agents[0].account = account
            configuration.agents[0].token = "12345"
        }
        web.documents[voice] = document
        gateway.web = web.answer
        return (gateway, web)
    }

    private static func tone(hertz: Int) throws -> [UInt8] {
        let path = temporaryPath("tandem-twiml-\(hertz).wav")
        try WAVFile(rate: 8000, samples: SoundMaterial.tone(hertz: Double(hertz), seconds: 2, rate: 8000)).write(to: path)
        return try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// In the middle of the file's two seconds.
    private static func expectTone(_ phone: FakeTrunk, _ hertz: Double, after start: NIODeadline, sourceLocation: SourceLocation = #_sourceLocation) {
        let sound = phone.listener.sound(after: start + .milliseconds(300), for: .milliseconds(1500))
        let report = ToneMeter.analyse(sound, rate: 8000, expectedHz: hertz)
        #expect(sound.count > 11_000 && abs(report.frequency - hertz) < 0.5 && report.snr > 25, sourceLocation: sourceLocation)
    }

    @Test func theWebhookIsAskedAndItsStreamOpened() throws {
        let (gateway, web) = Self.gateway("<Connect><Stream url='wss://agents.example/media'><Parameter name='queue' value='gold'/></Stream></Connect>")
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        #expect(phone.statuses == [100, 180, 200])
        #expect(gateway.agent?.parameters["queue"] == "gold")
        let request = try #require(web.requests.first)
        let form = web.form(0)
        #expect(request.url == Self.voice && !request.isGet && web.requests.count == 1)
        #expect(form["AccountSid"] == Self.account && form["CallStatus"] == "ringing" && form["Direction"] == "inbound" && form["queue"] == "support")
        #expect(form["To"] == "assistant" && form["CallSid"]?.count == 34 && form["ApiVersion"] == "2010-04-01")
        let signature = try #require(TwilioSignature.sign(Self.voice, fields: request.form, token: "12345"))
        #expect(request.headers == [FormField(TwilioSignature.header, signature)])
        phone.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func theAgentClosesAFileIsHeardAndAPersonIsDialled() throws {
        let (gateway, web) = Self.gateway("<Connect><Stream/></Connect><Play>bye.wav</Play><Dial>+15550001111</Dial><Hangup/>")
        web.files["https://agents.example/bye.wav"] = try Self.tone(hertz: 700)
        let (phone, callee) = (gateway.phone(), gateway.callee())
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        try #require(gateway.agent).hangUp()
        let closed = gateway.now
        #expect(gateway.run(for: .seconds(5)) { callee.acknowledged })
        Self.expectTone(phone, 700, after: closed)
        gateway.run(for: .milliseconds(500))
        BridgeTests.expectTones(gateway, phone.speaker, callee.listener, limit: 41, snr: 30)
        callee.hangUp()
        gateway.run(for: .milliseconds(100))
        #expect(phone.byeAt != nil && phone.statuses == [100, 180, 200])
        #expect(gateway.core.figures.ended == [.agentHangup: 1])
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aDialThatIsBusyIsToldToItsAction() throws {
        let (gateway, web) = Self.gateway("<Dial action='/after'><Number>+15550001111</Number></Dial>")
        web.documents["https://agents.example/after"] = "<Connect><Stream/></Connect>"
        let (phone, callee) = (gateway.phone(), gateway.callee())
        callee.reactions = [(.milliseconds(10), .progress(180)), (.milliseconds(200), .refuse(486))]
        phone.call("assistant")
        gateway.run(for: .seconds(2))
        #expect(phone.statuses == [100, 180, 200])
        #expect(web.form(1)["DialCallStatus"] == "busy")
        #expect(gateway.agent?.isUp == true)
        phone.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test(arguments: ["+447700900123", "nowhere", "sip:anybody@evil.example", "out"])
    func aDocumentDialsOnlyWhatThePlanAllows(_ target: String) {
        let plan = """
            routes:
              - { name: assistant, when: { to: assistant }, do: [{ agent: assistant }] }
              - { name: dear, when: { via: phone, to: "+44XXXXXXXXXX" }, do: [{ trunk: carrier }] }
              - { name: good, when: { via: api, to: "+1555XXXXXXX" }, do: [{ trunk: carrier }] }
            """
        let (gateway, _) = Self.gateway("<Dial>\(target)</Dial>", plan: plan)
        let (phone, callee) = (gateway.phone(), gateway.callee())
        phone.call("assistant")
        gateway.run(for: .seconds(2))
        #expect(!callee.acknowledged)
        #expect(phone.statuses == [100, 180, 404])
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aWebhookThatFailsIsFollowedByTheNextStep() {
        let (gateway, web) = Self.gateway("<Say>Hello</Say>")
        let phone = gateway.phone()
        phone.call("spare")
        gateway.run(for: .seconds(1))
        #expect(gateway.agent?.name == "standby" && phone.isAnswered && web.requests.count == 1)
        #expect(gateway.log.count("<Say> is refused") == 1)
    }

    @Test func aRejectionIsTheFinalAnswer() {
        for (reason, status) in [("busy", 486), ("rejected", 603)] {
            let (gateway, _) = Self.gateway("<Reject reason='\(reason)'/>")
            let phone = gateway.phone()
            phone.call("spare")
            gateway.run(for: .seconds(1))
            #expect(phone.statuses == [100, 180, status])
        }
        let (gateway, _) = Self.gateway("<Hangup/>")
        let phone = gateway.phone()
        phone.call("spare")
        gateway.run(for: .seconds(1))
        #expect(phone.statuses == [100, 180, 480])
    }

    @Test func aPauseAnswersAndLasts() {
        let (gateway, _) = Self.gateway("<Pause length='2'/><Hangup/>")
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .milliseconds(1900))
        #expect(phone.isAnswered && phone.byeAt == nil)
        gateway.run(for: .milliseconds(400))
        #expect(phone.byeAt != nil)
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func anOrderByRESTReplacesWhatTheCallDoes() throws {
        let (gateway, web) = Self.gateway("<Connect><Stream/></Connect>")
        web.files["https://agents.example/news.wav"] = try Self.tone(hertz: 900)
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        let id = try #require(gateway.core.entries.keys.first)
        let document = try TwiMLReader.read(Array("<Response><Play>news.wav</Play><Connect><Stream/></Connect></Response>".utf8))
        let before = gateway.now
        #expect(gateway.core.instruct(id, TwiMLOrder(what: .document(document), agent: "assistant")))
        gateway.run(for: .seconds(4))
        #expect(gateway.agents.count == 2 && gateway.agents[0].closeCode != nil && gateway.agents[1].isUp)
        Self.expectTone(phone, 900, after: before)
        phone.hangUp()
        gateway.run(for: .seconds(1))
        #expect(!gateway.core.instruct(id, TwiMLOrder(what: .document(document), agent: "assistant")))
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func whatTheDocumentSaysOfTheCallerNoPageSaysOtherwise() {
        let (gateway, _) = Self.gateway("<Connect><Stream><Parameter name='queue' value='gold'/></Stream></Connect>")
        let browser = gateway.browser()
        browser.call("assistant", parameters: ["queue": "mine"])
        gateway.run(for: .seconds(1))
        #expect(gateway.agent?.parameters["queue"] == "gold")
    }
}
