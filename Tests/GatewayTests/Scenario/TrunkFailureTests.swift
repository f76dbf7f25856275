import NIOCore
import TestKit
import Testing

@testable import Gateway

/// Callees that do not answer: every failure has its word for the browser and its code for the phone.
@Suite struct TrunkFailureTests {
    @Test(arguments: [
        (486, EndReason.busy, 486), (600, .busy, 600), (480, .noAnswer, 480), (408, .noAnswer, 408), (603, .rejected, 603),
        (403, .rejected, 403), (488, .rejected, 488), (404, .unreachable, 404), (410, .unreachable, 410), (484, .unreachable, 484),
        (500, .unreachable, 500), (503, .unreachable, 502), (504, .unreachable, 504), (604, .unreachable, 604), (302, .unreachable, 502),
        (401, .unreachable, 502),
    ])
    func theAnswerIsPassedOn(_ status: Int, _ reason: EndReason, _ code: Int) {
        let gateway = VirtualGateway()
        let (phone, browser) = (gateway.phone(), gateway.browser())
        let (callee, other) = (gateway.callee(), gateway.callee(of: "second"))
        for callee in [callee, other] { callee.reactions = [(.milliseconds(10), .progress(180)), (.milliseconds(100), .refuse(status))] }
        phone.call(BridgeTests.number)
        browser.call("second")
        gateway.run(for: .seconds(1))
        #expect(phone.statuses == [100, 180, code])
        #expect(browser.events.first == .ringing)
        #expect(browser.end?.reason == reason)
        #expect(browser.end?.sipStatus == code)
        #expect(gateway.core.figures.ended == [reason: 2])
        #expect(
            gateway.core.figures.callsOut == [CallOut(trunk: "carrier", result: reason.rawValue): 1, CallOut(trunk: "second", result: reason.rawValue): 1])
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func theNextTrunkIsTriedWhereTheFirstCannot() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        let (first, second) = (gateway.callee(), gateway.callee(of: "second"))
        first.reactions = [(.milliseconds(10), .refuse(503))]
        phone.call("either")
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered })
        #expect(first.invites.count == 1)
        let invite = try #require(second.invites.first)
        #expect(invite.hasPrefix("INVITE sip:+15550001111@192.0.2.201"))
        #expect(invite.contains("\r\nFrom: <sip:+15559998888@"))
        #expect(invite.contains("\r\nP-Asserted-Identity: <sip:+15559998888@"))
        #expect(invite.contains("\r\nX-Queue: support\r\n"))
        #expect(invite.contains("\r\nMax-Forwards: 69\r\n"))
        gateway.run(for: .milliseconds(300))
        BridgeTests.expectTones(gateway, phone.speaker, second.listener, limit: 41, snr: 30)
    }

    @Test func theCallersOwnNumberIsShownAndABrowserHasNone() throws {
        let gateway = VirtualGateway()
        let (phone, browser) = (gateway.phone(), gateway.browser())
        let (callee, other) = (gateway.callee(), gateway.callee(of: "second"))
        phone.call("+15557778888")
        browser.call("second")
        gateway.run(for: .seconds(1))
        let invite = try #require(callee.invites.first)
        #expect(invite.hasPrefix("INVITE sip:+15557778888@192.0.2.200"))
        #expect(invite.contains("\r\nFrom: <sip:+14155552671@"))
        let anonymous = try #require(other.invites.first)
        #expect(anonymous.contains("anonymous.invalid"))
        #expect(anonymous.contains("\r\nMax-Forwards: 70\r\n"))
    }

    @Test(arguments: [("id", true), ("user;critical", true), ("header; ID", true), ("none", false), ("session", false)])
    func aWithheldNumberIsNotShown(_ privacy: String, _ isWithheld: Bool) throws {
        let gateway = VirtualGateway()
        let (phone, callee, other) = (gateway.phone(), gateway.callee(), gateway.callee(of: "second"))
        phone.inviteFields = ["P-Asserted-Identity: <sip:+14155552671@carrier.example>", "Privacy: \(privacy)"]
        phone.call("+15557778888")
        gateway.run(for: .milliseconds(100))
        let invite = try #require(callee.invites.first)
        #expect(invite.contains("+14155552671") == !isWithheld)
        #expect(invite.contains("\r\nFrom: \"Anonymous\" <sip:anonymous@anonymous.invalid>") == isWithheld)

        // The plan's own caller id says nothing of the caller.
        callee.reactions = [(.milliseconds(10), .refuse(503))]
        let next = gateway.phone()
        next.inviteFields = phone.inviteFields
        next.call("either")
        gateway.run(for: .seconds(1))
        #expect(try #require(other.invites.first).contains("\r\nFrom: <sip:+15559998888@"))
    }

    @Test func aBusyPartyIsNotCalledByAnotherTrunk() {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        let (first, second) = (gateway.callee(), gateway.callee(of: "second"))
        first.reactions = [(.milliseconds(10), .refuse(486))]
        phone.call("either")
        gateway.run(for: .seconds(1))
        #expect(phone.statuses == [100, 486])
        #expect(second.invites.isEmpty)
    }

    @Test func aTrunkThatSaysNothingIsUnreachable() {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        gateway.turn = .milliseconds(5)
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(40)) { phone.statuses.count > 1 })
        #expect(phone.statuses == [100, 502])
        #expect(gateway.core.figures.ended == [.unreachable: 1])
        EndOfCallTests.expectNothingLeft(gateway)
    }

    /// Without a guard the call would go round until every port is taken.
    @Test func aTrunkThatPointsAtTheGatewayItselfIsALoop() {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("+16665554444")
        gateway.run(for: .milliseconds(200))
        #expect(phone.statuses == [100, 482])
        #expect(gateway.core.figures.callsTotal == 1)
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aCalleeThatFallsSilentEndsTheCall() {
        let gateway = VirtualGateway()
        gateway.turn = .milliseconds(5)
        let (phone, callee) = (gateway.phone(), gateway.callee())
        phone.call(BridgeTests.number)
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered })
        callee.sendsMedia = false
        let silent = gateway.now
        #expect(gateway.run(for: .seconds(90)) { phone.byeAt != nil })
        #expect(gateway.now - silent >= .seconds(59) && gateway.now - silent <= .seconds(62))
        gateway.run(for: .milliseconds(50))
        #expect(callee.byeAt != nil)
        #expect(gateway.core.figures.ended == [.mediaTimeout: 1])
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func nobodyAnswersInTimeAndTheAgentTakesOver() {
        let gateway = VirtualGateway()
        let (phone, browser) = (gateway.phone(), gateway.browser())
        let callee = gateway.callee()
        callee.reactions = [(.milliseconds(10), .progress(180))]
        phone.call("office")
        gateway.run(for: .milliseconds(4800))
        #expect(callee.cancelledAt == nil)
        #expect(gateway.run(for: .seconds(1)) { phone.isAnswered })
        #expect(callee.cancelledAt != nil)
        #expect(gateway.agents.map(\.name) == ["standby"])
        #expect(phone.statuses == [100, 180, 200])
        gateway.run(for: .milliseconds(500))
        #expect(gateway.agent?.media.count ?? 0 > 15)

        // The same for a browser, whose ringing tone stops.
        browser.call("office")
        #expect(gateway.run(for: .seconds(7)) { browser.events == [.ringing, .connected] })
    }

    @Test func givingUpWhileItRingsCancels() {
        let gateway = VirtualGateway()
        let (phone, browser) = (gateway.phone(), gateway.browser())
        let (callee, other) = (gateway.callee(), gateway.callee(of: "second"))
        for callee in [callee, other] { callee.reactions = [(.milliseconds(10), .progress(180))] }
        phone.call(BridgeTests.number)
        browser.call("second")
        gateway.run(for: .seconds(1))
        phone.cancel()
        browser.hangUp()
        gateway.run(for: .milliseconds(100))
        #expect(callee.cancelledAt != nil && other.cancelledAt != nil)
        #expect(phone.statuses == [100, 180, 487])
        #expect(gateway.core.figures.ended == [.callerHangup: 2])
        #expect(gateway.core.figures.callsOut[CallOut(trunk: "carrier", result: "caller_hangup")] == 1)
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aWHIPCallerHearsWhyItFailed() throws {
        let gateway = VirtualGateway()
        let browser = gateway.browser(.init(hearsTones: true))
        let callee = gateway.callee()
        callee.reactions = [(.milliseconds(500), .refuse(486))]
        browser.call(BridgeTests.number)
        gateway.run(for: .milliseconds(520))
        let refused = gateway.now
        #expect(gateway.run(for: .seconds(5)) { browser.end != nil })
        #expect(gateway.now - refused >= .milliseconds(2900) && gateway.now - refused <= .milliseconds(3100))
        #expect(browser.end?.reason == .busy)
        #expect(browser.end?.sipStatus == 486)
        // Half a second of 425 Hz, half a second of silence, three times.
        let report = ToneMeter.analyse(browser.listener.sound(after: refused), rate: 48000, expectedHz: 425)
        #expect(abs(report.frequency - 425) < 1)
        #expect(report.gaps.count == 2)
        #expect(report.gaps.allSatisfy { abs($0.length - 500) < 25 })
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func hangingUpOnTheToneKeepsItsCause() {
        let gateway = VirtualGateway()
        let browser = gateway.browser(.init(hearsTones: true))
        let callee = gateway.callee()
        callee.reactions = [(.milliseconds(100), .refuse(486))]
        browser.call(BridgeTests.number)
        gateway.run(for: .seconds(1))
        browser.hangUp()
        gateway.run(for: .milliseconds(50))
        #expect(gateway.core.figures.ended == [.busy: 1])
        EndOfCallTests.expectNothingLeft(gateway)
    }
}
