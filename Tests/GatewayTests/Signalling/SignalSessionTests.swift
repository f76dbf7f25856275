import NIOCore
import Testing
@testable import Gateway

@Suite struct SignalSessionTests {
    typealias Output = SignalSession.Output

    let call = FakeBrowserCalls.call(7)
    let start = NIODeadline.uptimeNanoseconds(5_000_000_000)

    var answer: BrowserCallAnswer { BrowserCallAnswer(call: call, sdp: "answer", iceUfrag: "u") }

    private func outputs(_ session: inout SignalSession, _ step: (inout SignalSession, inout [Output]) -> Void) -> [Output] {
        var out: [Output] = []
        step(&session, &out)
        return out
    }

    private func running() -> SignalSession {
        var session = SignalSession()
        var out: [Output] = []
        session.offered(.success(answer), into: &out)
        return session
    }

    @Test func takenCallTellsSessionThenAnswer() {
        var session = SignalSession()
        let out = outputs(&session) { $0.offered(.success(answer), into: &$1) }
        #expect(out == [.send(.session(id: call)), .send(.answer(sdp: "answer"))])
        #expect(session.deadline == nil)
    }

    @Test func whatHappensBeforeTheAnswerIsToldAfterIt() {
        var session = SignalSession()
        #expect(outputs(&session) { $0.observe(.ringing, into: &$1); $0.observe(.connected, into: &$1) }.isEmpty)
        let out = outputs(&session) { $0.offered(.success(answer), into: &$1) }
        #expect(out == [.send(.session(id: call)), .send(.answer(sdp: "answer")), .send(.ringing), .send(.connected)])
    }

    @Test func endBeforeTheAnswerEndsTheSessionAfterIt() {
        var session = SignalSession()
        _ = outputs(&session) { $0.receive(.mute(on: true), into: &$1); $0.observe(.ended(CallEnd(.busy)), into: &$1) }
        let out = outputs(&session) { $0.offered(.success(answer), into: &$1) }
        #expect(out == [.send(.session(id: call)), .send(.answer(sdp: "answer")), .send(.ended(CallEnd(.busy))), .over])
    }

    @Test func refusalIsAnErrorAndAnEnd() {
        var session = SignalSession()
        let refusal = BrowserCallRefusal(httpStatus: 404, end: CallEnd(.noRoute), detail: "Dial another.")
        let out = outputs(&session) { $0.offered(.failure(refusal), into: &$1) }
        #expect(out == [.send(.error(code: 404, detail: "Dial another.")), .send(.ended(CallEnd(.noRoute))), .over])
    }

    @Test func messagesBeforeTheAnswerAreKeptInOrder() {
        var session = SignalSession()
        let early = outputs(&session) { session, out in
            for message in [SignalRequest.dtmf(digits: "1"), .mute(on: true), .candidate, .hangup] { session.receive(message, into: &out) }
        }
        #expect(early.isEmpty)
        let out = outputs(&session) { $0.offered(.success(answer), into: &$1) }
        #expect(Array(out.dropFirst(2)) == [.press("1", call), .mute(true, call), .hangUp(call, .callerHangup)])
    }

    @Test func messagesBeforeTheAnswerAreBounded() {
        var session = SignalSession()
        let out = outputs(&session) { session, out in
            for _ in 0..<SignalSession.waitingLimit + 1 { session.receive(.dtmf(digits: "1"), into: &out) }
        }
        #expect(out.count == 1)
        guard case .send(.error(code: 429, _))? = out.first else { Issue.record("\(out)"); return }
    }

    @Test func nothingFollowsTheEnd() {
        var session = running()
        #expect(outputs(&session) { $0.observe(.ended(CallEnd(.agentHangup)), into: &$1) } == [.send(.ended(CallEnd(.agentHangup))), .over])
        let after = outputs(&session) { session, out in
            session.observe(.connected, into: &out)
            session.observe(.ended(CallEnd(.failed)), into: &out)
            session.receive(.hangup, into: &out)
            session.restarted(.success(answer), into: &out)
            session.attach(into: &out)
            session.detach(now: start)
            session.expire(now: start + .hours(1), into: &out)
        }
        #expect(after.isEmpty)
    }

