import Transcode

/// Keys as tones in the sound, for a far end that takes no telephone-events: what is said meanwhile is left out. They follow our
/// clock, not the other side's frames, of which there are none while it sends events.
final class KeyTones {
    private let generator: ToneGenerator
    private var waiting: [Digit] = []
    /// Samples of silence left after a key: detectors need a pause (ETSI ES 201 235-2).
    private var pause = 0
    private let rate: Int

    /// Keys that wait; what a page sends beyond is dropped.
    private static let limit = 64
    /// Milliseconds of a key and of the pause after it.
    private static let keyLength = 100
    private static let pauseLength = 60

    init(rate: Int) {
        self.rate = rate
        generator = ToneGenerator(rate: rate)
        waiting.reserveCapacity(Self.limit)
    }

    func add(_ digit: Digit) {
        if waiting.count < Self.limit { waiting.append(digit) }
    }

    /// Whether a key sounds, its pause lasts or another one waits.
    var isSounding: Bool { generator.isActive || pause > 0 || !waiting.isEmpty }

    /// The next piece of the tones and pauses; silence when there is none left.
    func generate(into samples: UnsafeMutableBufferPointer<Int16>) {
        if !generator.isActive, pause <= 0, !waiting.isEmpty {
            let next = waiting.removeFirst()
            generator.start(digit: next.character, milliseconds: Self.keyLength)
            pause = rate / 1000 * Self.pauseLength
        }
        if !generator.isActive { pause -= samples.count }
        generator.generate(into: samples)
    }
}
