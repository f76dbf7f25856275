import NIOCore
import TestKit
import Testing

@testable import Gateway

/// However a call ends, its end is told to everybody and nothing is left of it.
@Suite struct EndOfCallTests {
    static func expectNothingLeft(_ gateway: VirtualGateway, sourceLocation: SourceLocation = #_sourceLocation) {
        // Longer than 64*T1, in which SIP remembers transactions.
        gateway.turn = .milliseconds(10)
        gateway.run(for: .seconds(40))
        #expect(gateway.leftovers == [], sourceLocation: sourceLocation)
        #expect(gateway.endpoint.deadline == nil, sourceLocation: sourceLocation)
    }

    @Test func cancelWhileRinging() {
        let gateway = VirtualGateway()
        gateway.prepareAgent = { $0.answer = .never }
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        #expect(phone.statuses == [100, 180])
        phone.cancel()
        gateway.run(for: .seconds(1))
        #expect(phone.statuses == [100, 180, 487])
        #expect(phone.otherStatuses.map(\.method) == ["CANCEL"])
        #expect(gateway.agent?.closeCode == 1000)
        #expect(gateway.core.figures.ended == [.callerHangup: 1])
        Self.expectNothingLeft(gateway)
        #expect(gateway.log.records.map(\.sipCode) == [487])
    }

    /// Nobody knows where the sound is to go, and silence is no sign that the phone is gone: the call would never end.
    @Test func aPhoneThatNeverAnswersOurOffer() {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        (phone.offersLate, phone.answersLate) = (true, false)
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        #expect(phone.isAnswered && phone.byeReason?.hasPrefix("SIP;cause=488;") == true)
        #expect(gateway.core.figures.ended == [.failed: 1])
        Self.expectNothingLeft(gateway)
    }

    @Test func browserHangsUpWhileRinging() {
        let gateway = VirtualGateway()
        gateway.prepareAgent = { $0.answer = .never }
        let browser = gateway.browser()
        browser.call("assistant")
        gateway.run(for: .seconds(1))
        browser.hangUp()
        gateway.run(for: .seconds(1))
        #expect(gateway.agent?.closeCode == 1000)
        Self.expectNothingLeft(gateway)
    }

