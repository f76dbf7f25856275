import NIOCore
import Transcode

/// Listens to a phone's line for tones that say who or what is there, while a call is young. Confined to the call's media loop.
final class LineTones {
    enum Side: Sendable {
        /// The phone called: a fax machine sounds its calling tone.
        case caller
        /// The phone was called: a fax machine sounds its answer tone, an exchange that it rings, is busy and so on.
        case callee

        /// Tones come at a call's beginning; later only speech could be taken for one.
        var listening: TimeAmount { self == .caller ? .seconds(30) : .seconds(60) }
    }

    /// Nothing is listened to from here on.
    let until: NIODeadline
    private let side: Side
    private let fax: FaxToneDetector
    private let progress: CallProgressDetector?
    /// Where the bridge's rate is not the detectors'.
    private let resampler: Resampler?
    private let scratch: SampleBuffer

    /// Samples of the longest frame, 120 ms, at the detectors' rate.
    private static let longestFrame = 960

    /// - Parameter rate: of the samples given to `hear`, in Hz
    /// nil when memory is short or the rate cannot be converted.
    init?(_ side: Side, rate: Int, until: NIODeadline) {
        guard let fax = FaxToneDetector(side == .caller ? .calling : .answering) else { return nil }
        self.fax = fax
        self.side = side
        self.until = until
        progress = side == .caller ? nil : CallProgressDetector()
        if rate == FaxToneDetector.rate {
            resampler = nil
        } else {
            guard let made = Resampler(from: rate, to: FaxToneDetector.rate) else { return nil }
            resampler = made
        }
        scratch = SampleBuffer(capacity: resampler == nil ? 0 : Self.longestFrame)
    }

    /// Hears the next samples, 120 ms at most.
    /// - Parameter heard: called for each tone that became certain in them
    func hear(_ samples: UnsafeMutableBufferPointer<Int16>, heard: (LineTone) -> Void) {
        var line = UnsafeBufferPointer(samples)
        if let resampler {
            let count = resampler.process(line, into: scratch.samples)
            line = UnsafeBufferPointer(scratch.prefix(count))
        }
        if fax.process(line) { heard(side == .caller ? .faxCalling : .faxAnswering) }
        if let event = progress?.process(line) { heard(LineTone(event)) }
    }
}
