import CBench
import Transcode

/// What is listened for in decoded sound, each alone: speech that goes on, as in most frames of a call.
struct ListeningRows {
    private static let frames = MediaRows.frames

    static func rows() -> [Comparison] {
        [8000, 16_000, 24_000].map { rate in
            row("a voice, at \(rate / 1000) kHz", rate: rate) {
                let detector = VoiceActivityDetector(rate: rate)
                return { detector.process($0) == nil ? 0 : 1 }
            }
        } + [
            row("keys", rate: DTMFDetector.rate) {
                let detector = DTMFDetector()
                detector.isEnabled = true
                var events: [DTMFDetector.Event] = []
                return {
                    detector.process($0, into: &events)
                    return events.count
                }
            },
            row("a fax machine that calls", rate: FaxToneDetector.rate) { try fax(.calling) },
            row("a fax machine that answers", rate: FaxToneDetector.rate) { try fax(.answering) },
            row("tones of an exchange", rate: CallProgressDetector.rate) {
                let detector = CallProgressDetector()
                return { detector.process($0) == nil ? 0 : 1 }
            },
        ]
    }

    private static func fax(_ kind: FaxToneDetector.Kind) throws -> (UnsafeBufferPointer<Int16>) -> Int {
        guard let detector = FaxToneDetector(kind) else { throw BenchFailure("no detector of fax machines") }
        return { detector.process($0) ? 1 : 0 }
    }

    /// - Parameter make: a fresh detector, called with one frame after the other
    private static func row(_ name: String, rate: Int, make: @escaping () throws -> (UnsafeBufferPointer<Int16>) -> Int) -> Comparison {
        let speech = Speech.make(rate: rate, frames: frames)
        return Comparison(
            group: "listening, per 20 ms frame, against its energy", name: name, items: frames, agreement: .yardstick,
            bare: {
                var energy = 0.0
                return Round(result: { energy }) { energy = bench_squares(speech.samples, Int32(speech.frameSamples), Int32(frames)) }
            },
            ours: {
                let hear = try make()
                var (heard, found) = (0, 0)
                return Round(result: { Double(heard + found) }) {
                    for index in 0..<frames {
                        found += hear(speech.frame(index))
                        heard += 1
                    }
                }
            })
    }
}
