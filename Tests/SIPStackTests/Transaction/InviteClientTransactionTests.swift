import NIOCore
import Testing

@testable import SIPStack

@Suite struct InviteClientTransactionTests {
    private let start = NIODeadline.uptimeNanoseconds(0)
    private let request: [UInt8] = [7]

    private func make(isReliable: Bool = false) -> InviteClientTransaction {
        var out: [TransactionOutput] = []
        let transaction = InviteClientTransaction(request: request, isReliable: isReliable, timers: SIPTimers(), now: start, into: &out)
        #expect(out == [.send(request)])
        return transaction
    }

    private func run(_ transaction: inout InviteClientTransaction) -> (repeats: [Int64], end: Int64?, timedOut: Bool) {
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

    @Test func timerADoublesWithoutCeilingAndTimerBGivesUp() {
        var transaction = make()
        let result = run(&transaction)
        #expect(result.repeats == [500, 1_500, 3_500, 7_500, 15_500, 31_500])
        #expect(result.end == 32_000)
        #expect(result.timedOut)
    }

    @Test func reliableTransportsRepeatNothing() {
        var transaction = make(isReliable: true)
        let result = run(&transaction)
        #expect(result.repeats.isEmpty)
        #expect(result.end == 32_000)
        #expect(result.timedOut)
    }

    @Test func aProvisionalResponseEndsTheRepetitions() {
        var transaction = make()
        var out: [TransactionOutput] = []
        transaction.receive(status: 180, acknowledgement: { [9] }, now: start, into: &out)
        #expect(out == [.response(status: 180)])
        #expect(transaction.deadline == nil)
    }

    @Test func timerDAcknowledgesEveryRefusalAgain() {
        var transaction = make()
        var out: [TransactionOutput] = []
        var asked = 0
        for second in [1, 2, 3] {
            transaction.receive(
                status: 486,
                acknowledgement: {
                    asked += 1
                    return [9]
                }, now: start + .seconds(Int64(second)), into: &out)
        }
        #expect(out == [.send([9]), .response(status: 486), .retransmit([9]), .retransmit([9])])
        #expect(asked == 1)
        let result = run(&transaction)
        #expect(result.end == 33_000 && !result.timedOut)
    }

    @Test func timerDIsZeroOverTCP() {
        var transaction = make(isReliable: true)
        var out: [TransactionOutput] = []
        transaction.receive(status: 486, acknowledgement: { [9] }, now: start, into: &out)
        #expect(out == [.send([9]), .response(status: 486)])
        #expect(transaction.isTerminated)
    }

    @Test func timerMPassesEvery2xxOfEveryFork() {
        var transaction = make()
        var out: [TransactionOutput] = []
        for _ in 0..<3 { transaction.receive(status: 200, acknowledgement: { [9] }, now: start, into: &out) }
        transaction.receive(status: 486, acknowledgement: { [9] }, now: start, into: &out)
        #expect(out == [.response(status: 200), .response(status: 200), .response(status: 200)])
        let result = run(&transaction)
        #expect(result.end == 32_000 && !result.timedOut)
    }
}
