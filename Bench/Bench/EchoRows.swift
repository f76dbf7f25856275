import CBench
import Transcode

/// What a phone's leg pays for its line's echo: our canceller, with its search, beside speexdsp's adaptive filter, which is the
/// largest part of ours where there is an echo and is at work all the time.
struct EchoRows {
    private static let rate = 8000
    /// 32 s: whole turns of a search that looks an eighth of the time.
    private static let frames = 1600

    static func rows() -> [Comparison] {
        [
            row("line without an echo, both speak", returned: 0, framesBefore: frames),
            row("line without an echo, the call's first 4 s", returned: 0, framesBefore: 0, count: 200),
            row("line with an echo, both speak", returned: 0.25, framesBefore: 200),
        ]
    }

    /// - Parameters:
    ///   - returned: the part of a sample that comes back 60 ms later
    ///   - framesBefore: of the call, before the clock begins
    private static func row(_ name: String, returned: Double, framesBefore: Int, count: Int = frames) -> Comparison {
        let total = framesBefore + count
        let played = Speech.make(rate: rate, frames: total)
        let heard = Speech.make(rate: rate, frames: total, voice: .high)
        let late = rate * 60 / 1000
        for index in late..<(total * heard.frameSamples) {
            heard.samples[index] = Int16(clamping: Int(heard.samples[index]) + Int(returned * Double(played.samples[index - late])))
        }
        return Comparison(
            group: "line echo, per 20 ms frame, against speexdsp's filter alone", name: name, items: count, rounds: 5, agreement: .yardstick,
            bare: {
                guard let state = bench_canceller_new(Int32(rate)) else { throw BenchFailure("speexdsp has no echo canceller") }
                let left = SampleSlab(frames: total, frameSamples: heard.frameSamples)
                let (before, timed) = (framesBefore * heard.frameSamples, count * heard.frameSamples)
                bench_cancel(state, played.samples, heard.samples, left.samples, before)
                return Round(result: {
                    bench_canceller_free(state)
                    return left.power
                }) {
                    bench_cancel(state, played.samples + before, heard.samples + before, left.samples + before, timed)
                }
            },
            ours: {
                guard let canceller = LineEchoCanceller(rate: rate) else { throw BenchFailure("no echo canceller") }
                let left = SampleSlab(frames: total, frameSamples: heard.frameSamples)
                left.samples.update(from: heard.samples, count: total * heard.frameSamples)
                cancel(canceller, played, left, 0..<framesBefore)
                return Round(result: { left.power }) { cancel(canceller, played, left, framesBefore..<total) }
            })
    }

    private static func cancel(_ canceller: LineEchoCanceller, _ played: SampleSlab, _ heard: SampleSlab, _ frames: Range<Int>) {
        for index in frames {
            let place = Int64(index * heard.frameSamples)
            canceller.played(played.frame(index), at: place, clock: place)
            canceller.process(heard.room(index), at: place, clock: place)
        }
    }
}
