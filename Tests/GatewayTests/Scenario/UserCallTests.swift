import NIOCore
import RTCStack
import TestKit
import Testing

@testable import Gateway

/// Calls to users who are signed in at browsers.
@Suite struct UserCallTests {
    static let plan = """
        routes:
          - { name: sales, when: { to: sales }, do: [{ browser: alice, ring_seconds: 5 }, { agent: standby }] }
          - { name: alice, when: { to: alice }, do: [{ browser: alice }] }
          - { name: assistant, when: { to: assistant }, do: [{ agent: assistant }] }
        """

    static func ringing(_ to: String, browsers count: Int = 1, _ options: FakeBrowser.Options = .init()) -> (VirtualGateway, FakeTrunk, [FakeBrowser]) {
        let gateway = VirtualGateway(plan: plan)
        let phone = gateway.phone()
        let browsers = (0..<count).map { _ in gateway.browser(options) }
        for browser in browsers { browser.signIn(as: "alice") }
        phone.call(to)
        #expect(gateway.run(for: .seconds(1)) { phone.statuses.contains(180) })
        return (gateway, phone, browsers)
    }

    @Test func aPhoneAndAUserHearEachOther() throws {
        let (gateway, phone, browsers) = Self.ringing("sales", browsers: 2)
        gateway.run(for: .seconds(1))
        #expect(phone.statuses == [100, 180])
        let call = try #require(browsers[0].incoming)
        #expect(call.to == "sales" && !call.from.isEmpty && browsers[1].incoming == call)
        #expect(gateway.core.presentFigures().usersSignedIn == 2)
        browsers[0].accept()
        #expect(browsers[0].callID == call.invitation)
        // Answered only when the user can hear and be heard.
        #expect(phone.statuses == [100, 180] && browsers[0].events.isEmpty)
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered })
        #expect(browsers[0].events == [.connected] && browsers[0].isConnected && phone.statuses == [100, 180, 200])
        #expect(browsers[1].userEvents.last == .over(call.invitation, CallEnd(.transferred, detail: "The call was accepted at another browser.")))
        #expect(browsers[0].userEvents == [.incoming(call)])
        gateway.run(for: .milliseconds(500))
        BridgeTests.expectTones(gateway, phone.speaker, browsers[0].listener, limit: 41, snr: 20)
        BridgeTests.expectTones(gateway, browsers[0].speaker, phone.listener, limit: 41, snr: 20)
        AgentFailureTests.expectOneAxis(phone.listener)
        phone.hangUp()
        gateway.run(for: .milliseconds(100))
        #expect(browsers[0].end?.reason == .callerHangup)
        EndOfCallTests.expectNothingLeft(gateway)
        #expect(gateway.core.invitations.isEmpty)
        let record = try #require(gateway.log.records.first)
        #expect(record.steps.map(\.kind) == ["browser"] && record.steps.map(\.target) == ["alice"] && record.steps.map(\.outcome) == ["answered"])
        #expect(record.legs.map(\.kind) == [.trunk, .browser] && record.legs.map(\.name) == ["phone", "alice"])
        #expect(record.legs.map(\.codec) == ["PCMU", "opus"] && record.legs[1].packetsReceived > 100)
        #expect(gateway.core.figures.userCalls == ["answered": 1])
    }

    @Test func aWithheldNumberIsNotShown() throws {
        let gateway = VirtualGateway(plan: Self.plan)
        let (phone, browser) = (gateway.phone(), gateway.browser())
        browser.signIn(as: "alice")
        phone.inviteFields = ["Privacy: id"]
        phone.call("alice")
        gateway.run(for: .milliseconds(100))
        #expect(try #require(browser.incoming).from.isEmpty)
    }

    enum Goodbye: CaseIterable { case hangsUp, closes }

    @Test(arguments: Goodbye.allCases) func theUserHangsUp(_ how: Goodbye) {
        let (gateway, phone, browsers) = Self.ringing("sales")
        browsers[0].accept()
        #expect(gateway.run(for: .seconds(2)) { phone.isAnswered })
        switch how {
        case .hangsUp: browsers[0].hangUp()
        case .closes: browsers[0].close()
        }
        gateway.run(for: .milliseconds(200))
        #expect(phone.byeAt != nil && browsers[0].end?.reason == .calleeHangup)
        #expect(gateway.core.figures.ended == [.calleeHangup: 1])
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func twoBrowsersHearEachOtherAndTheCallerHearsItRing() throws {
        let gateway = VirtualGateway(plan: Self.plan)
        let (caller, user) = (gateway.browser(), gateway.browser())
        user.signIn(as: "alice")
        caller.call("alice", parameters: ["page": "shop"])
        gateway.run(for: .seconds(2))
        #expect(caller.events == [.ringing])
        SoundBothWaysTests.expectTone(caller.listener.sound, rate: 48000, hertz: 425, seconds: 1, snr: 20)
        #expect(user.incoming?.parameters == ["page": "shop"] && user.incoming?.from == "")
        user.accept()
        #expect(gateway.run(for: .seconds(2)) { caller.events.last == .connected })
        #expect(caller.events == [.ringing, .connected] && user.events == [.connected])
        gateway.run(for: .milliseconds(500))
        BridgeTests.expectTones(gateway, caller.speaker, user.listener, limit: 41, snr: 20)
        BridgeTests.expectTones(gateway, user.speaker, caller.listener, limit: 41, snr: 20)
        caller.hangUp()
        gateway.run(for: .milliseconds(100))
        #expect(user.end?.reason == .callerHangup)
        EndOfCallTests.expectNothingLeft(gateway)
        #expect(gateway.log.records.first?.legs.map(\.kind) == [.browser, .browser])
    }

    /// What signalling asks for goes to the leg of the browser that asks.
    @Test func aSessionSpeaksForItsOwnLeg() throws {
        let gateway = VirtualGateway(plan: Self.plan)
        let (caller, user) = (gateway.browser(), gateway.browser())
        user.signIn(as: "alice")
        caller.call("alice")
        user.accept()
        #expect(gateway.run(for: .seconds(2)) { caller.events.last == .connected })
        let (call, invitation) = (try #require(caller.callID), try #require(user.callID))
        #expect(call != invitation)
        for (session, browser, isCallee) in [(call, caller, false), (invitation, user, true)] {
            let place = try #require(gateway.core.place(of: session))
            #expect(place.call == call && place.loop == 0 && place.isCallee == isCallee)
            let offer = try BrowserOffer(parsing: browser.offer)
            let answer = try #require(gateway.loops[0].reofferBrowserCall(place.call, isCallee: isCallee, offer: offer, now: gateway.now))
            #expect(browser.answer.contains("a=ice-ufrag:\(answer.iceUfrag)\r\n"))
        }
        caller.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
        #expect(gateway.core.place(of: call) == nil && gateway.core.place(of: invitation) == nil)
    }

    @Test(arguments: [(603, EndReason.rejected), (486, .busy), (480, .noAnswer)])
    func declined(_ status: Int, _ reason: EndReason) throws {
        let (gateway, phone, browsers) = Self.ringing("alice")
        browsers[0].decline(status)
        gateway.run(for: .milliseconds(100))
        #expect(phone.statuses == [100, 180, status])
        #expect(gateway.core.figures.ended == [reason: 1] && gateway.core.figures.userCalls == [reason.rawValue: 1])
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aDeclinedCallGoesToTheNextStep() throws {
        let (gateway, phone, browsers) = Self.ringing("sales")
        browsers[0].decline()
        #expect(gateway.run(for: .seconds(1)) { phone.isAnswered })
        #expect(gateway.agent?.name == "standby")
        phone.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
        #expect(gateway.log.records.first?.steps.map(\.outcome) == ["rejected", "answered"])
    }

    @Test func aBusyBrowserSpeaksForItselfAndARefusalForAll() throws {
        let (gateway, phone, browsers) = Self.ringing("sales", browsers: 3)
        let call = try #require(browsers[0].incoming).invitation
        browsers[0].decline(486)
        gateway.run(for: .seconds(1))
        #expect(phone.statuses == [100, 180] && browsers[1].userEvents.count == 1)
        browsers[1].decline(603)
        gateway.run(for: .milliseconds(300))
        // Those that still rang are told; who declined need not be.
        #expect(browsers[2].userEvents.last == .over(call, CallEnd(.rejected, sipStatus: 603, detail: "The user declined the call.")))
        #expect(browsers[0].userEvents.count == 1 && browsers[1].userEvents.count == 1)
        #expect(gateway.agent?.name == "standby")
        phone.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func nobodyAcceptsInTime() throws {
        let (gateway, phone, browsers) = Self.ringing("sales")
        let call = try #require(browsers[0].incoming).invitation
        gateway.run(for: .milliseconds(4800))
        #expect(gateway.agents.isEmpty && browsers[0].userEvents.count == 1)
        gateway.run(for: .milliseconds(600))
        #expect(browsers[0].userEvents.last == .over(call, CallEnd(.noAnswer)))
        #expect(gateway.agent?.name == "standby" && phone.isAnswered)
        // Too late.
        browsers[0].accept()
        #expect(browsers[0].refusal?.httpStatus == 410)
        phone.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aUserWhoIsNotSignedInCannotBeReached() {
        let gateway = VirtualGateway(plan: Self.plan)
        let (phone, other, browser) = (gateway.phone(), gateway.phone(), gateway.browser())
        browser.signIn(as: "bob")
        phone.call("alice")
        other.call("sales")
        gateway.run(for: .seconds(1))
        #expect(phone.statuses == [100, 480] && browser.userEvents.isEmpty)
        #expect(other.isAnswered && gateway.agent?.name == "standby")
        #expect(gateway.core.figures.ended == [.unreachable: 1])
        other.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func theCallerGivesUp() throws {
        let (gateway, phone, browsers) = Self.ringing("sales", browsers: 2)
        let call = try #require(browsers[0].incoming).invitation
        phone.cancel()
        gateway.run(for: .milliseconds(300))
        #expect(phone.statuses == [100, 180, 487])
        for browser in browsers { #expect(browser.userEvents.last == .over(call, CallEnd(.callerHangup))) }
        EndOfCallTests.expectNothingLeft(gateway)
        #expect(gateway.core.figures.userCalls == ["caller_hangup": 1] && gateway.agents.isEmpty)
    }

    @Test func theLastBrowserGoesAwayWhileItRings() {
        let (gateway, phone, browsers) = Self.ringing("alice", browsers: 2)
        browsers[0].signOut()
        gateway.run(for: .milliseconds(300))
        #expect(phone.statuses == [100, 180])
        browsers[1].signOut()
        gateway.run(for: .milliseconds(300))
        #expect(phone.statuses == [100, 180, 480] && gateway.core.presentFigures().usersSignedIn == 0)
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aBrowserThatCannotBeHeardIsFollowedByTheNextStep() {
        let wrong = DTLSFingerprint(hash: "sha-256", bytes: Array(repeating: 7, count: 32))
        let (gateway, phone, browsers) = Self.ringing("sales", .init(announcedFingerprint: wrong))
        // What is no offer leaves the call ringing.
        browsers[0].accept(sdp: "v=0")
        #expect(browsers[0].refusal?.httpStatus == 400)
        browsers[0].accept()
        #expect(gateway.run(for: .seconds(5)) { phone.isAnswered })
        #expect(gateway.agent?.name == "standby" && browsers[0].end?.reason == .unreachable)
        phone.hangUp()
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func aUserWhoHangsUpBeforeTheAnswerHasDeclined() {
        let (gateway, phone, browsers) = Self.ringing("alice")
        browsers[0].accept()
        browsers[0].hangUp()
        gateway.run(for: .milliseconds(300))
        #expect(phone.statuses == [100, 180, 603] && browsers[0].end?.reason == .rejected)
        EndOfCallTests.expectNothingLeft(gateway)
    }

    @Test func theCallerGivesUpWhileTheMediaIsMade() {
        let (gateway, phone, browsers) = Self.ringing("alice")
        browsers[0].accept()
        phone.cancel()
        gateway.run(for: .milliseconds(300))
        #expect(phone.statuses == [100, 180, 487] && browsers[0].end?.reason == .callerHangup)
        EndOfCallTests.expectNothingLeft(gateway)
    }
}
