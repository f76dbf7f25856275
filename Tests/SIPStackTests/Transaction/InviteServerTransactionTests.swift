import NIOCore
import Testing

@testable import SIPStack

@Suite struct InviteServerTransactionTests {
    private let timers = SIPTimers()
    private let start = NIODeadline.uptimeNanoseconds(0)
    private let response: [UInt8] = [1]

    /// Milliseconds at which the transaction repeats its response, and when it ends.
    private func run(_ transaction: inout InviteServerTransaction, until limit: Int64 = 100_000) -> (repeats: [Int64], end: Int64?, timedOut: Bool) {
        var repeats: [Int64] = []
        var timedOut = false
        while let deadline = transaction.deadline, (deadline - start).nanoseconds <= limit * 1_000_000 {
            var out: [TransactionOutput] = []
            transaction.expire(now: deadline, into: &out)
            let at = (deadline - start).nanoseconds / 1_000_000
            if out.contains(.retransmit(response)) { repeats.append(at) }
            if out.contains(.timedOut) { timedOut = true }
            if transaction.isTerminated { return (repeats, at, timedOut) }
        }
        return (repeats, nil, timedOut)
    }

    private func refused(isReliable: Bool) -> InviteServerTransaction {
        var transaction = InviteServerTransaction(isReliable: isReliable, timers: timers)
        var out: [TransactionOutput] = []
        transaction.respond(response, status: 486, now: start, into: &out)
        #expect(out == [.send(response)])
        return transaction
    }

    @Test func timerGDoublesToT2AndTimerHGivesUp() {
        var transaction = refused(isReliable: false)
        let result = run(&transaction)
        #expect(result.repeats == [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500])
        #expect(result.end == 32_000)
        #expect(result.timedOut)
    }

    @Test func reliableTransportsRepeatNothing() {
        var transaction = refused(isReliable: true)
        let result = run(&transaction)
        #expect(result.repeats.isEmpty)
        #expect(result.end == 32_000)
    }

    @Test func timerIAbsorbsTheAcknowledgement() {
        var transaction = refused(isReliable: false)
        var out: [TransactionOutput] = []
        transaction.receiveAcknowledgement(now: start + .seconds(1), into: &out)
        transaction.receiveAcknowledgement(now: start + .seconds(2), into: &out)
        transaction.receiveInvite(into: &out)
        #expect(out.isEmpty)
        let result = run(&transaction)
        #expect(result.repeats.isEmpty && !result.timedOut)
        #expect(result.end == 6_000)
    }

    @Test func timerIIsZeroOverTCP() {
        var transaction = refused(isReliable: true)
        var out: [TransactionOutput] = []
        transaction.receiveAcknowledgement(now: start, into: &out)
        #expect(transaction.isTerminated)
    }

    @Test func theAcceptedStateAbsorbsInvitesAndPassesAcknowledgements() {
        var transaction = InviteServerTransaction(isReliable: false, timers: timers)
        var out: [TransactionOutput] = []
        transaction.respond(response, status: 200, now: start, into: &out)
        out = []
        transaction.receiveInvite(into: &out)
        #expect(out.isEmpty, "the dialog repeats the 2xx, not the transaction")
        transaction.receiveAcknowledgement(now: start, into: &out)
        #expect(out == [.acknowledgement])
        let result = run(&transaction)
        #expect(result.repeats.isEmpty)
        #expect(result.end == 32_000, "timer L")
    }

    @Test func repetitionsGetTheLastProvisionalResponse() {
        var transaction = InviteServerTransaction(isReliable: false, timers: timers)
        var out: [TransactionOutput] = []
        transaction.receiveInvite(into: &out)
        #expect(out.isEmpty)
        transaction.respond([100], status: 100, now: start, into: &out)
        transaction.respond([180], status: 180, now: start, into: &out)
        out = []
        transaction.receiveInvite(into: &out)
        #expect(out == [.retransmit([180])])
        #expect(transaction.deadline == nil)
    }

    @Test func nothingFollowsAFinalResponse() {
        var transaction = refused(isReliable: false)
        var out: [TransactionOutput] = []
        transaction.respond([2], status: 200, now: start, into: &out)
        transaction.respond([3], status: 180, now: start, into: &out)
        #expect(out.isEmpty)
        transaction.receiveInvite(into: &out)
        #expect(out == [.retransmit(response)])
    }
}
