import NIOCore
import Testing
@testable import Gateway

@Suite struct WHIPSessionTableTests {
    let start = NIODeadline.uptimeNanoseconds(9_000_000_000)
    let call = FakeBrowserCalls.call(1)
    let session = WHIPSessionTable.Session(entityTag: "\"a\"", browserUfrags: ["b"])

    @Test func endIsToldForAMinute() {
        var table = WHIPSessionTable()
        let ticket = table.begin(now: start)
        #expect(table.find(call, now: start) == .unknown)
        table.taken(ticket, as: call, session: session, now: start)
        #expect(table.find(call, now: start) == .running(session))
        table.ended(ticket, CallEnd(.busy), now: start + .seconds(100))
        #expect(table.find(call, now: start + .milliseconds(159_999)) == .ended(CallEnd(.busy)))
        #expect(table.find(call, now: start + .seconds(160)) == .unknown)
        #expect(table.count == 0)
    }

    @Test func endBeforeTheIdentifierIsKept() {
        var table = WHIPSessionTable()
        let ticket = table.begin(now: start)
        table.ended(ticket, CallEnd(.agentUnavailable), now: start)
        table.taken(ticket, as: call, session: session, now: start)
        #expect(table.find(call, now: start) == .ended(CallEnd(.agentUnavailable)))
    }

    @Test func refusedOfferLeavesNothing() {
        var table = WHIPSessionTable()
        table.refused(table.begin(now: start))
        #expect(table.count == 0)
    }

    @Test func hangUpIsOverAtOnceAndTheRealEndWins() {
        var table = WHIPSessionTable()
        let ticket = table.begin(now: start)
        table.taken(ticket, as: call, session: session, now: start)
        table.hungUp(call, now: start)
        #expect(table.find(call, now: start) == .ended(CallEnd(.callerHangup)))
        table.ended(ticket, CallEnd(.agentHangup), now: start + .seconds(1))
        #expect(table.find(call, now: start + .seconds(1)) == .ended(CallEnd(.agentHangup)))
        #expect(table.find(call, now: start + .seconds(60)) == .unknown)
    }

    @Test func restartChangesTheSession() {
        var table = WHIPSessionTable()
        let ticket = table.begin(now: start)
        table.taken(ticket, as: call, session: session, now: start)
        let other = WHIPSessionTable.Session(entityTag: "\"c\"", browserUfrags: ["d"])
        table.restarted(call, session: other)
        #expect(table.find(call, now: start) == .running(other))
    }

    @Test func endedSessionsAreBounded() {
        var table = WHIPSessionTable()
        for number in 0..<UInt64(WHIPSessionTable.endedLimit + 10) {
            let ticket = table.begin(now: start)
            table.taken(ticket, as: FakeBrowserCalls.call(number), session: session, now: start)
            table.ended(ticket, CallEnd(.busy), now: start)
        }
        #expect(table.count == WHIPSessionTable.endedLimit)
        #expect(table.find(FakeBrowserCalls.call(9), now: start) == .unknown)
        #expect(table.find(FakeBrowserCalls.call(10), now: start) == .ended(CallEnd(.busy)))
    }
}
