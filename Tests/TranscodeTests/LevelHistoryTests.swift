import Testing

@testable import Transcode

/// The marks that move give what counting all steps anew gives.
struct LevelHistoryTests {
    @Test(arguments: [UInt64(1), 2, 3])
    func isWhatCountingAnewGives(seed: UInt64) {
        var random = seed
        var history = LevelHistory(assuming: -55, weight: 50, quietShare: 0.1)
        var levels = [Float](repeating: -55, count: 50)
        for step in 0..<2000 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // Long stretches of one loudness, and jumps between, up to both ends of the scale.
            let centre: Float = [-90, -20, -60, -40][step / 250 % 4]
            let level = min(0, max(-96, centre + Float(random >> 40) / Float(1 << 24) * 12 - 6))
            history.add(level)
            levels = (levels + [level]).suffix(300)
            #expect(abs(history.quiet() - counted(levels, 0.1)) < 0.001)
            #expect(abs(history.middle() - counted(levels, 0.5)) < 0.001)
        }
    }

    /// In bins of a decibel, and within the bin by the share of it.
    private func counted(_ levels: [Float], _ share: Float) -> Float {
        let wanted = share * Float(levels.count)
        var below: Float = 0
        for bin in 0..<96 {
            let here = Float(levels.count { Int(max(0, min(95, $0 + 96))) == bin })
            if here > 0, below + here >= wanted { return -96 + Float(bin) + (wanted - below) / here }
            below += here
        }
        return 0
    }
}
