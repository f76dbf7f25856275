/// The audio codecs Tandem speaks, on either kind of leg.
public enum AudioCodec: String, Sendable, Hashable, CaseIterable {
    case opus
    case pcmu
    case pcma
    case g722
    /// Samples as they are, 16 bits each (RFC 3551 section 4.5.11), at two rates.
    case l16Narrow = "l16/8000"
    case l16Wide = "l16/16000"

    /// Opus first, then what every browser also speaks (RFC 7874).
    public static let browserPreference: [AudioCodec] = [.opus, .pcmu, .pcma]

    /// The encoding name of its `a=rtpmap` line.
    public var sdpName: String {
        switch self {
        case .opus: "opus"
        case .pcmu: "PCMU"
        case .pcma: "PCMA"
        case .g722: "G722"
        case .l16Narrow, .l16Wide: "L16"
        }
    }

    /// The clock of its RTP timestamps in hertz. G.722 counts 8000 though it samples at 16000 (RFC 3551 section 4.5.2).
    public var rtpClockRate: Int {
        switch self {
        case .opus: 48000
        case .l16Wide: 16000
        case .pcmu, .pcma, .g722, .l16Narrow: 8000
        }
    }

    /// The channels its `a=rtpmap` line names: 2 for Opus whatever is sent (RFC 7587 section 7).
    public var sdpChannels: Int { self == .opus ? 2 : 1 }

    /// The payload type of an offer of ours: RFC 3551's, or a dynamic one for Opus and L16.
    public var defaultPayloadType: UInt8 {
        switch self {
        case .pcmu: 0
        case .pcma: 8
        case .g722: 9
        case .opus: 111
        case .l16Narrow: 112
        case .l16Wide: 113
        }
    }

    /// The codec a payload type stands for; nil for one we do not speak.
    public init?(_ map: RTPMap) {
        let name = map.encodingName.lowercased()
        guard let codec = AudioCodec.allCases.first(where: { $0.sdpName.lowercased() == name && $0.rtpClockRate == map.clockRate }),
            codec == .opus || map.channels == 1
        else { return nil }
        self = codec
    }

    /// The packet times in milliseconds that one packet of this codec can hold, ascending.
    public var packetTimes: [Int] {
        switch self {
        case .opus: [10, 20, 40, 60]
        // 40 ms are 1280 bytes: more would not fit into a datagram of usual networks.
        case .l16Wide: [10, 20, 30, 40]
        case .pcmu, .pcma, .g722, .l16Narrow: [10, 20, 30, 40, 50, 60]
        }
    }
}

/// A payload type that carries keys as events (RFC 4733).
public struct TelephoneEventFormat: Sendable, Hashable {
    public var payloadType: UInt8
    /// In hertz.
    public var clockRate: Int

    public init(payloadType: UInt8, clockRate: Int) {
        self.payloadType = payloadType
        self.clockRate = clockRate
    }
}

/// What the peer asks of the Opus we send (RFC 7587 section 6.1). Unknown parameters are ignored, values clamped.
public struct OpusParameters: Sendable, Hashable {
    /// Hertz the peer can play, 8000 to 48000.
    public var maxPlaybackRate: Int
    /// Bits per second, 6000 to 510000; nil where the peer does not say.
    public var maxAverageBitrate: Int?
    public var stereo: Bool
    public var useInbandFEC: Bool
    public var useDTX: Bool
    public var cbr: Bool

    public init(
        maxPlaybackRate: Int = 48000, maxAverageBitrate: Int? = nil, stereo: Bool = false,
        useInbandFEC: Bool = false, useDTX: Bool = false, cbr: Bool = false
    ) {
        self.maxPlaybackRate = maxPlaybackRate
        self.maxAverageBitrate = maxAverageBitrate
        self.stereo = stereo
        self.useInbandFEC = useInbandFEC
        self.useDTX = useDTX
        self.cbr = cbr
    }

    public init(_ parameters: FormatParameters) {
        self.init(
            maxPlaybackRate: min(max(parameters.number("maxplaybackrate") ?? 48000, 8000), 48000),
            maxAverageBitrate: parameters.number("maxaveragebitrate").map { min(max($0, 6000), 510_000) },
            stereo: parameters.flag("stereo"), useInbandFEC: parameters.flag("useinbandfec"),
            useDTX: parameters.flag("usedtx"), cbr: parameters.flag("cbr"))
    }
}
