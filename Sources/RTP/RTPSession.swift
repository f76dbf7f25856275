import NIOCore

/// One RTP session with one peer (RFC 3550): packets of one accepted source in, as frames, losses and keys in order;
/// packets of our one source out; and the reports of both.
///
/// An engine without socket and clock: `now` is given to each call. It knows neither codecs nor encryption: packets
/// are given to it decrypted, and encrypted after it wrote them. Once its storage has been used for the first time it
/// allocates nothing. A peer that mirrors our own packets, SSRC and all, is taken as it is.
public struct RTPSession: ~Copyable {
    /// The identity of our source, and what was negotiated.
    public struct Configuration: Sendable {
        public var localSSRC: UInt32
        /// Kept below 2^15, so that a loss of the first packets cannot confuse the peer's SRTP rollover counter.
        public var initialSequence: UInt16
        /// The value on the wire of timestamp 0 on our axis.
        public var initialTimestamp: UInt32
        /// Spreads the reports in time.
        public var reportSeed: UInt64
        /// The canonical name in our reports, the same for all sources of one call.
        public var cname: String
        public var formats: RTPFormats
        /// Whether to ask for the round trip time while we send nothing (RFC 3611, 4.4): only if the peer negotiated
        /// `a=rtcp-xr:rcvr-rtt`.
        public var asksForRoundTrip = false

        /// Draws SSRC, first sequence number, timestamp offset and report times from `generator`.
        public init(formats: RTPFormats, cname: String, using generator: inout some RandomNumberGenerator) {
            localSSRC = .random(in: .min ... .max, using: &generator)
            initialSequence = .random(in: 0...0x7FFF, using: &generator)
            initialTimestamp = .random(in: .min ... .max, using: &generator)
            reportSeed = .random(in: .min ... .max, using: &generator)
            self.cname = cname
            self.formats = formats
        }
    }

    public let localSSRC: UInt32
    /// As negotiated last.
    public private(set) var formats: RTPFormats
    var reception: Reception
    var sender: PacketSender
    var keys = TelephoneEventSender()
    private var redundancy = RedundancyWriter()
    var history = RetransmissionHistory()
    var transport = TransportHistory()
    /// Whether each packet of sound carries the one before it, where the peer takes that (RFC 2198).
    public private(set) var isRedundant = false
    var control: ControlState

    /// - Parameter now: the first report comes about 2.5 s later
    public init(configuration: Configuration, now: NIODeadline) {
        localSSRC = configuration.localSSRC
        formats = configuration.formats
        reception = Reception(formats: configuration.formats)
        sender = PacketSender(
            ssrc: configuration.localSSRC, firstSequence: configuration.initialSequence & 0x7FFF,
            timestampOffset: configuration.initialTimestamp)
        control = ControlState(configuration: configuration, now: now)
    }

    /// New formats from a re-INVITE. Our SSRC, sequence numbers and timestamp offset go on.
    public mutating func renegotiate(_ formats: RTPFormats) {
        self.formats = formats
        reception.renegotiate(formats)
        if formats.sendTelephoneEvent == nil { keys.cancel() }
        if !formats.retransmission { reception.requests.isWanted = false }
    }

    /// The clock of our axis. A session description's nonsense must not reach arithmetic.
    var soundClock: Int {
        min(max(formats.sendAudio.clockRate, FormatTable.clockRates.lowerBound), FormatTable.clockRates.upperBound)
    }

    // MARK: Receiving

    /// Takes one decrypted RTP packet.
    /// - Parameters:
    ///   - packet: the datagram; frames refer to it without a copy
    ///   - source: where it came from, already accepted by ICE or `SourceLatch`
    ///   - events: what follows from it, in order; ranges in it are valid until the next call
    public mutating func receive(
        _ packet: UnsafeRawBufferPointer, from source: TransportAddress, now: NIODeadline,
        into events: inout [RTPEvent]
    ) {
        reception.receive(packet, from: source, now: now, into: &events)
    }

    /// Gives up what has been waited for long enough. To be called when `deadline` has come; earlier does no harm.
    public mutating func expire(now: NIODeadline, into events: inout [RTPEvent]) {
        reception.expire(now: now, into: &events)
    }

    /// When a missing packet, or the lost end of a key, is to be given up by `expire`; `nil` when nothing is awaited.
    /// Reports and keys of our own have `reportDeadline` and `digitDeadline`.
    public var deadline: NIODeadline? { reception.deadline }

    /// Whether packets are held for one that is missing: the stream goes on within `ReorderingWait.maximum`.
    public var isWaiting: Bool { reception.isWaiting }

    /// The source accepted at present; `nil` before its first packet.
    public var remoteSSRC: UInt32? { reception.source?.ssrc }

