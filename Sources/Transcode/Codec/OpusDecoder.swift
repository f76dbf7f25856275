import COpus
import CShims

/// An Opus stream decoded straight to the rate wanted (libopus resamples inside, without added delay).
///
/// Mono always: of a stereo packet libopus yields the downmix. Loop-confined.
public final class OpusDecoder: AudioDecoder {
    /// The rates libopus decodes to, in samples a second, that anything here asks for.
    public static let rates = [8000, 16000, 24000, 48000]

    public let rate: Int
    private let state: OpaquePointer
    /// libopus cannot continue from a CELT frame with SILK redundancy; it conceals instead, silently.
    private var lastMode: OpusPacket.Mode?

    /// A decoder to `rate` (one of `rates`); nil for another rate or when memory is short.
    public init?(rate: Int) {
        guard Self.rates.contains(rate) else { return nil }
        var error: Int32 = 0
        guard let state = opus_decoder_create(opus_int32(rate), 1, &error), error == OPUS_OK else { return nil }
        self.state = state
        self.rate = rate
    }

    deinit {
        opus_decoder_destroy(state)
    }

    public func decode(_ payload: UnsafeRawBufferPointer, into output: UnsafeMutableBufferPointer<Int16>) -> Int {
        // An empty payload would ask libopus to conceal.
        guard !payload.isEmpty, let bytes = payload.baseAddress?.assumingMemoryBound(to: UInt8.self),
            let destination = output.baseAddress
        else { return 0 }
        let samples = opus_decode(
            state, bytes, opus_int32(clamping: payload.count), destination, Int32(clamping: output.count), 0)
        guard samples > 0 else { return 0 }
        lastMode = OpusPacket.mode(of: payload)
        return Int(samples)
    }

    public func conceal(samples: Int, into output: UnsafeMutableBufferPointer<Int16>) -> Int {
        guard let destination = output.baseAddress else { return 0 }
        // libopus conceals in steps of 2.5 ms.
        let step = rate / 400
        let wanted = max(0, min(samples, output.count)) / step * step
        guard wanted > 0 else { return 0 }
        let written = opus_decode(state, nil, 0, destination, Int32(clamping: wanted), 0)
        return written > 0 ? Int(written) : 0
    }

    public func recover(
        from next: UnsafeRawBufferPointer, samples: Int, into output: UnsafeMutableBufferPointer<Int16>
    ) -> Int? {
        guard lastMode != .celt, OpusPacket.carriesRedundancy(next),
            let bytes = next.baseAddress?.assumingMemoryBound(to: UInt8.self), let destination = output.baseAddress,
            let frame = OpusPacket.frameDuration(of: next, rate: rate),
            samples >= frame, samples <= output.count, samples % (rate / 400) == 0
        else { return nil }
        let written = opus_decode(
            state, bytes, opus_int32(clamping: next.count), destination, Int32(clamping: samples), 1)
        return written > 0 ? Int(written) : nil
    }

    public func duration(of payload: UnsafeRawBufferPointer) -> Int? {
        OpusPacket.duration(of: payload, rate: rate)
    }

    /// The samples `payload` decodes to at `rate`; nil when it is malformed.
    public static func duration(of payload: UnsafeRawBufferPointer, rate: Int) -> Int? {
        OpusPacket.duration(of: payload, rate: rate)
    }

    public func reset() {
        _ = tandem_opus_decoder_reset(state)
        lastMode = nil
    }
}
