import NIOCore
import Synchronization
import TestKit
import Testing

@testable import Gateway

/// Calls that the API orders: a phone is called, and an agent joined to it when it answers.
@Suite struct OutboundTests {
    static let order = OutboundOrder(to: BridgeTests.number, agent: "assistant")

    @discardableResult
    static func place(_ gateway: VirtualGateway, _ order: OutboundOrder = order) throws -> Result<RunningCall, OutboundRefusal> {
        let box = Box()
        gateway.post(.place(order, reply: { result in box.result.withLock { $0 = result } }))
        return try #require(box.result.withLock { $0 }, "no reply")
    }

    private final class Box: Sendable {
        let result = Mutex<Result<RunningCall, OutboundRefusal>?>(nil)
    }

    static func refusal(_ gateway: VirtualGateway, _ order: OutboundOrder) throws -> OutboundRefusal? {
        if case .failure(let refusal) = try place(gateway, order) { refusal } else { nil }
    }

    @Test func thePhoneIsCalledAndMeetsTheAgent() throws {
        let gateway = VirtualGateway()
        let callee = gateway.callee()
        var order = Self.order
        (order.from, order.parameters, order.ringSeconds) = ("+15558887777", ["campaign": "spring"], 20)
        let call = try Self.place(gateway, order).get()
        #expect(call.state == "routing" && call.record.via == "api" && call.record.route == "out" && call.record.to.e164 == BridgeTests.number)
        #expect(gateway.run(for: .seconds(1)) { gateway.core.entries.values.first?.call.stateName == "ringing" })
        // While it rings nobody pays for an agent.
        gateway.run(for: .milliseconds(300))
        #expect(gateway.agents.isEmpty)
        #expect(gateway.run(for: .seconds(1)) { gateway.agent?.media.count ?? 0 > 10 })
        let agent = try #require(gateway.agent)
        #expect(callee.acknowledged && gateway.core.entries.values.first?.call.stateName == "connected")
        #expect(agent.parameters == ["campaign": "spring", "from_number": "+15558887777", "to_number": BridgeTests.number])
        let invite = try #require(callee.invites.first)
        #expect(invite.hasPrefix("INVITE sip:\(BridgeTests.number)@192.0.2.200") && invite.contains("\r\nFrom: <sip:+15558887777@"))
        // Both hear each other, and keys go both ways.
        agent.say(SoundMaterial.tone(hertz: 800, seconds: 1, rate: 8000))
        callee.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 1, rate: 8000))
        callee.press(5)
        gateway.run(for: .seconds(2))
        SoundBothWaysTests.expectTone(callee.listener.sound, rate: 8000, hertz: 800, seconds: 1, snr: 20)
        #expect(agent.digits.map(\.digit) == ["5"])
        AgentFailureTests.expectOneAxis(callee.listener)
        callee.hangUp()
        gateway.run(for: .milliseconds(500))
        #expect(agent.events.last == "stop" && callee.byeAt == nil)
        EndOfCallTests.expectNothingLeft(gateway)
        let record = try #require(gateway.log.records.first)
        #expect(record.cause == .calleeHangup && record.sipCode == 200)
        #expect(record.steps.map(\.kind) == ["trunk", "agent"] && record.steps.map(\.outcome) == ["answered", "answered"])
        #expect(record.legs.map(\.kind) == [.trunk, .agent] && record.legs.map(\.name) == ["carrier", "assistant"])
        #expect(record.legs[0].packetsReceived > 100 && record.legs[0].codec == "PCMU")
        #expect(record.ringingAt != nil && record.answeredAt != nil && record.trunkIn == nil)
        #expect(gateway.core.figures.callsOut == [CallOut(trunk: "carrier", result: "answered"): 1])
    }

    @Test func theAgentHangsUp() throws {
        let gateway = VirtualGateway()
        let callee = gateway.callee()
        try Self.place(gateway)
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.isUp == true })
        let figures = gateway.core.presentFigures()
        #expect(figures.agents.map(\.calls).reduce(0, +) == 1 && figures.agents.first?.calls == 1 && figures.trunks.first { $0.name == "carrier" }?.calls == 1)
        gateway.agent?.hangUp()
        gateway.run(for: .milliseconds(100))
        #expect(callee.byeAt != nil)
        #expect(gateway.core.figures.ended == [.agentHangup: 1])
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test(arguments: [(486, EndReason.busy), (603, .rejected), (404, .unreachable), (480, .noAnswer)])
    func aPhoneThatDoesNotTakeTheCall(_ status: Int, _ reason: EndReason) throws {
        let gateway = VirtualGateway()
        let callee = gateway.callee()
        callee.reactions = [(.milliseconds(10), .progress(180)), (.milliseconds(100), .refuse(status))]
        try Self.place(gateway)
        EndOfCallTests.expectNothingLeft(gateway)
        #expect(gateway.agents.isEmpty)
        let record = try #require(gateway.log.records.first)
        #expect(record.cause == reason && record.via == "api" && record.answeredAt == nil && record.legs.map(\.kind) == [.trunk])
    }

    @Test func nobodyAnswersWithinTheRingLimit() throws {
        let gateway = VirtualGateway()
        let callee = gateway.callee()
        callee.reactions = [(.milliseconds(10), .progress(180))]
        var order = Self.order
        order.ringSeconds = 3
        try Self.place(gateway, order)
        gateway.run(for: .milliseconds(2900))
        #expect(callee.cancelledAt == nil)
        gateway.run(for: .milliseconds(300))
        #expect(callee.cancelledAt != nil)
        EndOfCallTests.expectNothingLeft(gateway)
        #expect(gateway.log.records.map(\.cause) == [.noAnswer])
    }

    @Test func whoeverOrderedItIsToldWhatItDoes() throws {
        let gateway = VirtualGateway()
        let callee = gateway.callee()
        var order = Self.order
        order.statusURL = WebSocketAgentTransport.URL(web: "https://shop.example/calls")
        let call = try Self.place(gateway, order).get()
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.isUp == true })
        callee.hangUp()
        gateway.run(for: .seconds(1))
        #expect(gateway.notices.allSatisfy { $0.call == call.record.id && $0.url == order.statusURL })
        let bodies = gateway.notices.map(\.body)
        #expect(bodies.map { $0["state"]?.text } == ["ringing", "connected", "ended"])
        #expect(bodies.map { $0["id"]?.text } == Array(repeating: call.record.id.description, count: 3))
        #expect(bodies.map { $0["cause"] ?? .null } == [.null, .null, "callee_hangup"])
        #expect(bodies[0]["ringing_at"] != .null && bodies[0]["answered_at"] == .null && bodies[1]["answered_at"] != .null)
    }

    @Test(arguments: [(0.6, ["human"]), (2.5, ["machine", "beep"])])
    func itIsFoundOutWhoAnswered(_ greeting: Double, _ findings: [String]) throws {
        let gateway = VirtualGateway()
        let callee = gateway.callee()
        var order = Self.order
        (order.statusURL, order.detectsMachine) = (WebSocketAgentTransport.URL(web: "https://shop.example/calls"), true)
        try Self.place(gateway, order)
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.isUp == true })
        gateway.run(for: .milliseconds(500))
        callee.speaker.say(AnswerClassifierTests.speech(seconds: greeting))
        gateway.run(for: .seconds(4))
        if findings.contains("beep") { callee.speaker.say(SoundMaterial.tone(hertz: 1000, seconds: 0.5, rate: 8000)) }
        gateway.run(for: .seconds(1))
        #expect(gateway.notices.compactMap { $0.body["answered_by"]?.text } == findings)
        // What the agent hears is what was said.
        SoundBothWaysTests.expectGapFree(try #require(gateway.agent))
        callee.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
        #expect(gateway.log.records.first?.events.map(\.what).contains { $0.contains("seems to have answered") } == true)
    }

    @Test func theAgentIsToldWhoAnswered() throws {
        let gateway = VirtualGateway()
        let callee = gateway.callee()
        var order = Self.order
        (order.agent, order.detectsMachine) = ("native", true)
        try Self.place(gateway, order)
        #expect(gateway.run(for: .seconds(2)) { gateway.native?.nextPTS ?? 0 > 0 })
        callee.speaker.say(AnswerClassifierTests.speech(seconds: 0.6))
        gateway.run(for: .seconds(3))
        let message = try #require(gateway.native?.events("message").last)
        #expect(message["content_type"] as? String == "application/json" && message["body"] as? String == #"{"answered_by":"human"}"#)
        callee.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func theOrderMayBeTakenBackWhileItRings() throws {
        let gateway = VirtualGateway()
        let callee = gateway.callee()
        callee.reactions = [(.milliseconds(10), .progress(180))]
        let call = try Self.place(gateway).get()
        gateway.run(for: .milliseconds(500))
        gateway.post(.browserHungUp(call.record.id, .byAdministrator))
        gateway.run(for: .milliseconds(200))
        #expect(callee.cancelledAt != nil && gateway.agents.isEmpty)
        EndOfCallTests.expectNothingLeft(gateway)
        #expect(gateway.log.records.map(\.cause) == [.refused])
    }

    /// The answer and the end of the order cross on the network.
    @Test func theOrderIsTakenBackWhileTheAnswerIsUnderWay() throws {
        let gateway = VirtualGateway()
        let callee = gateway.callee()
        callee.reactions = [(.milliseconds(10), .progress(180)), (.milliseconds(100), .answer)]
        let call = try Self.place(gateway).get()
        #expect(gateway.run(for: .seconds(1)) { callee.isAnswered })
        gateway.post(.browserHungUp(call.record.id, .byAdministrator))
        gateway.run(for: .seconds(1))
        #expect(callee.byeAt != nil)
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func theNextTrunkIsTriedAndOnlyTheOneThatAnsweredIsALeg() throws {
        let gateway = VirtualGateway()
        let (first, second) = (gateway.callee(), gateway.callee(of: "second"))
        first.reactions = [(.milliseconds(10), .refuse(503))]
        var order = Self.order
        order.to = "either"
        try Self.place(gateway, order)
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.isUp == true })
        #expect(second.invites.first?.contains("\r\nFrom: <sip:+15559998888@") == true)
        gateway.run(for: .milliseconds(200))
        second.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
        let record = try #require(gateway.log.records.first)
        #expect(record.steps.map(\.outcome) == ["unreachable", "answered", "answered"])
        #expect(record.legs.map(\.name) == ["second", "assistant"])
    }

    @Test func aTrunkMayBeNamed() throws {
        let gateway = VirtualGateway()
        let callee = gateway.callee(of: "second")
        var order = Self.order
        (order.to, order.via) = ("tel:(555)%20222-3333", "second")
        let call = try Self.place(gateway, order).get()
        #expect(call.record.route == nil && call.record.explanation == nil && call.record.to.e164 == BridgeTests.number)
        gateway.run(for: .seconds(1))
        let invite = try #require(callee.invites.first)
        #expect(invite.hasPrefix("INVITE sip:\(BridgeTests.number)@192.0.2.201") && invite.contains("anonymous.invalid"))
        #expect(gateway.agent?.isUp == true)
    }

    @Test func anAgentThatFailsIsFollowedByTheRoutesNextStep() throws {
        let gateway = VirtualGateway(plan: """
            routes:
              - { name: campaign, when: { via: api }, do: [{ trunk: carrier }, { agent: assistant, parameters: { a: b } }, { agent: standby }], max_minutes: 1 }
            """)
        gateway.prepareAgent = { if $0.name == "assistant" { $0.answer = .refuse } }
        let callee = gateway.callee()
        try Self.place(gateway)
        gateway.run(for: .seconds(1))
        #expect(gateway.agents.map(\.name) == ["assistant", "standby"] && gateway.agent?.isUp == true)
        gateway.turn = .milliseconds(5)
        gateway.run(for: .seconds(61))
        #expect(callee.byeAt != nil && gateway.core.figures.ended == [.refused: 1])
    }

    @Test func withoutAnAgentThePhoneIsLetGo() throws {
        let gateway = VirtualGateway()
        gateway.prepareAgent = { $0.answer = .refuse }
        let callee = gateway.callee()
        try Self.place(gateway)
        gateway.run(for: .seconds(1))
        #expect(callee.byeAt != nil)
        EndOfCallTests.expectNothingLeft(gateway)
        #expect(gateway.core.figures.ended == [.agentUnavailable: 1])
    }

    @Test func thePhoneMayHoldAndComeBack() throws {
        let gateway = VirtualGateway()
        let callee = gateway.callee()
        try Self.place(gateway)
        #expect(gateway.run(for: .seconds(2)) { gateway.agent?.isUp == true })
        callee.direction = "sendonly"
        callee.reinvite()
        gateway.run(for: .milliseconds(500))
        #expect(callee.answeredDirection == "a=recvonly")
        callee.direction = "sendrecv"
        callee.reinvite()
        gateway.run(for: .milliseconds(500))
        #expect(callee.answeredDirection == "a=sendrecv")
        #expect(gateway.core.entries.count == 1)
    }

    @Test func whatCannotBePlacedIsRefusedInWords() throws {
        let gateway = VirtualGateway(plan: """
            routes:
              - { name: barred, when: { to: "+1900XXXXXXX" }, do: [{ reject: 403 }] }
              - { name: agent, when: { to: demo }, do: [{ agent: parrot }] }
              - { name: out, when: { to: "+1555XXXXXXX" }, do: [{ trunk: carrier }] }
              - { name: user, when: { to: somebody }, do: [{ trunk: carrier }] }
            """)
        func status(_ change: (inout OutboundOrder) -> Void) throws -> Int? {
            var order = Self.order
            change(&order)
            return try Self.refusal(gateway, order)?.httpStatus
        }
        #expect(try status { $0.agent = "nobody" } == 400)
        #expect(try status { $0.via = "nowhere" } == 400)
        #expect(try status { $0.to = "+442079460000" } == 404)
        #expect(try status { $0.to = "demo" } == 404)
        #expect(try status { $0.to = "+19005551234" } == 403)
        #expect(try status { $0.to = "somebody" } == 400)
        #expect(gateway.core.entries.isEmpty)
        #expect(gateway.log.records.map(\.cause) == [.noRoute, .noRoute, .rejected])
        #expect(gateway.log.records.allSatisfy { $0.via == "api" })
        gateway.post(.drain(finished: {}))
        #expect(try status { _ in } == 503)
    }

    @Test func theyAreLimited() throws {
        let gateway = VirtualGateway()
        gateway.configure { configuration in
            for index in configuration.trunks.indices { configuration.trunks[index].maxCallsPerSecond = 1000 }
            for index in configuration.trunks.indices where configuration.trunks[index].name == "second" { configuration.trunks[index].maxCalls = 1 }
        }
        var order = Self.order
        (order.via, order.to) = ("second", "+15552220001")
        #expect(try Self.refusal(gateway, order) == nil)
        let full = try #require(try Self.refusal(gateway, order))
        #expect(full.httpStatus == 429 && full.retryAfter == 1 && full.end?.reason == .overload)
        for _ in 2..<SwitchboardCore.placementsPerSecond { #expect(try Self.refusal(gateway, Self.order) == nil) }
        #expect(try Self.refusal(gateway, Self.order)?.httpStatus == 429)
        gateway.run(for: .milliseconds(1001))
        #expect(try Self.refusal(gateway, Self.order) == nil)
    }
}
