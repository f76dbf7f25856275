import NIOCore
import SDP
import Transcode

/// A phone leg's echo canceller, between its packets' axes and the canceller's: at the codec's own rate, behind everything that is
/// played and before everything that listens. Confined to the call's media loop; kept over changes of bridge.
final class LineEcho {
    let codec: AudioCodec
    /// Hertz of the samples.
    let rate: Int
    private let canceller: LineEchoCanceller
    /// Samples in a unit of the RTP clock.
    private let step: Int64

    /// nil for a codec that no line with an echo speaks: Opus is a device's own, which cancels its echo itself.
    init?(codec: AudioCodec) {
        guard codec != .opus, let rate = CodecCatalogue.rates(of: codec.rawValue).first, let canceller = LineEchoCanceller(rate: rate)
        else { return nil }
        self.codec = codec
        self.rate = rate
        self.canceller = canceller
        step = Int64(rate / codec.rtpClockRate)
    }

    /// An echo was found: what was heard is not what came.
    var isActive: Bool { canceller.isActive }

    /// What was heard last may be an echo that is not taken out yet: nobody need have spoken.
    var mayBeEcho: Bool { canceller.mayBeEcho }

    var figures: LineEchoCanceller.Figures? { canceller.figures }

    /// What goes to the encoder toward the phone, with its timestamp on our axis.
    func played(_ samples: UnsafeBufferPointer<Int16>, timestamp: Int64, now: NIODeadline) {
        canceller.played(samples, at: timestamp &* step, clock: clock(now))
    }

    /// What the decoder made of the phone's sound, with its extended timestamp: the echo is taken out in place.
    func heard(_ samples: UnsafeMutableBufferPointer<Int16>, timestamp: Int64, now: NIODeadline) {
        canceller.process(samples, at: timestamp &* step, clock: clock(now))
    }

    private func clock(_ now: NIODeadline) -> Int64 {
        Int64(truncatingIfNeeded: now.uptimeNanoseconds / 1000) &* Int64(rate / 1000) / 1000
    }
}
