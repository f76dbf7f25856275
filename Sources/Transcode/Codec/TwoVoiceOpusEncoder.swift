import COpus
import CShims

/// Two voices in one Opus packet, each coded for itself: nothing of one is heard on the other's channel, as it would be with
/// joint stereo at speech bitrates. RFC 7845 5.1.1.2: mapping family 1 with two channels in two uncoupled streams.
public final class TwoVoiceOpusEncoder {
    /// Hertz of each channel.
    public let rate: Int
    /// Frames of a packet: 20 ms.
    public let packetFrames: Int
    /// Samples at 48 kHz that a player drops at the start (RFC 7845 4.2).
    public let preSkip: Int
    private let state: OpaquePointer

    /// Two frames with the length between them.
    public static let maximumPacket = 2 * 1277
    /// Bits a second of one voice: speech above 8 kHz keeps its band.
    private static let wide = 24_000
    private static let narrow = 16_000

    /// nil for a rate libopus does not take, or when memory is short.
    public init?(rate: Int) {
        guard OpusEncoder.rates.contains(rate) else { return nil }
        var error: Int32 = 0
        let mapping: [UInt8] = [0, 1]
        guard
            let state = opus_multistream_encoder_create(
                opus_int32(rate), 2, 2, 0, mapping, OPUS_APPLICATION_AUDIO, &error), error == OPUS_OK
        else { return nil }
        self.state = state
        self.rate = rate
        packetFrames = rate / 50
        var lookahead: opus_int32 = 0
        let known = tandem_opus_multistream_encoder_get(state, OPUS_GET_LOOKAHEAD_REQUEST, &lookahead) == OPUS_OK
        preSkip = Int(lookahead) * (48_000 / rate)
        let bitrate = opus_int32(2 * (rate > 8000 ? Self.wide : Self.narrow))
        // Effort as for what goes on from a trunk: a recording costs no more than its call.
        guard known, set(OPUS_SET_SIGNAL_REQUEST, OPUS_SIGNAL_VOICE), set(OPUS_SET_BITRATE_REQUEST, bitrate),
            set(OPUS_SET_COMPLEXITY_REQUEST, 1)
        else { return nil }
    }

    deinit { opus_multistream_encoder_destroy(state) }

    /// Encodes `packetFrames` interleaved frames.
    /// - Returns: bytes written; 0 when libopus refuses.
    public func encode(_ samples: UnsafeBufferPointer<Int16>, into output: UnsafeMutableRawBufferPointer) -> Int {
        guard let source = samples.baseAddress, samples.count == 2 * packetFrames, let destination = output.baseAddress else { return 0 }
        let bytes = destination.withMemoryRebound(to: UInt8.self, capacity: output.count) {
            opus_multistream_encode(state, source, Int32(packetFrames), $0, opus_int32(clamping: output.count))
        }
        return bytes > 0 ? Int(bytes) : 0
    }

    private func set(_ request: Int32, _ value: opus_int32) -> Bool {
        tandem_opus_multistream_encoder_set(state, request, value) == OPUS_OK
    }
}
