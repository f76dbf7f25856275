import NIOCore
import TestKit
import Testing

@testable import RTP

@Suite struct ReorderingTests {
    private func wait(_ listener: Listener) -> Double {
        Double(listener.statistics.reorderingWait.nanoseconds) / 1e6
    }

    /// A listener that has learned to wait: packet 2 came 25 ms after packet 3. The next packet is 4.
    private func patientListener() -> Listener {
        let listener = Listener()
        for index in [0, 1, 3] { listener.receive(.voice(index)) }
        listener.advance(milliseconds: 25)
        listener.receive(.voice(2))
        _ = listener.take()
        return listener
    }

    @Test func learnsFromALatePacketAndWaitsForTheNext() {
        let listener = patientListener()
        #expect(wait(listener) == 45)
        listener.receive(.voice(5))
        #expect(listener.take().isEmpty)
        #expect(listener.deadline == listener.now + .milliseconds(45))
        let arrival = listener.now
        listener.advance(milliseconds: 30)
        listener.receive(.voice(4))
        #expect(listener.take() == [.voice(4), .voice(5)])
        #expect(listener.arrivals.suffix(2) == [listener.now, arrival])
        #expect(listener.payloads.suffix(2) == [[0, 4], [0, 5]])
        #expect(listener.deadline == nil)
        #expect(listener.statistics.reordered == 1)
    }

    @Test func givesUpWhenTheWaitIsOver() {
        let listener = patientListener()
        listener.receive(.voice(5))
        listener.advance(milliseconds: 44)
        #expect(listener.take().isEmpty)
        listener.advance(milliseconds: 1)
        #expect(listener.take() == [.lost(count: 1, timestamp: 1_640, step: 160, next: [0, 5]), .voice(5)])
    }

