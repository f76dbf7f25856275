import NIOCore
import Testing

@testable import Gateway

@Suite struct TandemReplayTests {
    @Test func theLastFiveSecondsAreKept() {
        let replay = TandemReplay(rate: 8000)
        for frame in 0..<300 {
            [Int16](repeating: Int16(frame), count: 160).withUnsafeBufferPointer { replay.keep($0) }
        }
        #expect(replay.end == 48_000 && replay.start == 8000)
        var places: [Int64] = []
        replay.frames(from: 0) { frame, _, place in
            #expect(frame[0] == Int16(place / 160) && frame[159] == frame[0])
            places.append(place)
        }
        #expect(places == stride(from: 8000, to: 48_000, by: 160).map { $0 })
        places = []
        replay.frames(from: 47_700) { _, _, place in places.append(place) }
        #expect(places == [47_680, 47_840])
        replay.frames(from: .max) { _, _, _ in Issue.record("nothing stands there") }
    }

    @Test func theLastEventsAreKept() {
        let replay = TandemReplay(rate: 8000)
        for seq in 1...300 { replay.keep(event: ByteBuffer(string: "\(seq)"), seq: Int64(seq)) }
        #expect(replay.events(after: 298).map { String(buffer: $0) } == ["299", "300"])
        #expect(replay.events(after: 0).count == TandemReplay.mostEvents)
    }
}
