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
        replay.frames(from: 0) { frame, place, _, _ in
            #expect(frame[0] == Int16(place / 160) && frame[159] == frame[0])
            places.append(place)
        }
        #expect(places == stride(from: 8000, to: 48_000, by: 160).map { $0 })
        places = []
        replay.frames(from: 47_700) { _, place, _, _ in places.append(place) }
        #expect(places == [47_680, 47_840])
        replay.frames(from: .max) { _, _, _, _ in Issue.record("nothing stands there") }
    }

    @Test func aFrameIsSaidAgainWithItsFlags() {
        let replay = TandemReplay(rate: 8000)
        for frame in 0..<10 { [Int16](repeating: 1, count: 160).withUnsafeBufferPointer { replay.keep($0, flags: frame == 7 ? 4 : 0) } }
        var flags: [UInt8] = []
        replay.frames(from: 800) { _, _, kept, _ in flags.append(kept) }
        #expect(flags == [0, 0, 4, 0, 0])
    }

    @Test func theLastFiveSecondsOfPacketsAreKept() {
        let replay = TandemReplay(rate: 48_000, holdsPackets: true)
        // Half a second of silence after the 200th packet.
        var position: Int64 = 0
        for number in 0..<400 {
            if number == 200 { position += 24_000 }
            [UInt8](repeating: UInt8(number & 0xFF), count: 1 + number % 90).withUnsafeBytes {
                replay.keep(CallerPacket(payload: $0, position: position, samples: 960, isAfterGap: number == 200))
            }
            position += 960
        }
        #expect(replay.end == position && position - replay.start == 240_000)
        var said: [(position: Int64, isAfterGap: Bool)] = []
        replay.packets(from: 0) { packet in
            let number = packet.position < 192_000 ? packet.position / 960 : (packet.position - 24_000) / 960
            #expect(packet.payload.count == 1 + number % 90 && packet.payload.allSatisfy { $0 == UInt8(number & 0xFF) })
            said.append((packet.position, packet.isAfterGap))
        }
        #expect(said.first?.position == replay.start && said.last?.position == position - 960)
        // What is missing before the first one, and the silence.
        #expect(said.filter(\.isAfterGap).map(\.position) == [replay.start, 216_000])
        said = []
        replay.packets(from: position - 1000) { said.append(($0.position, $0.isAfterGap)) }
        #expect(said.map(\.position) == [position - 1920, position - 960] && said.allSatisfy { !$0.isAfterGap })
    }

    @Test func theLastEventsAreKept() {
        let replay = TandemReplay(rate: 8000)
        for seq in 1...300 { replay.keep(event: ByteBuffer(string: "\(seq)"), seq: Int64(seq)) }
        #expect(replay.events(after: 298).map { String(buffer: $0) } == ["299", "300"])
        #expect(replay.events(after: 0).count == TandemReplay.mostEvents)
    }
}