    @Test func aPhoneHangsUp() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        let agent = try #require(gateway.agent)
        phone.hangUp()
        gateway.run(for: .milliseconds(5))
        #expect(agent.events.last == "stop")
        #expect(agent.closeCode == nil)
        gateway.run(for: .milliseconds(300))
        // The agent got a moment to close by itself.
        #expect(agent.closeCode == 1000)
        #expect(agent.events.count { $0 == "stop" } == 1)
        #expect(phone.otherStatuses.map(\.status) == [200])
        #expect(phone.byeAt == nil)
        Self.expectNothingLeft(gateway)
        // Its INVITE was answered.
        #expect(gateway.log.records.map(\.sipCode) == [200])
    }

    @Test func anAgentMayCloseAfterStopByItself() throws {
        let gateway = VirtualGateway()
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        let agent = try #require(gateway.agent)
        phone.hangUp()
        gateway.run(for: .milliseconds(50))
        agent.hangUp(code: 1000)
        gateway.run(for: .milliseconds(10))
        #expect(gateway.core.entries.isEmpty)
        #expect(gateway.core.figures.ended == [.callerHangup: 1])
        Self.expectNothingLeft(gateway)
    }

    @Test func aBrowserHangsUp() throws {
        let gateway = VirtualGateway()
        let browser = gateway.browser()
        browser.call("assistant")
        gateway.run(for: .seconds(1))
        browser.hangUp()
        gateway.run(for: .milliseconds(5))
        #expect(gateway.agent?.events.last == "stop")
        #expect(browser.transportEvents.contains(.closed))
        Self.expectNothingLeft(gateway)
    }

    @Test func aTabIsClosed() throws {
        let gateway = VirtualGateway()
        let browser = gateway.browser()
        browser.call("assistant")
        gateway.run(for: .seconds(1))
        browser.close()
        gateway.run(for: .milliseconds(5))
        #expect(gateway.agent?.events.last == "stop")
        #expect(browser.end?.reason == .callerHangup)
        Self.expectNothingLeft(gateway)
    }

    @Test func aBrowserThatVanishesIsGivenThirtySeconds() {
        let gateway = VirtualGateway()
        let browser = gateway.browser()
        browser.call("assistant")
        gateway.run(for: .seconds(1))
        browser.isStalled = true
        let vanished = gateway.now
        #expect(gateway.run(for: .seconds(40)) { browser.end != nil })
        #expect(gateway.now - vanished >= .seconds(29) && gateway.now - vanished <= .seconds(32))
        #expect(browser.end?.reason == .connectionLost)
        Self.expectNothingLeft(gateway)
    }

    @Test func aPhoneThatFallsSilentIsGivenAMinute() {
        let gateway = VirtualGateway()
        gateway.turn = .milliseconds(5)
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        phone.sendsMedia = false
        let silent = gateway.now
        #expect(gateway.run(for: .seconds(90)) { phone.byeAt != nil })
        #expect(gateway.now - silent >= .seconds(59) && gateway.now - silent <= .seconds(62))
        Self.expectNothingLeft(gateway)
        #expect(gateway.core.figures.ended == [.mediaTimeout: 1])
    }

    @Test func aPhoneMayHoldInSilence() {
        let gateway = VirtualGateway()
        gateway.turn = .milliseconds(10)
        let phone = gateway.phone()
        phone.call("assistant")
        gateway.run(for: .seconds(1))
        (phone.sendsMedia, phone.direction) = (false, "sendonly")
        phone.reinvite()
        gateway.run(for: .seconds(65))
        #expect(phone.byeAt == nil && phone.answeredDirection == "a=recvonly")
    }

    @Test func aNeverAcknowledgedAnswerEndsTheCall() {
        let gateway = VirtualGateway()
        gateway.turn = .milliseconds(5)
        let phone = gateway.phone()
        phone.acknowledges = false
        phone.call("assistant")
        #expect(gateway.run(for: .seconds(40)) { phone.byeAt != nil })
        #expect(phone.retransmittedAnswers >= 7)
        #expect(gateway.agent?.events.last == "stop")
        Self.expectNothingLeft(gateway)
        #expect(gateway.core.figures.ended == [.connectionLost: 1])
    }

    @Test func refusalsLeaveNothing() {
        let gateway = VirtualGateway()
        let (phone, browser) = (gateway.phone(), gateway.browser())
        phone.call("nobody")
        browser.call("nobody")
        gateway.run(for: .seconds(1))
        #expect(phone.statuses == [100, 404])
        #expect(browser.refusal?.httpStatus == 404)
        Self.expectNothingLeft(gateway)
    }

    @Test func everythingAtOnceAndTheDrain() {
        let gateway = VirtualGateway(loops: 2)
        let phones = (0..<8).map { _ in gateway.phone() }
        let browsers = (0..<8).map { _ in gateway.browser() }
        for (index, phone) in phones.enumerated() { phone.call(["assistant", "parrot", "echo", "spare"][index % 4]) }
        for (index, browser) in browsers.enumerated() { browser.call(["assistant", "parrot", "echo", "spare"][index % 4]) }
        gateway.run(for: .seconds(2))
        #expect(phones.allSatisfy { $0.isAnswered })
        #expect(browsers.allSatisfy { $0.events == [.ringing, .connected] })
        #expect(gateway.core.figures.calls == 16)
        #expect(gateway.loops.map { $0.calls.count } == [8, 8])

        let drained = Flag()
        gateway.post(.drain(finished: { drained.isSet = true }))
        let (late, lateBrowser) = (gateway.phone(), gateway.browser())
        late.call("assistant")
        lateBrowser.call("assistant")
        gateway.run(for: .milliseconds(100))
        #expect(late.statuses == [100, 503])
        #expect(gateway.signalling.last { $0.hasPrefix("SIP/2.0 503") }?.contains("Retry-After: ") == true)
        #expect(lateBrowser.refusal?.httpStatus == 503)

        for phone in phones.prefix(4) { phone.hangUp() }
        for browser in browsers.prefix(4) { browser.hangUp() }
        gateway.run(for: .seconds(1))
        #expect(!drained.isSet)
        gateway.post(.endAll(.draining))
        gateway.run(for: .seconds(1))
        #expect(drained.isSet)
        #expect(phones.suffix(4).allSatisfy { $0.byeAt != nil })
        #expect(browsers.suffix(4).allSatisfy { $0.end?.reason == .draining })
        Self.expectNothingLeft(gateway)
    }

    private final class Flag: @unchecked Sendable {
        var isSet = false
    }
}
