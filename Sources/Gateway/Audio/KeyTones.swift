import Transcode

/// Keys as tones in the sound, for a far end that takes no telephone-events: what is said meanwhile is covered.
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

    /// Puts keys in place of a frame of sound.
    /// - Returns: whether there was any.
    func cover(_ samples: UnsafeMutableBufferPointer<Int16>) -> Bool {
        if !generator.isActive, pause <= 0 {
            guard let next = waiting.first else { return false }
            waiting.removeFirst()
            generator.start(digit: next.character, milliseconds: Self.keyLength)
            pause = rate / 1000 * Self.pauseLength
        }
        let isSounding = generator.isActive
        generator.generate(into: samples)
        if !isSounding { pause -= samples.count }
        return true
    }
}
