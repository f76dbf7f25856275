import NIOCore
import TestKit
import Testing

@testable import Gateway

/// `<Dial>` with several phones: all ring, the first that answers has the caller.
@Suite struct DialAtOnceTests {
    private static let both = "<Dial action='/after' timeout='20'><Number>+15550001111</Number><Number>second</Number></Dial>"

    /// A call whose document dials two phones, at once.
    private struct Scene {
        let gateway: VirtualGateway
        let web: TwiMLCallTests.Web
        let phone: FakeTrunk
        let first: FakeTrunk
        let second: FakeTrunk

        init(_ document: String = both, first: [(TimeAmount, FakeTrunk.Reaction)], second: [(TimeAmount, FakeTrunk.Reaction)]) {
            (gateway, web) = TwiMLCallTests.gateway(document)
            web.documents["https://agents.example/after"] = "<Hangup/>"
            phone = gateway.phone()
            self.first = gateway.callee()
            self.second = gateway.callee(of: "second")
            self.first.reactions = first.map { (after: $0.0, does: $0.1) }
            self.second.reactions = second.map { (after: $0.0, does: $0.1) }
            phone.call("assistant")
        }

        /// What the action was told.
        var told: [String: String] { web.requests.count > 1 ? web.form(1) : [:] }
    }

    @Test func theFirstThatAnswersHasTheCaller() throws {
        let scene = Scene(
            first: [(.milliseconds(10), .progress(180)), (.seconds(8), .answer)],
            second: [(.milliseconds(30), .progress(180)), (.milliseconds(600), .answer)])
        let (gateway, phone, first, second) = (scene.gateway, scene.phone, scene.first, scene.second)
        gateway.run(for: .milliseconds(300))
        #expect(first.invites.count == 1 && second.invites.count == 1 && phone.statuses == [100, 180])
        #expect(gateway.run(for: .seconds(2)) { second.acknowledged && phone.isAnswered })
        gateway.run(for: .milliseconds(500))
        #expect(first.cancelledAt != nil && first.byeAt == nil)
        BridgeTests.expectTones(gateway, phone.speaker, second.listener, limit: 41, snr: 30)
        BridgeTests.expectTones(gateway, second.speaker, phone.listener, limit: 41, snr: 30)
        second.hangUp()
        gateway.run(for: .milliseconds(300))
        #expect(scene.told["DialCallStatus"] == "completed" && scene.told["DialBridged"] == "true")
        #expect(scene.told["DialCallSid"]?.count == 34 && scene.told["DialCallSid"] != scene.told["CallSid"])
        let talked = Int(scene.told["DialCallDuration"] ?? "") ?? 0
        #expect(talked >= 2 && talked <= 10)
        EndOfCallTests.expectNothingLeft(gateway)
        let record = try #require(gateway.log.records.first)
        let trunks = record.steps.filter { $0.kind == "trunk" }
        #expect(trunks.map(\.target) == ["carrier", "second"] && trunks.map(\.outcome) == ["no_answer", "answered"])
        #expect(record.legs.last { $0.kind == .trunk }?.name == "second")
        #expect(gateway.core.figures.callsOut == [CallOut(trunk: "carrier", result: "no_answer"): 1, CallOut(trunk: "second", result: "answered"): 1])
    }

