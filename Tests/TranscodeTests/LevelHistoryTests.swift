import Testing

@testable import Transcode

/// The marks that move give what counting all steps anew gives, in each of the four bands.
struct LevelHistoryTests {
    @Test(arguments: [UInt64(1), 2, 3])
    func isWhatCountingAnewGives(seed: UInt64) {
        var random = seed
        var history = LevelHistory(assuming: -55, weight: 50, quietShare: 0.1, middleShare: 0.5)
        var levels = [SIMD4<Float>](repeating: SIMD4(repeating: -55), count: 50)
        for step in 0..<1000 {
            // Long stretches of one loudness, and jumps between, up to both ends of the scale, in each band at another time.
            var level = SIMD4<Float>.zero
            for band in 0..<4 {
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let centre: Float = [-90, -20, -60, -40][(step / 170 + band) % 4]
                level[band] = min(0, max(-96, centre + Float(random >> 40) / Float(1 << 24) * 12 - 6))
            }
            history.add(level)
            levels = (levels + [level]).suffix(300)
            let (quiet, middle) = (history.quiet(), history.middle())
            let band = step % 4
            #expect(abs(quiet[band] - counted(levels.map { $0[band] }, 0.1)) < 0.001)
            #expect(abs(middle[band] - counted(levels.map { $0[band] }, 0.5)) < 0.001)
        }
    }

    /// In bins of a decibel, and within the bin by the share of it.
    private func counted(_ levels: [Float], _ share: Float) -> Float {
        let wanted = share * Float(levels.count)
        var counts = [Int](repeating: 0, count: 96)
        for level in levels { counts[Int(max(0, min(95, level + 96)))] += 1 }
        var below: Float = 0
        for (bin, count) in counts.enumerated() {
            let here = Float(count)
            if here > 0, below + here >= wanted { return -96 + Float(bin) + (wanted - below) / here }
            below += here
        }
        return 0
    }
}