    @Test func eachHoleHasItsOwnWait() {
        let listener = patientListener()
        listener.receive(.voice(5))
        listener.advance(milliseconds: 20)
        listener.receive(.voice(6))
        listener.advance(milliseconds: 20)
        listener.receive(.voice(8))
        #expect(listener.take().isEmpty)
        listener.advance(milliseconds: 5)
        #expect(
            listener.take() == [.lost(count: 1, timestamp: 1_640, step: 160, next: [0, 5]), .voice(5), .voice(6)])
        listener.advance(milliseconds: 39)
        #expect(listener.take().isEmpty)
        listener.advance(milliseconds: 1)
        #expect(listener.take() == [.lost(count: 1, timestamp: 1_000 + 7 * 160, step: 160, next: [0, 8]), .voice(8)])
    }

    @Test func ordersAShuffledBurst() {
        let listener = patientListener()
        for index in [9, 6, 8, 5, 7] { listener.receive(.voice(index)) }
        listener.receive(.voice(8))
        #expect(listener.take().isEmpty)
        #expect(listener.statistics.duplicates == 1)
        listener.receive(.voice(4))
        #expect(listener.take() == (4...9).map { .voice($0) })
    }

    @Test func neverHoldsMoreThanItHasRoomFor() {
        let listener = patientListener()
        for index in 5..<(5 + HoldBuffer.capacity) { listener.receive(.voice(index)) }
        #expect(listener.take().isEmpty)
        let last = 5 + HoldBuffer.capacity
        listener.receive(.voice(last))
        let heard = listener.take()
        #expect(heard.first == .lost(count: 1, timestamp: 1_640, step: 160, next: [0, 5]))
        #expect(heard.dropFirst() == (5...last).map { .voice($0) }[...])
        #expect(listener.payloads.suffix(HoldBuffer.capacity + 1).map { Int($0[1]) } == Array(5...last))
        #expect(listener.deadline == nil)
    }

    @Test func givesUpAHoleBeforeAPacketTooLargeToHold() {
        let listener = patientListener()
        listener.receive(.voice(5))
        var large = RTPPacket.voice(7)
        large.payload = [UInt8](repeating: 7, count: HoldBuffer.slotSize + 1)
        listener.receive(large)
        #expect(listener.take().map { if case .frame = $0 { true } else { false } } == [false, true, false, true])
        #expect(listener.payloads.last == large.payload)
    }

    @Test func whatIsTooLateTeachesNothing() {
        let listener = Listener()
        for index in [0, 1, 3] { listener.receive(.voice(index)) }
        listener.advance(milliseconds: 61)
        listener.receive(.voice(2))
        #expect(wait(listener) == 0)
        #expect(listener.statistics.late == 1)
    }

    @Test func neverWaitsLongerThan60Milliseconds() {
        let listener = Listener()
        for index in [0, 1, 3] { listener.receive(.voice(index)) }
        listener.advance(milliseconds: 59)
        listener.receive(.voice(2))
        #expect(wait(listener) == 60)
    }

    @Test func forgetsInSteps() {
        let listener = patientListener()
        var index = 4
        var seen: [Double] = []
        for _ in 0..<1_250 {
            listener.receive(.voice(index))
            index += 1
            listener.advance(milliseconds: 20)
            if seen.last != wait(listener) { seen.append(wait(listener)) }
        }
        #expect(seen == [45, 22.5, 11.25, 5.625, 0])
    }

    @Test func keepsWhatIsStillNeeded() {
        let listener = patientListener()
        var index = 4
        // Every half second a packet comes 1 ms after its successor.
        for turn in 0..<2_000 {
            if turn % 25 == 0 {
                listener.receive(.voice(index + 1))
                listener.advance(milliseconds: 1)
                listener.receive(.voice(index))
                index += 2
                listener.advance(milliseconds: 39)
            } else {
                listener.receive(.voice(index))
                index += 1
                listener.advance(milliseconds: 20)
            }
        }
        // 45 ms are no longer needed, 21 ms are.
        #expect(wait(listener) > 20)
        #expect(wait(listener) < 25)
        #expect(listener.statistics.late == 1)
    }

    /// The trace of the issue: 10 s of order, then packets that the network delays by 30 ms, then order again.
    @Test(arguments: [UInt64(1), 2, 3, 4])
    func followsATraceWithReordering(seed: UInt64) {
        let listener = Listener()
        var network = LossyNetwork<RTPPacket>(seed: seed)
        network.delay = .milliseconds(40)
        let start = listener.now
        var waits: [(second: Double, wait: Double)] = []
        for index in 0..<3_500 {
            let time = start + .milliseconds(Int64(index) * 20)
            network.reordering = (500..<1_500).contains(index) ? 0.1 : 0
            network.send(.voice(index), now: time)
            while let deadline = network.deadline, deadline <= time {
                listener.advance(milliseconds: Double((deadline - listener.now).nanoseconds) / 1e6)
                while let arrival = network.receive(now: deadline) { listener.receive(arrival.datagram) }
            }
            waits.append((Double(index) * 0.02, wait(listener)))
        }
        #expect(waits.filter { $0.second < 10 }.allSatisfy { $0.wait == 0 })
        #expect(waits.filter { $0.second > 11 && $0.second < 30 }.allSatisfy { $0.wait >= 30 && $0.wait <= 60 })
        #expect(waits.filter { $0.second > 60 }.allSatisfy { $0.wait == 0 })
        #expect(network.reordered > 50)
        // Only those before the wait was learned are lost to their lateness.
        #expect(listener.statistics.late <= 2)
        #expect(listener.statistics.lost == 0)
        #expect(inOrder(listener.take()))
    }

    /// Everything at once: the engine keeps its promises of order, and its figures add up.
    @Test(arguments: [UInt64(11), 12, 13, 14, 15, 16])
    func keepsOrderOverABadNetwork(seed: UInt64) {
        let listener = Listener()
        var network = LossyNetwork<RTPPacket>(seed: seed)
        network.loss = .bursts(toBad: 0.02, toGood: 0.3, lossInGood: 0.005, lossInBad: 0.5)
        network.delay = .milliseconds(20)
        network.jitter = .milliseconds(35)
        network.jitterReorders = true
        network.duplication = 0.02
        network.reordering = 0.03
        let start = listener.now
        for index in 0..<10_000 {
            let time = start + .milliseconds(Int64(index) * 20)
            network.send(.voice(index), now: time)
            while let deadline = network.deadline, deadline <= time {
                listener.advance(milliseconds: Double((deadline - listener.now).nanoseconds) / 1e6)
                while let arrival = network.receive(now: deadline) { listener.receive(arrival.datagram) }
            }
        }
        listener.advance(milliseconds: 1_000)
        while let arrival = network.receive(now: listener.now) { listener.receive(arrival.datagram) }
        listener.advance(milliseconds: 1_000)
        let statistics = listener.statistics
        let heard = listener.take()
        #expect(inOrder(heard))
        #expect(network.lost > 100 && network.duplicated > 50)
        let frames = heard.count { if case .frame = $0 { true } else { false } }
        let lost = heard.reduce(0) { if case .lost(let count, _, _, _) = $1 { $0 + count } else { $0 } }
        #expect(frames == 10_000 - network.lost - statistics.late)
        #expect(abs(statistics.lost - network.lost) <= 2)
        #expect(statistics.duplicates == network.duplicated)
        #expect(lost == statistics.concealable)
        // Frames and concealment together leave no time uncovered, up to what was lost at the ends.
        #expect((9_996...10_000).contains(frames + lost))
        // Waiting pays: packets were saved, and far fewer came in vain.
        #expect(statistics.reordered > 100)
        #expect(statistics.late < statistics.reordered / 10)
    }

    /// Frames and losses follow each other without overlap, each loss directly before its frame.
    private func inOrder(_ heard: [Heard]) -> Bool {
        var expected: Int64?
        var pending: Int64?
        for event in heard {
            switch event {
            case .frame(_, let timestamp, _):
                if let pending, pending != timestamp { return false }
                if pending == nil, let expected, expected != timestamp { return false }
                pending = nil
                expected = timestamp + 160
            case .lost(let count, let timestamp, let step, _):
                guard timestamp == expected, step == 160, pending == nil else { return false }
                pending = timestamp + Int64(count) * step
            default:
                return false
            }
        }
        return pending == nil
    }
}
