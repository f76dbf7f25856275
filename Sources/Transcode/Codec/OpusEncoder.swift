import COpus
import CShims

/// A mono Opus stream for voice: SILK or hybrid, variable rate, DTX where it is wanted, bandwidth no wider than the samples hold.
/// Loop-confined.
public final class OpusEncoder: AudioEncoder {
    /// What the stream costs and how it is protected.
    public struct Settings: Sendable, Equatable {
        /// Bits a second.
        public var bitrate: Int
        /// 0 to 10: CPU spent on quality.
        public var complexity: Int
        /// Percent of packets expected to be lost; above 0 each packet also carries the frame before it (in-band FEC).
        public var expectedLoss: Int
        /// Length of the usual frame in milliseconds: 10, 20, 40 or 60.
        public var frameMilliseconds: Int
        /// Hertz the listener can play, 8000 to 48000: no wider band is coded.
        public var playbackRate: Int
        /// Every frame takes the same number of bytes.
        public var isConstantBitrate: Bool
        /// Long silence becomes frames of `OpusPacket.largestDTXPayload` bytes at most, which need not be sent (RFC 7587 section
        /// 3.1.3), but for a whole one about every 400 ms.
        public var usesDTX: Bool

        public init(
            bitrate: Int = 24_000, complexity: Int = 5, expectedLoss: Int = 0, frameMilliseconds: Int = 20,
            playbackRate: Int = 48_000, isConstantBitrate: Bool = false, usesDTX: Bool = false
        ) {
            self.bitrate = bitrate
            self.complexity = complexity
            self.expectedLoss = expectedLoss
            self.frameMilliseconds = frameMilliseconds
            self.playbackRate = playbackRate
            self.isConstantBitrate = isConstantBitrate
            self.usesDTX = usesDTX
        }
    }

    /// The rates libopus encodes from, in samples a second, that anything here asks for.
    public static let rates = [8000, 16000, 24000, 48000]
    /// One frame never takes more bytes (RFC 6716 3.2.1); longer packets stay below a network's MTU with it.
    public static let maximumPayload = 1275

    public let rate: Int
    public let frameSamples: Int
    private let state: OpaquePointer
    /// Where DTX is wanted: when it does no harm.
    private var quiet: QuietGate?
    private var mayPause = false
    /// The last frame was one that need not be sent.
    private var isPausing = false

    /// An encoder from `rate` (one of `rates`); nil for another rate or for settings libopus refuses.
    public init?(rate: Int, settings: Settings = Settings()) {
        guard Self.rates.contains(rate), [10, 20, 40, 60].contains(settings.frameMilliseconds) else { return nil }
        var error: Int32 = 0
        // Not VOIP: that application runs a high-pass filter over the speech, which an agent's or a trunk's sound does not
        // need; it cost a tenth of the correlation with what was spoken (0.89 against 0.99 at 24 kbit/s).
        guard let state = opus_encoder_create(opus_int32(rate), 1, OPUS_APPLICATION_AUDIO, &error), error == OPUS_OK
        else { return nil }
        self.state = state
        self.rate = rate
        frameSamples = rate / 1000 * settings.frameMilliseconds
        guard set(OPUS_SET_SIGNAL_REQUEST, OPUS_SIGNAL_VOICE), set(OPUS_SET_DTX_REQUEST, 0), change(settings) else { return nil }
    }

    /// An encoder with the settings spelled out; see `Settings` for units.
    public convenience init?(rate: Int, bitrate: Int, complexity: Int, expectedLoss: Int = 0) {
        self.init(rate: rate, settings: Settings(bitrate: bitrate, complexity: complexity, expectedLoss: expectedLoss))
    }

    deinit {
        opus_encoder_destroy(state)
    }

    /// Encodes 2.5, 5, 10, 20, 40 or 60 ms of samples.
    public func encode(_ samples: UnsafeBufferPointer<Int16>, into output: UnsafeMutableRawBufferPointer) -> Int {
        guard let source = samples.baseAddress, let destination = output.baseAddress, !output.isEmpty else { return 0 }
        let room = opus_int32(min(output.count, Self.maximumPayload))
        if quiet != nil { judge(samples) }
        let bytes = destination.withMemoryRebound(to: UInt8.self, capacity: output.count) {
            opus_encode(state, source, Int32(clamping: samples.count), $0, room)
        }
        isPausing = bytes <= OpusPacket.largestDTXPayload
        return bytes > 0 ? Int(bytes) : 0
    }

    /// Changes the bitrate from the next frame on. False when libopus refuses it.
    @discardableResult
    public func set(bitrate: Int) -> Bool {
        bitrate > 0 && set(OPUS_SET_BITRATE_REQUEST, opus_int32(clamping: bitrate))
    }

    /// Changes everything but the frame length from the next frame on; the stream goes on. False when libopus refuses it.
    @discardableResult
    public func change(_ settings: Settings) -> Bool {
        if settings.usesDTX != (quiet != nil) {
            quiet = settings.usesDTX ? QuietGate(rate: rate) : nil
            allowPause(false)
        }
        return set(OPUS_SET_MAX_BANDWIDTH_REQUEST, Self.bandwidth(for: min(rate, settings.playbackRate)))
            && set(OPUS_SET_VBR_REQUEST, settings.isConstantBitrate ? 0 : 1) && set(complexity: settings.complexity)
            && set(bitrate: settings.bitrate) && set(expectedLoss: settings.expectedLoss)
    }

    /// Changes the CPU spent on quality, 0 to 10. False when libopus refuses it.
    @discardableResult
    public func set(complexity: Int) -> Bool {
        set(OPUS_SET_COMPLEXITY_REQUEST, opus_int32(clamping: complexity))
    }

    /// Tells the encoder how many percent of its packets the far end loses; 0 switches redundancy off.
    @discardableResult
    public func set(expectedLoss percent: Int) -> Bool {
        set(OPUS_SET_INBAND_FEC_REQUEST, percent > 0 ? 1 : 0) && set(OPUS_SET_PACKET_LOSS_PERC_REQUEST, opus_int32(clamping: percent))
    }

    private func judge(_ samples: UnsafeBufferPointer<Int16>) {
        let isQuiet = quiet?.isOpen(samples) ?? false
        // What the encoder would predict sound from after a pause the far end's decoder never saw: a tone at 8 kHz came out nearly twice
        // as loud. Begun anew it predicts nothing.
        if !isQuiet, isPausing { reset() }
        allowPause(isQuiet)
    }

    private func allowPause(_ isAllowed: Bool) {
        guard isAllowed != mayPause else { return }
        mayPause = isAllowed
        _ = set(OPUS_SET_DTX_REQUEST, isAllowed ? 1 : 0)
    }

    public func reset() {
        _ = tandem_opus_encoder_reset(state)
    }

    private func set(_ request: Int32, _ value: opus_int32) -> Bool {
        tandem_opus_encoder_set(state, request, value) == OPUS_OK
    }

    /// The widest band that `rate` can hold (RFC 7587 section 3.1.1): coding more would spend bits on nothing.
    private static func bandwidth(for rate: Int) -> opus_int32 {
        switch rate {
        case ..<12000: OPUS_BANDWIDTH_NARROWBAND
        case ..<16000: OPUS_BANDWIDTH_MEDIUMBAND
        case ..<24000: OPUS_BANDWIDTH_WIDEBAND
        case ..<48000: OPUS_BANDWIDTH_SUPERWIDEBAND
        default: OPUS_BANDWIDTH_FULLBAND
        }
    }
}
