import Foundation
import NIOCore
import TestKit
import Testing

@testable import Gateway

/// The webhook of a realtime agent: what it is asked, what it may answer, and calls that it leads.
@Suite struct AgentWebhookTests {
    private static let url = "https://agents.example/session"
    private static let plan = """
        routes: [{ name: faulty, when: { to: faulty }, do: [{ agent: faulty-openai, parameters: { instructions: "The route's.", queue: support } }, { agent: standby }] }]
        """

    private static func session(_ text: String) throws -> AgentWebhookSession { try AgentWebhookSession(Array(text.utf8)) }

    /// As Python's `hmac` computes it.
    @Test func signaturesAreHMACs() {
        let signature = TandemSignature.sign(Array("{}".utf8), time: 1_700_000_000, secret: "hush")
        #expect(signature == "t=1700000000,v1=763081ea12e3b1f903f958994c023cde07f1224b02a538ad6f959112a2f780ba")
    }

    @Test func anAnswerMayNameEverything() throws {
        let answer = try Self.session(
            #"{"instructions":"Be kind.","voice":"cedar","model":"gpt-realtime-mini","greeting":"","other":1,"tools":["end_call",{"type":"function","name":"look_up","description":"Finds an order.","parameters":{"type":"object","properties":{"number":{"type":"integer","minimum":1}}}},{"name":"no_parameters"}]}"#)
        #expect(answer.instructions == "Be kind." && answer.voice == "cedar" && answer.model == "gpt-realtime-mini" && answer.greeting == "")
        #expect(answer.tools == [.endCall] && answer.functions.map(\.name) == ["look_up", "no_parameters"])
        let definition = try #require(JSONValue(parsing: String(decoding: answer.functions[0].definition, as: UTF8.self)))
        #expect(definition["parameters"]?["properties"]?["number"]?["minimum"] == .integer(1) && definition["type"] == "function")
        let nothing = try Self.session("{}")
        #expect(nothing.tools == nil && nothing.instructions == nil && nothing.functions.isEmpty)
    }

    @Test(arguments: [
        ("[]", "no JSON object"), ("{", "no JSON object"), (#"{"voice":7}"#, "voice is no text"), (#"{"tools":{}}"#, "no list"),
        (#"{"tools":["dance"]}"#, "none of the gateway's"), (#"{"tools":[{"description":"x"}]}"#, "without a name"),
        (#"{"tools":[{"name":"a b"}]}"#, "without a name"), (#"{"tools":[{"name":"end_call"}]}"#, "the gateway's own"),
        (#"{"tools":[{"name":"a"},{"name":"a"}]}"#, "twice"), (#"{"tools":[{"name":"a","parameters":[]}]}"#, "no JSON object"),
    ]) func otherAnswersAreRefusedWithAReason(_ text: String, _ reason: String) {
        #expect { try Self.session(text) } throws: { ($0 as? WebRequest.Failure)?.reason.contains(reason) == true }
    }

    @Test func aFunctionIsAskedForWithItsArguments() throws {
        let webhook = AgentWebhook(url: Self.url, secret: "hush", agent: "model", call: ["id": "c1"])
        let request = try #require(webhook.functionRequest("look_up", callID: "call_7", arguments: #"{"number": 5}"#, at: Date(timeIntervalSince1970: 9)))
        let body = try #require(request.json)
        #expect(String(decoding: body, as: UTF8.self) == #"{"agent":"model","arguments":{"number":5},"call":{"id":"c1"},"event":"tool","tool":"look_up","tool_call_id":"call_7"}"#)
        #expect(request.headers.map(\.value) == [TandemSignature.sign(body, time: 9, secret: "hush")])
        #expect(webhook.functionRequest("look_up", callID: "c", arguments: "[1]", at: Date()) == nil)
        #expect(webhook.functionRequest("look_up", callID: "c", arguments: "{", at: Date()) == nil)
    }

    private static func call(answer: String?, requests: @escaping (WebRequest) -> Void = { _ in }) -> (VirtualGateway, FakeTrunk) {
        let gateway = VirtualGateway(plan: plan)
        gateway.turn = .milliseconds(5)
        gateway.configure { configuration in
            for index in configuration.agents.indices where configuration.agents[index].name == "faulty-openai" {
                configuration.agents[index].webhook = url
                configuration.agents[index].webhookSecret = "hush"
                configuration.agents[index].instructions = "The configuration's."
                configuration.agents[index].voice = "marin"
            }
        }
        gateway.web = { request in
            requests(request)
            return answer.map { .success(Array($0.utf8)) } ?? .failure(WebRequest.Failure(reason: "it answered HTTP 500"))
        }
        let phone = gateway.phone()
        phone.call("faulty")
        return (gateway, phone)
    }

    @Test func theSessionIsAsTheWebhookSays() throws {
        var requests: [WebRequest] = []
        let (gateway, phone) = Self.call(
            answer: #"{"instructions":"The webhook's.","greeting":"Good day.","tools":["transfer_call",{"name":"look_up"}]}"#) { requests.append($0) }
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered })
        let agent = try #require(gateway.faulty.last)
        #expect(agent.settings["instructions"] as? String == "The webhook's.")
        #expect((agent.settings["tools"] as? [[String: Any]])?.compactMap { $0["name"] as? String } == ["transfer_call", "look_up"])
        let output = (agent.settings["audio"] as? [String: [String: Any]])?["output"]
        #expect(output?["voice"] as? String == "marin")
        #expect(agent.events == ["session.update", "response.create"])
        #expect(requests.count == 1 && requests[0].url == Self.url && requests[0].headers.map(\.name) == ["Tandem-Signature"] && requests[0].time == .seconds(3))
        let body = try #require(requests[0].json.flatMap { JSONValue(parsing: String(decoding: $0, as: UTF8.self)) })
        #expect(body["event"] == "session" && body["agent"] == "faulty-openai" && body["call"]?["via"] == "phone" && body["call"]?["to"] == "faulty")
        #expect(body["call"]?["parameters"]?["queue"] == "support" && body["call"]?["direction"] == "inbound" && body["call"]?["leg"] == "phone")
        phone.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func whatTheWebhookDoesNotNameIsTheRoutesAndTheConfigurations() throws {
        let (gateway, phone) = Self.call(answer: #"{"greeting":""}"#)
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered })
        let agent = try #require(gateway.faulty.last)
        #expect(agent.settings["instructions"] as? String == "The route's." && agent.settings["tools"] == nil)
        // The model waits for the caller.
        #expect(agent.events == ["session.update"])
    }

    @Test func theWaitForAWebhookIsBridgedWhereAnAgentWasLost() throws {
        let gateway = VirtualGateway(
            plan: "routes: [{ name: faulty, when: { to: faulty }, do: [{ agent: faulty-twilio }, { agent: faulty-openai }, { agent: faulty-vonage }] }]")
        gateway.turn = .milliseconds(5)
        gateway.configure { configuration in
            for index in configuration.agents.indices where configuration.agents[index].name == "faulty-openai" { configuration.agents[index].webhook = Self.url }
        }
        gateway.holdsWeb = true
        gateway.web = { _ in .failure(WebRequest.Failure(reason: "it did not answer")) }
        let phone = gateway.phone()
        phone.call("faulty")
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered })
        gateway.faulty.last?.die()
        let died = gateway.now
        gateway.run(for: .seconds(2))
        let heard = try #require(phone.listener.firstSound(after: died, threshold: 60))
        #expect(heard - died <= .milliseconds(300))
        gateway.holdsWeb = false
        gateway.run(for: .seconds(1))
        #expect(gateway.faulty.last?.dialect == .vonage && gateway.faulty.last?.socket?.isUp == true && phone.byeAt == nil)
        phone.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test(arguments: [nil, "no JSON", #"{"tools":[{"name":"end_call"}]}"#]) func withoutAUsableAnswerTheNextStepTakesTheCall(_ answer: String?) {
        let (gateway, phone) = Self.call(answer: answer)
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered })
        #expect(gateway.faulty.isEmpty && gateway.agent?.name == "standby")
        #expect(gateway.log.count("webhook failed") == 1)
        phone.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
    }
}
