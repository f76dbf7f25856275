/// What an offer and its answer agreed on for sound, seen from our side. Both kinds of leg speak of it in these words.
public struct NegotiatedAudio: Sendable, Hashable {
    /// What we send.
    public var codec: AudioCodec
    /// The number on what we send.
    public var payloadType: UInt8
    /// What we may receive.
    public var receivePayloadTypes: [UInt8: AudioCodec]
    /// What we send keys with; its clock equals the codec's where that was offered, else 8000. nil: no events agreed on.
    public var telephoneEvent: TelephoneEventFormat?
    /// What keys may arrive as.
    public var receiveTelephoneEvents: [TelephoneEventFormat]
    /// Milliseconds of sound in a packet we send: 10 to 60, one of `codec.packetTimes`.
    public var packetTime: Int
    /// Milliseconds of sound the peer takes in a packet (`a=maxptime`), at most what we send.
    public var maximumPacketTime = PacketTime.range.upperBound
    /// What the peer asks of the Opus we send.
    public var opus: OpusParameters
    /// What Opus is sent as with copies of earlier packets in it (RFC 2198), and what it may be received as so; nil: not agreed on.
    public var sendRedundancy: UInt8?
    public var receiveRedundancy: UInt8?
    /// What is told beside the reports; nothing toward trunks.
    public var feedback = AudioFeedback()
    /// Ours: `sendonly` means that we send.
    public var direction: MediaDirection
    /// Where our RTP goes, as written (numeric, or a host name). nil for a browser, where ICE decides, and for an address
    /// of zeros, which is a hold: `direction` then does not send.
    public var remoteAddress: String?
    /// The port of the `m=` line; 0 for a browser.
    public var remotePort: Int
    /// Where our RTCP goes: `a=rtcp`, else the port after `remotePort`. nil with `rtcpMux`, where it goes to `remotePort`.
    public var remoteControlPort: Int?
    /// Whether RTP and RTCP share one port (RFC 5761).
    public var rtcpMux: Bool

    public init(
        codec: AudioCodec, payloadType: UInt8, receivePayloadTypes: [UInt8: AudioCodec],
        telephoneEvent: TelephoneEventFormat? = nil, receiveTelephoneEvents: [TelephoneEventFormat] = [],
        packetTime: Int = PacketTime.standard, opus: OpusParameters = OpusParameters(),
        direction: MediaDirection = .sendrecv, remoteAddress: String? = nil, remotePort: Int = 0,
        remoteControlPort: Int? = nil, rtcpMux: Bool = false
    ) {
        self.codec = codec
        self.payloadType = payloadType
        self.receivePayloadTypes = receivePayloadTypes
        self.telephoneEvent = telephoneEvent
        self.receiveTelephoneEvents = receiveTelephoneEvents
        self.packetTime = packetTime
        self.opus = opus
        self.direction = direction
        self.remoteAddress = remoteAddress
        self.remotePort = remotePort
        self.remoteControlPort = remoteControlPort
        self.rtcpMux = rtcpMux
    }

    /// What follows from the peer's section. `theirs` holds the peer's numbers, the one to send with first; `ours` the
    /// numbers we told it to send with (RFC 3264 section 5.1: each side names the numbers it wants to receive).
    /// nil where `theirs` is empty. Address, ports and multiplexing are the caller's to fill in.
    public init?(theirs: AudioCapabilities, ours: AudioCapabilities, section: MediaDescription, direction: MediaDirection) {
        guard let format = theirs.formats.first else { return nil }
        self.init(
            codec: format.codec, payloadType: format.payloadType,
            receivePayloadTypes: Dictionary(
                ours.formats.map { ($0.payloadType, $0.codec) }, uniquingKeysWith: { first, _ in first }),
            telephoneEvent: theirs.telephoneEvent(beside: format.codec), receiveTelephoneEvents: ours.telephoneEvents,
            packetTime: PacketTime.chosen(
                for: format, packetTime: section.packetTime, maximumPacketTime: section.maximumPacketTime),
            opus: format.codec == .opus ? OpusParameters(format.parameters) : OpusParameters(), direction: direction)
        if format.codec == .opus {
            sendRedundancy = theirs.redundancy?.payloadType
            receiveRedundancy = ours.redundancy?.payloadType
        }
        if let most = section.maximumPacketTime { maximumPacketTime = min(max(most, packetTime), PacketTime.range.upperBound) }
    }
}

/// How much sound goes into one packet.
public enum PacketTime {
    /// Milliseconds where the peer does not say otherwise.
    public static let standard = 20
    /// Milliseconds we send: more adds delay, less adds overhead nobody asks for.
    public static let range = 10...60

    /// The longest packet time of the codec that is not above what the peer asks for (`ptime`) and takes (`maxptime`), nor,
    /// for Opus, below the `minptime` of its decoder.
    static func chosen(for format: AudioFormat, packetTime: Int?, maximumPacketTime: Int?) -> Int {
        let times = format.codec.packetTimes
        let wanted = min(packetTime ?? standard, maximumPacketTime ?? range.upperBound)
        let chosen = times.last { $0 <= wanted } ?? range.lowerBound
        guard format.codec == .opus, let minimum = format.parameters.number("minptime"), minimum > chosen else { return chosen }
        return times.first { $0 >= minimum } ?? range.upperBound
    }
}
