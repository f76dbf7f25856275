import NIOCore
import Transcode

/// The beep that tells both sides of a call that it is recorded: 200 ms of 1400 Hz at once, and every 15 seconds. Loop-confined.
final class RecordingTone {
    private struct Voice {
        let generator: ToneGenerator
        /// Beeps begun.
        var begun = 0
    }

    private let rate: Int
    private let start: NIODeadline
    private var voices: [Voice]
    private let scratch: SampleBuffer

    static let period = TimeAmount.seconds(15)
    static let length = 200
    /// Some 20 dB below loud speech: heard, and no hindrance.
    static let tone = Tone(frequency: 1400, level: -32)

    /// - Parameter rate: of the frames, in Hz.
    init(rate: Int, now: NIODeadline) {
        self.rate = rate
        start = now
        voices = RecordingSide.allCases.map { _ in Voice(generator: ToneGenerator(rate: rate)) }
        scratch = SampleBuffer(capacity: RecordingRing.longestChunk)
    }

    /// Adds what is due of the beep to samples on their way to one side.
    /// - Returns: whether anything was added.
    func mix(into samples: UnsafeMutableBufferPointer<Int16>, toward side: RecordingSide, now: NIODeadline) -> Bool {
        let due = Int((now - start).nanoseconds / Self.period.nanoseconds) + 1
        if voices[side.rawValue].begun < due {
            voices[side.rawValue].begun = due
            voices[side.rawValue].generator.start(Self.tone, milliseconds: Self.length)
        }
        guard voices[side.rawValue].generator.isActive, samples.count <= scratch.samples.count else { return false }
        let beep = scratch.prefix(samples.count)
        voices[side.rawValue].generator.generate(into: beep)
        for index in samples.indices { samples[index] = Int16(clamping: Int(samples[index]) &+ Int(beep[index])) }
        return true
    }
}
