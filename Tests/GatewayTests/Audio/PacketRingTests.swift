import TestKit
import Testing

@testable import Gateway

@Suite struct PacketRingTests {
    private func append(_ ring: PacketRing, _ number: Int, _ length: Int) -> Bool {
        [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: length).withUnsafeBytes {
            ring.append($0, position: Int64(number), samples: 960)
        }
    }

    /// Against a list, through many ends of the memory.
    @Test func itIsAListInOrder() {
        let ring = PacketRing(packets: 16, bytes: 1000)
        var generator = SeededGenerator(seed: 5)
        var model: [(number: Int, length: Int)] = []
        for number in 0..<5000 {
            let length = Int.random(in: 1...200, using: &generator)
            while !append(ring, number, length) {
                #expect(ring.count == 16 || model.map(\.length).reduce(0, +) > 600)
                ring.removeFirst()
                model.removeFirst()
            }
            model.append((number, length))
            if generator.happens(0.3) {
                ring.removeFirst()
                model.removeFirst()
            }
            let isSame = (0..<ring.count).allSatisfy { index in
                let packet = ring[index]
                return packet.position == Int64(model[index].number) && packet.payload.count == model[index].length
                    && packet.payload.allSatisfy { $0 == UInt8(truncatingIfNeeded: model[index].number) }
            }
            guard ring.count == model.count, ring.samples == model.count * 960, isSame else {
                Issue.record("packet \(number)")
                return
            }
        }
    }

    @Test func itGrowsWithWhatItHolds() {
        let ring = PacketRing(packets: 4, bytes: 64)
        for number in 0..<3 { #expect(append(ring, number, 16)) }
        ring.removeFirst()
        for number in 3..<100 where !append(ring, number, 16) {
            ring.grow()
            #expect(append(ring, number, 16))
        }
        #expect(ring.count == 99 && ring.first?.position == 1 && ring.last?.position == 99)
        #expect((0..<99).allSatisfy { ring[$0].payload.first == UInt8($0 + 1) })
        ring.removeAll()
        #expect(ring.first == nil && ring.samples == 0 && append(ring, 1, 64))
    }
}
