import NIOCore
import Transcode

/// Listens to a phone's line for tones that say who or what is there, while a call is young. Confined to the call's media loop.
final class LineTones {
    enum Side: Sendable {
        /// The phone called: a fax machine sounds its calling tone, and one that a person dialled for may sound its answer tone.
        case caller
        /// The phone was called: a fax machine sounds its answer tone, an exchange that it rings, is busy and so on.
        case callee

        /// Tones come at a call's beginning; later only speech could be taken for one.
        var listening: TimeAmount { self == .caller ? .seconds(30) : .seconds(60) }
    }

    /// Nothing is listened to from here on.
    let until: NIODeadline
    private let faxes: [(tone: LineTone, detector: FaxToneDetector)]
    private let progress: CallProgressDetector?
    /// Where the bridge's rate is not the detectors'.
    private let resampler: Resampler?
    private let scratch: SampleBuffer

    /// Samples of `rate` that are converted at a time.
    private let piece: Int

    /// - Parameter rate: of the samples given to `hear`, in Hz
    /// nil when memory is short or the rate cannot be converted.
    init?(_ side: Side, rate: Int, until: NIODeadline) {
        guard let answering = FaxToneDetector(.answering) else { return nil }
        var faxes = [(tone: LineTone.faxAnswering, detector: answering)]
        if side == .caller {
            guard let calling = FaxToneDetector(.calling) else { return nil }
            faxes.append((.faxCalling, calling))
        }
        self.faxes = faxes
        self.until = until
        progress = side == .caller ? nil : CallProgressDetector()
        if rate == FaxToneDetector.rate {
            resampler = nil
        } else {
            guard let made = Resampler(from: rate, to: FaxToneDetector.rate) else { return nil }
            resampler = made
        }
        piece = rate / 50
        scratch = SampleBuffer(capacity: resampler?.maximumOutput(for: piece) ?? 0)
    }

    /// Hears the next samples, any number of them.
    /// - Parameter heard: called for each tone that became certain in them
    func hear(_ samples: UnsafeMutableBufferPointer<Int16>, heard: (LineTone) -> Void) {
        guard let resampler else { return hear(line: UnsafeBufferPointer(samples), heard) }
        for start in stride(from: 0, to: samples.count, by: piece) {
            let part = UnsafeBufferPointer(rebasing: samples[start..<min(start + piece, samples.count)])
            hear(line: UnsafeBufferPointer(scratch.prefix(resampler.process(part, into: scratch.samples))), heard)
        }
    }

    private func hear(line: UnsafeBufferPointer<Int16>, _ heard: (LineTone) -> Void) {
        for fax in faxes where fax.detector.process(line) { heard(fax.tone) }
        if let event = progress?.process(line) { heard(LineTone(event)) }
    }
}
