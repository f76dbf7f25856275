/// A payload type and its clock, as a session description's `a=rtpmap` gives them.
public struct RTPFormat: Hashable, Sendable {
    public var payloadType: UInt8
    /// Timestamp units per second.
    public var clockRate: Int

    public init(payloadType: UInt8, clockRate: Int) {
        self.payloadType = payloadType
        self.clockRate = clockRate
    }
}

/// What offer and answer agreed on for one stream, both ways. A re-INVITE brings a new value.
public struct RTPFormats: Hashable, Sendable {
    /// Formats that the peer may send; the first one's clock is used until a packet has shown another.
    public var receiveAudio: [RTPFormat]
    /// Telephone-event formats (RFC 4733) that the peer may send.
    public var receiveTelephoneEvents: [RTPFormat]
    /// What our own packets are. Its clock is the unit of the timestamps given to `writePacket`.
    public var sendAudio: RTPFormat
    /// What digits are sent in; `nil` when the peer takes none.
    public var sendTelephoneEvent: RTPFormat?
    /// What the peer may send its sound with copies of earlier packets in (RFC 2198); its clock is that of the sound.
    public var receiveRedundancy: RTPFormat?
    /// The payload type that ours may be sent so with.
    public var sendRedundancy: UInt8?
    /// Whether lost packets are asked for and sent again (RFC 4585 generic NACK).
    public var retransmission: Bool
    /// The number of the header extension that packets of both carry a transport-wide sequence number in, 1 to 14; `nil`: none.
    public var transportSequence: UInt8?
    /// Whether feedback goes without a report in front of it (RFC 5506).
    public var reducedSize: Bool
    /// Milliseconds of sound in a packet of the peer, assumed until its packets show it.
    public var packetMilliseconds: Int

    public init(
        receiveAudio: [RTPFormat], receiveTelephoneEvents: [RTPFormat] = [], sendAudio: RTPFormat,
        sendTelephoneEvent: RTPFormat? = nil, receiveRedundancy: RTPFormat? = nil, sendRedundancy: UInt8? = nil,
        retransmission: Bool = false, transportSequence: UInt8? = nil, reducedSize: Bool = false, packetMilliseconds: Int = 20
    ) {
        self.receiveAudio = receiveAudio
        self.receiveTelephoneEvents = receiveTelephoneEvents
        self.sendAudio = sendAudio
        self.sendTelephoneEvent = sendTelephoneEvent
        self.receiveRedundancy = receiveRedundancy
        self.sendRedundancy = sendRedundancy
        self.retransmission = retransmission
        self.transportSequence = transportSequence
        self.reducedSize = reducedSize
        self.packetMilliseconds = packetMilliseconds
    }
}

/// What a received payload type means: one array access per packet.
struct FormatTable {
    enum Kind {
        case audio, telephoneEvent, redundancy, comfortNoise, unknown
    }

    /// Comfort noise beside sound with a clock of 8000 Hz (RFC 3389 section 4). Nobody is asked to send it, for it cuts speech off;
    /// there are phones that send it unasked.
    private static let comfortNoise = RTPFormat(payloadType: 13, clockRate: 8_000)

    /// Clocks outside are nonsense from a session description; a format with one is treated as unknown.
    static let clockRates = 1_000...192_000

    private var kinds = [Kind](repeating: .unknown, count: 128)
    private var clockRates = [Int](repeating: 0, count: 128)
    let firstAudioClockRate: Int
    let packetMilliseconds: Int

    init(_ formats: RTPFormats) {
        let first = formats.receiveAudio.first { Self.clockRates.contains($0.clockRate) }
        firstAudioClockRate = first?.clockRate ?? 8_000
        packetMilliseconds = min(max(formats.packetMilliseconds, 1), 120)
        if formats.receiveAudio.contains(where: { $0.clockRate == Self.comfortNoise.clockRate }) {
            set(Self.comfortNoise, .comfortNoise)
        }
        for format in formats.receiveAudio { set(format, .audio) }
        for format in formats.receiveTelephoneEvents { set(format, .telephoneEvent) }
        if let format = formats.receiveRedundancy { set(format, .redundancy) }
    }

    private mutating func set(_ format: RTPFormat, _ kind: Kind) {
        guard format.payloadType < 128, Self.clockRates.contains(format.clockRate) else { return }
        kinds[Int(format.payloadType)] = kind
        clockRates[Int(format.payloadType)] = format.clockRate
    }

    /// - Parameter payloadType: 0 to 127
    func kind(of payloadType: UInt8) -> Kind { kinds[Int(payloadType & 0x7F)] }

    func clockRate(of payloadType: UInt8) -> Int { clockRates[Int(payloadType & 0x7F)] }
}