    @Test func bothAnswerInTheSameMoment() {
        let at = TimeAmount.milliseconds(400)
        let scene = Scene(first: [(.milliseconds(10), .progress(180)), (at, .answer)], second: [(.milliseconds(10), .progress(180)), (at, .answer)])
        let gateway = scene.gateway
        #expect(gateway.run(for: .seconds(2)) { scene.phone.isAnswered })
        gateway.run(for: .milliseconds(500))
        // Both were acknowledged; one of them was hung up at once.
        let (talking, other) = scene.first.byeAt == nil ? (scene.first, scene.second) : (scene.second, scene.first)
        #expect(scene.first.acknowledged && scene.second.acknowledged && talking.byeAt == nil && other.byeAt != nil)
        BridgeTests.expectTones(gateway, scene.phone.speaker, talking.listener, limit: 41, snr: 30)
        scene.phone.hangUp()
        gateway.run(for: .milliseconds(300))
        #expect(talking.byeAt != nil)
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test(arguments: [(486, 486, "busy"), (486, 480, "no-answer"), (480, 486, "no-answer"), (404, 486, "busy"), (503, 404, "failed")])
    func nobodyAnswers(_ one: Int, _ other: Int, _ word: String) {
        let scene = Scene(
            first: [(.milliseconds(10), .progress(180)), (.milliseconds(200), .refuse(one))],
            second: [(.milliseconds(10), .progress(180)), (.milliseconds(900), .refuse(other))])
        scene.gateway.run(for: .milliseconds(600))
        // One that is busy does not stop the other from ringing.
        #expect(scene.told.isEmpty && scene.second.cancelledAt == nil)
        scene.gateway.run(for: .seconds(1))
        #expect(scene.told["DialCallStatus"] == word && scene.told["DialCallDuration"] == "0" && scene.told["DialBridged"] == "false")
        #expect(scene.phone.statuses == [100, 180, 480])
        EndOfCallTests.expectNothingLeft(scene.gateway)
    }

    @Test func theCallerGivesUp() {
        let ringing: [(TimeAmount, FakeTrunk.Reaction)] = [(.milliseconds(10), .progress(180)), (.seconds(30), .answer)]
        let scene = Scene(first: ringing, second: ringing)
        scene.gateway.run(for: .seconds(1))
        scene.phone.cancel()
        scene.gateway.run(for: .milliseconds(300))
        #expect(scene.first.cancelledAt != nil && scene.second.cancelledAt != nil)
        #expect(scene.phone.statuses.last == 487 && scene.told.isEmpty)
        EndOfCallTests.expectNothingLeft(scene.gateway)
    }

    @Test func theyRingNoLongerThanTheDialSays() {
        let document = Self.both.replacing("timeout='20'", with: "timeout='3'")
        let ringing: [(TimeAmount, FakeTrunk.Reaction)] = [(.milliseconds(10), .progress(180))]
        let scene = Scene(document, first: ringing, second: ringing)
        scene.gateway.run(for: .milliseconds(2800))
        #expect(scene.told.isEmpty)
        scene.gateway.run(for: .seconds(1))
        #expect(scene.told["DialCallStatus"] == "no-answer" && scene.first.cancelledAt != nil && scene.second.cancelledAt != nil)
        EndOfCallTests.expectNothingLeft(scene.gateway)
    }

    @Test func aTargetThatLeadsNowhereDoesNotHarmTheOthers() {
        let document = "<Dial><Number>+447700900123</Number><Number>second</Number></Dial>"
        let scene = Scene(document, first: [], second: [(.milliseconds(10), .progress(180)), (.milliseconds(300), .answer)])
        #expect(scene.gateway.run(for: .seconds(2)) { scene.phone.isAnswered && scene.second.acknowledged })
        #expect(scene.first.invites.isEmpty)
        scene.phone.hangUp()
        EndOfCallTests.expectNothingLeft(scene.gateway)
    }

    @Test func anAgentsCallIsGivenToTwoPhonesByREST() throws {
        let scene = Scene(
            "<Connect><Stream/></Connect>", first: [(.milliseconds(10), .progress(180)), (.milliseconds(300), .refuse(486))],
            second: [(.milliseconds(10), .progress(180)), (.milliseconds(800), .answer)])
        let gateway = scene.gateway
        #expect(gateway.run(for: .seconds(1)) { gateway.agent?.isUp == true })
        let id = try #require(gateway.core.entries.keys.first)
        let document = try TwiMLReader.read(Array("<Response>\(Self.both)</Response>".utf8))
        #expect(gateway.core.instruct(id, TwiMLOrder(what: .document(document), agent: "assistant")))
        #expect(gateway.run(for: .seconds(2)) { scene.second.acknowledged })
        #expect(gateway.agent?.closeCode != nil)
        gateway.run(for: .milliseconds(500))
        BridgeTests.expectTones(gateway, scene.phone.speaker, scene.second.listener, limit: 41, snr: 30)
        scene.phone.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
    }

    /// A phone may be reached by several trunks, and each of several phones by its own.
    @Test func aTrunkThatFailsIsFollowedByTheNextForThatPhone() {
        let plan = """
            routes:
              - { name: assistant, when: { to: assistant }, do: [{ agent: assistant }] }
              - { name: one, when: { via: api, to: "+15550001111" }, do: [{ trunk: carrier }] }
              - { name: twofold, when: { via: api, to: "+15557777777" }, do: [{ trunk: [informed, second] }] }
            """
        let (gateway, _) = TwiMLCallTests.gateway("<Dial><Number>+15550001111</Number><Number>+15557777777</Number></Dial>", plan: plan)
        let (phone, first, second, informed) = (gateway.phone(), gateway.callee(), gateway.callee(of: "second"), gateway.callee(of: "informed"))
        first.reactions = [(.milliseconds(10), .progress(180))]
        informed.reactions = [(.milliseconds(10), .refuse(503))]
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(3)) { phone.isAnswered })
        #expect(informed.invites.count == 1 && second.acknowledged)
        gateway.run(for: .milliseconds(100))
        #expect(first.cancelledAt != nil)
        phone.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
    }
}