    // MARK: Sending

    /// Writes one packet of sound into the caller's buffer.
    /// - Parameters:
    ///   - payload: the codec's bytes; they may already lie in `buffer`, at `RTPPacketView.headerLength`
    ///   - timestamp: on our own axis, extended, in units of `formats.sendAudio.clockRate`. It must be beyond the one
    ///     before; the random offset of the wire is added here
    ///   - marker: the first packet after silence or a new base
    /// - Returns: the packet's length; 0 when the buffer is too small for it.
    public mutating func writePacket(
        payload: UnsafeRawBufferPointer, timestamp: Int64, marker: Bool, now: NIODeadline,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Int {
        let primary = formats.sendAudio.payloadType
        if formats.retransmission { history.sent(sender.nextSequence, now: now) }
        if isRedundant, let type = formats.sendRedundancy,
            let whole = redundancy.wrap(payload, timestamp: timestamp, primaryType: primary)
        {
            return sender.write(
                whole, payloadType: type, timestamp: timestamp, marker: marker,
                extending: stamp(whole.count, afterPause: marker, now: now), now: now, into: buffer)
        }
        return sender.write(
            payload, payloadType: primary, timestamp: timestamp, marker: marker,
            extending: stamp(payload.count, afterPause: marker, now: now), now: now, into: buffer)
    }

    /// The transport-wide number of the packet that is written next, where the peer tells what became of it.
    private mutating func stamp(_ bytes: Int, afterPause: Bool, now: NIODeadline) -> PacketSender.Extension? {
        guard let identifier = formats.transportSequence else { return nil }
        return PacketSender.Extension(identifier: identifier, number: transport.sent(bytes: bytes, afterPause: afterPause, now: now))
    }

    /// From the next packet on each carries the one before it, or does no longer; nothing where the peer does not take it.
    public mutating func setRedundant(_ isRedundant: Bool) {
        guard isRedundant != self.isRedundant else { return }
        self.isRedundant = isRedundant
        redundancy.forget()
    }

    /// The timestamp of the last packet sent, sound or key, on our axis.
    public var lastTimestampSent: Int64? { sender.lastTimestamp }

    /// Sends a key as telephone-event, after those asked for before. Its packets are fetched by `writeDigitPacket`.
    /// - Parameters:
    ///   - event: 0 to 9, 10 is *, 11 is #, 12 to 15 are A to D
    ///   - duration: how long it is pressed, at least 40 ms
    ///   - timestamp: our axis at `now`
    /// - Returns: false when the peer takes none, the key does not exist, or 64 wait already.
    public mutating func startDigit(
        _ event: UInt8, duration: TimeAmount, timestamp: Int64, now: NIODeadline
    ) -> Bool {
        guard TelephoneEventReceiver.keys.contains(event), let format = formats.sendTelephoneEvent,
            FormatTable.clockRates.contains(format.clockRate)
        else { return false }
        return keys.start(event, duration: duration, timestamp: timestamp, now: now)
    }

    /// Whether keys are being sent or wait: no sound is to be sent meanwhile (RFC 4733, 2.5.1.2).
    public var isSendingDigit: Bool { keys.isSending }

    /// When `writeDigitPacket` has the next packet.
    public var digitDeadline: NIODeadline? { keys.deadline }

    /// Writes the telephone-event packet that is due. To be called again until it returns `nil`.
    /// - Parameter buffer: at least 24 bytes
    /// - Returns: the packet's length.
    public mutating func writeDigitPacket(
        now: NIODeadline, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        guard let format = formats.sendTelephoneEvent,
            buffer.count >= RTPPacketView.headerLength + PacketSender.Extension.length + TelephoneEventPayload.length,
            let packet = keys.next(
                now: now, eventClock: format.clockRate, soundClock: soundClock,
                after: keys.isPressed ? nil : sender.lastTimestamp)
        else { return nil }
        let stamp = stamp(TelephoneEventPayload.length, afterPause: false, now: now)
        return withUnsafeBytes(of: packet.payload.encoded.bigEndian) { payload in
            sender.write(
                payload, payloadType: format.payloadType, timestamp: packet.timestamp, marker: packet.marker,
                standsStill: true, extending: stamp, now: now, into: buffer)
        }
    }

    // MARK: Figures

    public var statistics: RTPStatistics {
        var statistics = reception.counters
        statistics.packetsSent = sender.packets
        statistics.octetsSent = sender.octets
        statistics.lost = reception.lost
        statistics.jitterMilliseconds = reception.source?.jitter.milliseconds ?? 0
        statistics.reorderingWait = reception.wait.current
        statistics.transportReports = transport.report?.number ?? 0
        control.report(to: &statistics, clockRate: soundClock)
        return statistics
    }
}
