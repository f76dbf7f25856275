import Transcode

/// Finds keys that a phone without telephone-events sends as tones in its sound. Confined to the call's media loop.
final class InbandKeys {
    /// A key's tone is sounding; it is muted, for the far end gets the key in a better way.
    private(set) var isPressed = false
    private let detector = DTMFDetector()
    /// Where the bridge's rate is not the detector's.
    private let resampler: Resampler?
    private let scratch: SampleBuffer
    private var events: [DTMFDetector.Event] = []

    /// Samples of the rate given that are converted at a time.
    private let piece: Int

    /// - Parameter rate: of the samples given to `hear`, in Hz
    /// nil when the rate cannot be converted or memory for it is short.
    init?(rate: Int) {
        detector.isEnabled = true
        if rate == DTMFDetector.rate {
            resampler = nil
        } else {
            guard let made = Resampler(from: rate, to: DTMFDetector.rate) else { return nil }
            resampler = made
        }
        piece = rate / 50
        scratch = SampleBuffer(capacity: resampler?.maximumOutput(for: piece) ?? 0)
        events.reserveCapacity(8)
    }

    /// Hears the next samples, any number of them.
    /// - Parameter began: called for each key whose tone began in them
    func hear(_ samples: UnsafeMutableBufferPointer<Int16>, began: (Digit) -> Void) {
        events.removeAll(keepingCapacity: true)
        if let resampler {
            for start in stride(from: 0, to: samples.count, by: piece) {
                let part = UnsafeBufferPointer(rebasing: samples[start..<min(start + piece, samples.count)])
                detector.process(UnsafeBufferPointer(scratch.prefix(resampler.process(part, into: scratch.samples))), into: &events)
            }
        } else {
            detector.process(UnsafeBufferPointer(samples), into: &events)
        }
        for event in events {
            switch event {
            case .began(let character):
                isPressed = true
                if let digit = Digit(character) { began(digit.from(.inband)) }
            case .ended: isPressed = false
            }
        }
    }
}
