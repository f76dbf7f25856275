import NIOCore
import SDP
import Transcode

/// One codec's decoder at the bridge's rate, with a resampler behind it where the codec does not speak that rate.
final class Decoder {
    let codec: AudioCodec
    private let decoder: any AudioDecoder
    private let resampler: Resampler?
    private let scratch: SampleBuffer
    private let rate: Int
    /// Takes the line's echo out of what was decoded, where the far end is a line.
    var echo: LineEcho?

    /// Where a piece of sound belongs on the sender's axis, and when it came.
    struct Place {
        /// Extended, in units of the codec's RTP clock.
        var timestamp: Int64
        var now: NIODeadline
    }

    /// 120 ms at 48 kHz.
    private static let largestFrame = 5760

    /// nil for a codec or rate that cannot be decoded.
    init?(codec: AudioCodec, rate: Int) {
        let native = CodecCatalogue.rates(of: codec.rawValue)
        guard let nativeRate = native.contains(rate) ? rate : native.first,
            let decoder = CodecCatalogue.makeDecoder(name: codec.rawValue, rate: nativeRate)
        else { return nil }
        self.codec = codec
        self.decoder = decoder
        self.rate = rate
        resampler = nativeRate == rate ? nil : Resampler(from: nativeRate, to: rate)
        scratch = SampleBuffer(capacity: nativeRate == rate ? 0 : Self.largestFrame)
    }

    /// The sender's extended timestamp in samples of the bridge's rate.
    func mediaTime(_ timestamp: Int64) -> Int64 { timestamp * Int64(rate) / Int64(codec.rtpClockRate) }

    /// A number of timestamp units in samples of the bridge's rate.
    func samples(_ units: Int64) -> Int { Int(units) * rate / codec.rtpClockRate }

    func decode(_ payload: UnsafeRawBufferPointer, at place: Place, into output: UnsafeMutableBufferPointer<Int16>) -> Int {
        guard let resampler else { return cancelEcho(decoder.decode(payload, into: output), at: place, in: output) }
        let count = cancelEcho(decoder.decode(payload, into: scratch.samples), at: place, in: scratch.samples)
        return resample(count, resampler, into: output)
    }

    /// - Parameter place: nil when it is not known; an echo is left in then
    func conceal(samples: Int, at place: Place?, into output: UnsafeMutableBufferPointer<Int16>) -> Int {
        guard let resampler else { return cancelEcho(decoder.conceal(samples: samples, into: output), at: place, in: output) }
        let count = cancelEcho(decoder.conceal(samples: native(samples), into: scratch.samples), at: place, in: scratch.samples)
        return resample(count, resampler, into: output)
    }

    func recover(
        from next: UnsafeRawBufferPointer, samples: Int, into output: UnsafeMutableBufferPointer<Int16>
    ) -> Int? {
        guard let resampler else { return decoder.recover(from: next, samples: samples, into: output) }
        guard let count = decoder.recover(from: next, samples: native(samples), into: scratch.samples) else { return nil }
        return resample(count, resampler, into: output)
    }

    func reset() {
        decoder.reset()
        resampler?.reset()
    }

    private func cancelEcho(_ count: Int, at place: Place?, in samples: UnsafeMutableBufferPointer<Int16>) -> Int {
        if count > 0, let echo, let place, echo.rate == decoder.rate {
            echo.heard(UnsafeMutableBufferPointer(rebasing: samples[0..<count]), timestamp: place.timestamp, now: place.now)
        }
        return count
    }

    private func native(_ samples: Int) -> Int { samples * decoder.rate / rate }

    /// What is longer than `output` is refused whole, as it is where nothing is resampled.
    private func resample(_ count: Int, _ resampler: Resampler, into output: UnsafeMutableBufferPointer<Int16>) -> Int {
        guard resampler.maximumOutput(for: count) <= output.count else { return 0 }
        return resampler.process(UnsafeBufferPointer(scratch.prefix(count)), into: output)
    }
}
