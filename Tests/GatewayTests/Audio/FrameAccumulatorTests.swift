import TestKit
import Testing

@testable import Gateway

@Suite struct FrameAccumulatorTests {
    @Test(arguments: [1, 80, 159, 160, 161, 240, 480, 960]) func framesOfAnyLengthBecomeFramesOfOne(_ length: Int) {
        var accumulator = FrameAccumulator(frameSamples: 160)
        let source = SoundMaterial.noise(seconds: 1, rate: 8000, level: -20, seed: 2)
        let piece = SampleBuffer(capacity: 960)
        var collected: [Int16] = []
        var times: [Int64] = []
        for start in stride(from: 0, to: source.count, by: length) {
            let count = min(length, source.count - start)
            for index in 0..<count { piece.samples[index] = source[start + index] }
            accumulator.append(piece.prefix(count), mediaTime: Int64(1000 + start)) { samples, time in
                #expect(samples.count == 160)
                collected += Array(samples)
                times.append(time)
            }
        }
        #expect(collected == Array(source.prefix(collected.count)))
        #expect(collected.count > source.count - 160)
        #expect(times == times.indices.map { Int64(1000 + 160 * $0) })
    }

    /// As when the adaptation asks for longer packets, and then for shorter ones.
    @Test func framesOfAnotherLengthGoOnWithWhatIsHeld() {
        var accumulator = FrameAccumulator(frameSamples: 160, most: 480)
        let source = SoundMaterial.noise(seconds: 1, rate: 8000, level: -20, seed: 3)
        let piece = SampleBuffer(capacity: 200)
        var collected: [Int16] = []
        var lengths: [Int] = []
        for start in stride(from: 0, to: 1800, by: 200) {
            if start == 400 { accumulator.change(frameSamples: 480) }
            if start == 1200 { accumulator.change(frameSamples: 80) }
            for index in 0..<200 { piece.samples[index] = source[start + index] }
            accumulator.append(piece.prefix(200), mediaTime: Int64(start)) { samples, time in
                #expect(time == Int64(collected.count))
                lengths.append(samples.count)
                collected += Array(samples)
            }
        }
        #expect(collected == Array(source.prefix(1760)))
        #expect(lengths == [160, 160, 480] + [Int](repeating: 80, count: 12))
    }

    @Test func aBreakOfTheTimeDropsWhatWasHeld() {
        var accumulator = FrameAccumulator(frameSamples: 160)
        let piece = SampleBuffer(capacity: 160)
        var times: [Int64] = []
        accumulator.append(piece.prefix(100), mediaTime: 0) { times.append($1) }
        accumulator.append(piece.prefix(100), mediaTime: 5000) { times.append($1) }
        accumulator.append(piece.prefix(60), mediaTime: 5100) { times.append($1) }
        #expect(times == [5000])
    }

    @Test func resetForgets() {
        var accumulator = FrameAccumulator(frameSamples: 160)
        let piece = SampleBuffer(capacity: 160)
        var count = 0
        accumulator.append(piece.prefix(100), mediaTime: 0) { _, _ in count += 1 }
        accumulator.reset()
        accumulator.append(piece.prefix(100), mediaTime: 100) { _, _ in count += 1 }
        #expect(count == 0)
    }
}
