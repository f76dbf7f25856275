import NIOCore
import Transcode

/// A far end that is only heard: a call progress tone, a file or a sign of life, 20 ms by 20 ms on the playout grid.
final class SoundPlayer: AudioPort {
    enum Sound: Sendable {
        /// A tone for so many milliseconds; nil: until it is stopped.
        case tone(CallProgressTone, milliseconds: Int?)
        case recording(Recording)
        case silence(milliseconds: Int)
        /// While a far end is reached for in place of one that was lost.
        case waiting
    }

    /// Everything was played.
    private(set) var isOver = false
    private let sound: Sound
    private weak var sink: (any AudioSink)?
    private var rate = 8000
    private var generator: ToneGenerator?
    private var away: AwaySound?
    private var resampler: Resampler?
    private var source = SampleBuffer(capacity: 0)
    private var frame = SampleBuffer(capacity: 0)
    /// Slots of the grid since the start.
    private var slots: Int64 = 0
    /// Samples of the recording that were played, at its own rate.
    private var played = 0

    /// Milliseconds of a slot.
    private static let slot = PlayoutQueue.slotMilliseconds

    init(_ sound: Sound) {
        self.sound = sound
    }

    /// One slot of the grid; nothing is played before somebody listens.
    func tick(now: NIODeadline) {
        guard let sink, !isOver else { return }
        let samples = frame.samples
        switch sound {
        case .tone(let tone, let length): fill(samples, with: tone, length: length)
        case .recording(let recording): fill(samples, from: recording)
        case .silence(let length):
            samples.update(repeating: 0)
            if (Int(slots) + 1) * Self.slot >= length { isOver = true }
        case .waiting:
            samples.update(repeating: 0)
            away?.fill(samples)
        }
        let time = slots * Int64(samples.count)
        slots += 1
        sink.receive(AudioFrame(samples: samples, mediaTime: time, origin: .received, startsAxis: false), from: self, now: now)
    }

    private func fill(_ samples: UnsafeMutableBufferPointer<Int16>, with tone: CallProgressTone, length: Int?) {
        let position = Int(slots) * Self.slot
        // The grid's slots need not divide the cadence: a period begins in the slot its time falls into.
        let place = position % (tone.on + tone.off)
        if place < Self.slot { generator?.start(tone.tone, milliseconds: tone.on) }
        generator?.generate(into: samples)
        if let length, position + Self.slot >= length { isOver = true }
    }

    private func fill(_ samples: UnsafeMutableBufferPointer<Int16>, from recording: Recording) {
        let wanted = recording.rate * Self.slot / 1000
        let left = recording.samples.count - played
        let count = min(wanted, left)
        recording.samples.withUnsafeBufferPointer { all in
            if count > 0, let start = all.baseAddress { source.samples.baseAddress?.update(from: start + played, count: count) }
        }
        for rest in count..<wanted { source.samples[rest] = 0 }
        played += count
        if let resampler {
            _ = resampler.process(UnsafeBufferPointer(source.prefix(wanted)), into: samples)
        } else if let start = source.samples.baseAddress {
            samples.baseAddress?.update(from: start, count: min(wanted, samples.count))
        }
        if played >= recording.samples.count { isOver = true }
    }

    // MARK: AudioPort

    /// A recording's own rate; tones are narrow.
    var nativeRates: [Int] { if case .recording(let recording) = sound { [recording.rate] } else { [8000] } }
    var wantsGapFreeStream: Bool { false }

    func start(rate: Int, gapFree: Bool, sink: any AudioSink, now: NIODeadline) {
        self.sink = sink
        self.rate = rate
        frame = SampleBuffer(capacity: rate * Self.slot / 1000)
        switch sound {
        case .silence: break
        case .waiting: away = AwaySound(rate: rate)
        case .tone: generator = ToneGenerator(rate: rate)
        case .recording(let recording):
            source = SampleBuffer(capacity: recording.rate * Self.slot / 1000)
            resampler = recording.rate == rate ? nil : Resampler(from: recording.rate, to: rate)
        }
    }

    func stop() { sink = nil }
    func send(_ frame: borrowing AudioFrame, now: NIODeadline) {}
    func send(digit: Digit, duration: Int, now: NIODeadline) {}

    var pathDescription: String {
        switch sound {
        case .tone(let tone, _): "tone \(Int(tone.tone.first.frequency)) Hz [\(tone.on) ms on, \(tone.off) ms off]"
        case .silence(let length): "silence, \(length) ms"
        case .waiting: "sign of life"
        case .recording(let recording): "recording \(recording.rate) Hz, \(recording.samples.count / recording.rate) s"
        }
    }
}
