import NIOCore
import Testing

@testable import SIPStack

@Suite struct NonInviteServerTransactionTests {
    private let start = NIODeadline.uptimeNanoseconds(0)

    @Test func timerJKeepsTheResponse() {
        var transaction = NonInviteServerTransaction(isReliable: false, timers: SIPTimers())
        var out: [TransactionOutput] = []
        transaction.receiveRequest(into: &out)
        #expect(out.isEmpty && transaction.deadline == nil)
        transaction.respond([200], status: 200, now: start, into: &out)
        transaction.receiveRequest(into: &out)
        transaction.respond([201], status: 500, now: start, into: &out)
        #expect(out == [.send([200]), .retransmit([200])])
        #expect(transaction.deadline == start + .seconds(32))
        transaction.expire(now: start + .milliseconds(31_999))
        #expect(!transaction.isTerminated)
        transaction.expire(now: start + .seconds(32))
        #expect(transaction.isTerminated)
    }

    @Test func timerJIsZeroOverTCP() {
        var transaction = NonInviteServerTransaction(isReliable: true, timers: SIPTimers())
        var out: [TransactionOutput] = []
        transaction.respond([200], status: 200, now: start, into: &out)
        #expect(out == [.send([200])])
        #expect(transaction.isTerminated)
    }

    @Test func provisionalResponsesAreRepeated() {
        var transaction = NonInviteServerTransaction(isReliable: false, timers: SIPTimers())
        var out: [TransactionOutput] = []
        transaction.respond([100], status: 100, now: start, into: &out)
        transaction.receiveRequest(into: &out)
        #expect(out == [.send([100]), .retransmit([100])])
        #expect(transaction.deadline == nil)
    }
}
