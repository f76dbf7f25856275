import NIOCore
import Transcode

/// The built-in agent `parrot`: greets with a short prompt, then repeats what the caller said once the caller has been silent
/// for 600 ms; stops at once when the caller speaks; speaks back keys as their own tones; `*` hangs up.
final class ParrotAgent: AgentLeg {
    private weak var events: (any AgentLegEvents)?
    private weak var sink: (any AudioSink)?
    private var rate = 8000
    private var voice: Voice?
    private var slots: Int64 = 0
    private(set) var isOver = false

    /// What depends on the bridge's rate.
    private struct Voice {
        var queue: PlayoutQueue
        var accumulator: FrameAccumulator
        var detector: VoiceActivityDetector
        var memory: ParrotMemory
        var slot: SampleBuffer
    }

    init(events: any AgentLegEvents) {
        self.events = events
    }

    // MARK: AgentLeg

    func dial() { events?.agentAnswered() }
    func expire(now: NIODeadline) {}
    var deadline: NIODeadline? { nil }
    var queuedMilliseconds: Int { voice?.queue.queuedMilliseconds ?? 0 }
    var playout: PlayoutQueue.Counters { voice?.queue.counters ?? PlayoutQueue.Counters() }

    func hangUp(_ end: CallEnd, now: NIODeadline) {
        stop()
        isOver = true
    }

    func tick(slots missed: Int, now: NIODeadline) {
        slots += Int64(missed)
        guard let sink, let slot = voice?.slot, let played = voice?.queue.next(into: slot.samples, now: now) else { return }
        let time = slots * Int64(slot.samples.count)
        slots += 1
        sink.receive(
            AudioFrame(samples: slot.samples, mediaTime: time, origin: .received, startsAxis: false, isCut: played.isCut), from: self, now: now)
    }

    // MARK: AudioPort

    var nativeRates: [Int] { [16000, 8000] }
    var wantsGapFreeStream: Bool { true }
    var pathDescription: String { "parrot \(rate) Hz" }

    func start(rate: Int, gapFree: Bool, sink: any AudioSink, now: NIODeadline) {
        self.rate = rate
        self.sink = sink
        let queue = PlayoutQueue(rate: rate, holds: false)
        voice = Voice(
            queue: queue, accumulator: FrameAccumulator(frameSamples: queue.slotSamples), detector: VoiceActivityDetector(rate: rate),
            memory: ParrotMemory(rate: rate), slot: SampleBuffer(capacity: queue.slotSamples))
        greet(now: now)
    }

    func stop() {
        sink = nil
        voice = nil
    }

    func send(_ frame: borrowing AudioFrame, now: NIODeadline) {
        guard voice != nil else { return }
        let time = frame.mediaTime
        var accumulator = voice?.accumulator
        accumulator?.append(frame.samples, mediaTime: time) { samples, _ in hear(UnsafeBufferPointer(samples), now: now) }
        if let accumulator { voice?.accumulator = accumulator }
    }

    func send(digit: Digit, duration: Int, now: NIODeadline) {
        if digit.character == "*" {
            events?.agentEnded(CallEnd(.agentHangup))
            return
        }
        _ = voice?.queue.clear()
        play([.digit(digit.character, milliseconds: 200)], now: now)
    }

    // MARK: Inside

    private func hear(_ samples: UnsafeBufferPointer<Int16>, now: NIODeadline) {
        voice?.memory.remember(samples)
        switch voice?.detector.process(samples) {
        case .speechBegan:
            _ = voice?.queue.clear()
            voice?.memory.speechStarted()
        case .speechEnded: repeatSpeech(now: now)
        case nil: break
        }
    }

    private func repeatSpeech(now: NIODeadline) {
        voice?.memory.takeSpeech { speech in
            voice?.queue.append(speech.count, now: now) { target in
                guard let source = speech.baseAddress else { return }
                target.baseAddress?.update(from: source, count: target.count)
            }
        }
    }

    private func greet(now: NIODeadline) {
        play([.note(659, milliseconds: 120), .note(784, milliseconds: 120), .note(988, milliseconds: 220)], now: now)
    }

    private enum Sound {
        case note(Double, milliseconds: Int)
        case digit(Character, milliseconds: Int)
    }

    private func play(_ sounds: [Sound], now: NIODeadline) {
        let generator = ToneGenerator(rate: rate)
        for sound in sounds {
            let length: Int
            switch sound {
            case .note(let frequency, let milliseconds):
                generator.start(Tone(frequency: frequency, level: -16), milliseconds: milliseconds)
                length = milliseconds
            case .digit(let character, let milliseconds):
                guard generator.start(digit: character, milliseconds: milliseconds) else { return }
                length = milliseconds
            }
            voice?.queue.append(rate * length / 1000, now: now) { _ = generator.generate(into: $0) }
        }
    }
}
