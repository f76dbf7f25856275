import NIOCore
import Testing

@testable import SIPStack

@Suite struct NonInviteClientTransactionTests {
    private let start = NIODeadline.uptimeNanoseconds(0)
    private let request: [UInt8] = [7]

    private func make(isReliable: Bool = false) -> NonInviteClientTransaction {
        var out: [TransactionOutput] = []
        let transaction = NonInviteClientTransaction(request: request, isReliable: isReliable, timers: SIPTimers(), now: start, into: &out)
        #expect(out == [.send(request)])
        return transaction
    }

    private func run(_ transaction: inout NonInviteClientTransaction) -> (repeats: [Int64], end: Int64?, timedOut: Bool) {
        var repeats: [Int64] = []
        var timedOut = false
        while let deadline = transaction.deadline {
            var out: [TransactionOutput] = []
            transaction.expire(now: deadline, into: &out)
            let at = (deadline - start).nanoseconds / 1_000_000
            if out.contains(.retransmit(request)) { repeats.append(at) }
            if out.contains(.timedOut) { timedOut = true }
            if transaction.isTerminated { return (repeats, at, timedOut) }
        }
        return (repeats, nil, timedOut)
    }

    @Test func timerEDoublesToT2AndTimerFGivesUp() {
        var transaction = make()
        let result = run(&transaction)
        #expect(result.repeats == [500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500])
        #expect(result.end == 32_000)
        #expect(result.timedOut)
    }

    @Test func timerERunsAtT2AfterAProvisionalResponse() {
        var transaction = make()
        var out: [TransactionOutput] = []
        transaction.receive(status: 100, now: start + .milliseconds(100), into: &out)
        #expect(out == [.response(status: 100)])
        let result = run(&transaction)
        #expect(result.repeats == [500, 4_500, 8_500, 12_500, 16_500, 20_500, 24_500, 28_500])
        #expect(result.timedOut)
    }

    @Test func timerKAbsorbsRepeatedResponses() {
        var transaction = make()
        var out: [TransactionOutput] = []
        for _ in 0..<3 { transaction.receive(status: 200, now: start + .seconds(1), into: &out) }
        #expect(out == [.response(status: 200)])
        let result = run(&transaction)
        #expect(result.end == 6_000 && result.repeats.isEmpty && !result.timedOut)
    }

    @Test func overTCPThereIsNothingToRepeatOrAbsorb() {
        var silent = make(isReliable: true)
        let result = run(&silent)
        #expect(result.repeats.isEmpty && result.end == 32_000)
        var answered = make(isReliable: true)
        var out: [TransactionOutput] = []
        answered.receive(status: 481, now: start, into: &out)
        #expect(answered.isTerminated)
    }
}
