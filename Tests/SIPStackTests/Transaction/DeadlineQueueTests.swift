import NIOCore
import Testing

@testable import SIPStack

@Suite struct DeadlineQueueTests {
    private func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(UInt64(seconds) * 1_000_000_000) }

    @Test func deadlinesComeInOrderAndOnce() {
        var queue = DeadlineQueue<Int>()
        for owner in [5, 3, 9, 1] { queue.schedule(owner, at: at(Int64(owner))) }
        queue.schedule(3, at: at(7))
        queue.schedule(9, at: nil)
        #expect(queue.next == at(1) && queue.count == 3)
        #expect(queue.popDue(now: at(6)) == 1)
        #expect(queue.popDue(now: at(6)) == 5)
        #expect(queue.popDue(now: at(6)) == nil)
        #expect(queue.popDue(now: at(7)) == 3)
        #expect(queue.next == nil && queue.count == 0)
    }

    @Test func randomOperationsAgreeWithASortedList() {
        var random = SplitMix(4)
        var queue = DeadlineQueue<Int>()
        var model: [Int: Int64] = [:]
        for _ in 0..<5_000 {
            let owner = Int(random.next() % 50)
            if random.next() % 4 == 0 {
                queue.schedule(owner, at: nil)
                model[owner] = nil
            } else {
                let time = Int64(random.next() % 1_000)
                queue.schedule(owner, at: at(time))
                model[owner] = time
            }
            #expect(queue.next == model.values.min().map(at))
            if random.next() % 8 == 0, let first = model.values.min() {
                let owner = queue.popDue(now: at(first))
                #expect(owner.map { model[$0] == first } == true)
                if let owner { model[owner] = nil }
            }
        }
        #expect(queue.count == model.count)
    }
}