    @Test func restartsAreAnsweredOneAfterAnother() {
        var session = running()
        #expect(outputs(&session) { $0.receive(.restart(sdp: "a"), into: &$1) } == [.restart(call, sdp: "a")])
        #expect(outputs(&session) { $0.receive(.restart(sdp: "b"), into: &$1) }.isEmpty)
        var other = answer
        other.sdp = "to a"
        #expect(outputs(&session) { $0.restarted(.success(other), into: &$1) } == [.send(.answer(sdp: "to a")), .restart(call, sdp: "b")])
        let refusal = BrowserCallRefusal(httpStatus: 400, end: CallEnd(.failed), detail: "No.")
        #expect(outputs(&session) { $0.restarted(.failure(refusal), into: &$1) } == [.send(.error(code: 400, detail: "No."))])
        #expect(outputs(&session) { $0.receive(.restart(sdp: "c"), into: &$1) } == [.restart(call, sdp: "c")])
    }

    @Test func lostSocketIsWaitedForThirtySeconds() {
        var session = running()
        session.detach(now: start)
        #expect(session.deadline == start + .seconds(30))
        #expect(outputs(&session) { $0.expire(now: start + .milliseconds(29_999), into: &$1) }.isEmpty)
        #expect(outputs(&session) { $0.expire(now: start + .seconds(30), into: &$1) } == [.hangUp(call, .connectionLost), .over])
        #expect(session.deadline == nil)
    }

    @Test func resumedSocketHearsWhatItMissed() {
        var session = running()
        session.detach(now: start)
        let missed = outputs(&session) { $0.observe(.ringing, into: &$1); $0.observe(.connected, into: &$1) }
        #expect(missed.isEmpty)
        #expect(outputs(&session) { $0.attach(into: &$1) } == [.send(.session(id: call)), .send(.ringing), .send(.connected)])
        #expect(session.deadline == nil)
        #expect(outputs(&session) { $0.receive(.dtmf(digits: "5"), into: &$1) } == [.press("5", call)])
        // Told once: a second loss repeats nothing.
        session.detach(now: start + .seconds(5))
        #expect(session.deadline == start + .seconds(35))
        #expect(outputs(&session) { $0.attach(into: &$1) } == [.send(.session(id: call))])
    }

    @Test func endIsKeptForALostSocket() {
        var session = running()
        session.detach(now: start)
        #expect(outputs(&session) { $0.observe(.ended(CallEnd(.calleeHangup)), into: &$1) }.isEmpty)
        #expect(outputs(&session) { $0.attach(into: &$1) } == [.send(.session(id: call)), .send(.ended(CallEnd(.calleeHangup))), .over])
    }

    @Test func endedCallIsNotHungUpAgain() {
        var session = running()
        session.detach(now: start)
        _ = outputs(&session) { $0.observe(.ended(CallEnd(.calleeHangup)), into: &$1) }
        #expect(outputs(&session) { $0.expire(now: start + .seconds(30), into: &$1) } == [.over])
    }

    @Test func takeoverOfALivingSocketRepeatsWhereTheCallStands() {
        var session = running()
        _ = outputs(&session) { $0.observe(.ringing, into: &$1); $0.observe(.connected, into: &$1) }
        #expect(outputs(&session) { $0.attach(into: &$1) } == [.send(.session(id: call)), .send(.connected)])
    }

    @Test func socketLostBeforeTheAnswerHangsUp() {
        var session = SignalSession()
        session.detach(now: start)
        #expect(session.deadline == nil)
        #expect(outputs(&session) { $0.offered(.success(answer), into: &$1) } == [.hangUp(call, .connectionLost), .over])
    }
}
