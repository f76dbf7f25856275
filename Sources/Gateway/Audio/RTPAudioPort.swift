import NIOCore
import RTP
import SDP
import Transcode

/// The media view of a far end that speaks RTP: a browser or a trunk. Joins what RTP yields with the codecs.
///
/// Packets leave through `wire`, which protects and addresses them; decrypted packets come in by `receive`.
final class RTPAudioPort: AudioPort, InboundStreamOutput {
    private(set) var audio: NegotiatedAudio {
        didSet { acceptedTypes = PayloadTypes(audio) }
    }
    /// Those the peer may send, asked of every packet.
    private var acceptedTypes: PayloadTypes
    /// Cost and protection of Opus toward this peer; counts from the next `start` on.
    var opus: OpusEncoder.Settings
    /// While joined to a bridge, what nobody sends is silence on the wire: carriers and NATs take a stream that stops for dead.
    var keepsStreamAlive = false
    private let wire: any MediaWire
    private var session: RTPSession
    private var events: [RTPEvent] = []
    private let seed: UInt64

    private var inbound: InboundStream?
    private var outbound: OutboundStream?
    /// Owned until `stop`: a weak reference would make every retain of it on the path slow.
    private var sink: (any AudioSink)?
    /// The axis of what was sent so far, kept over changes of codec and bridge.
    private var axis: TimestampMapper?
    /// What was heard last of the far end before.
    private var seam = Seam()
    private var earlier = InboundStream.Counters()
    /// Toward a far end that takes no telephone-events.
    private var keyTones: KeyTones?
    /// Whether this peer may send keys as tones in its sound, where it sends no telephone-events; counts from the next `start` on.
    var detectsInbandKeys = false
    private var keysStaySound = false
    /// The other side takes Opus packets as they came.
    private var passing = OpusPassing.off
    /// Toward a phone that gets its keys by signalling, not in the stream.
    var signalledKeys: SignalledKeys?
    /// Whose line is listened to for tones; counts from the next `start` on, and from the first one for so long as it is useful.
    var lineSide: LineTones.Side?
    private var lineTonesUntil: NIODeadline?
    private var tonesHeard: [LineTone] = []
    /// How many of them were told.
    private var tonesTold = 0
    /// Whether the echo of a phone line is taken out; counts from the next `start` on.
    var cancelsEcho = false
    private var echo: LineEcho?
    /// Whether what the peer says is brought to a common level; counts from the next `start` on.
    var controlsGain = false
    private var gain: GainControl?
    /// What the peer's reports make of our Opus; kept over changes of codec and bridge.
    private(set) var adaptation: OpusAdaptation?
    private var reportsSeen = 0
    private var transportReportsSeen = 0

    /// When the peer's last accepted packet came.
    private(set) var lastReceived: NIODeadline?
    /// RTCP BYE came.
    private(set) var hasSaidGoodbye = false

    /// - Parameter localSSRC: our source where a description already named it; else drawn.
    init(
        audio: NegotiatedAudio, wire: any MediaWire, opus: OpusEncoder.Settings, cname: String, localSSRC: UInt32? = nil,
        using generator: inout some RandomNumberGenerator, now: NIODeadline
    ) {
        self.audio = audio
        acceptedTypes = PayloadTypes(audio)
        self.wire = wire
        self.opus = opus
        seed = generator.next()
        var configuration = RTPSession.Configuration(formats: audio.rtpFormats, cname: cname, using: &generator)
        if let localSSRC { configuration.localSSRC = localSSRC }
        session = RTPSession(configuration: configuration, now: now)
        events.reserveCapacity(16)
    }

    var localSSRC: UInt32 { session.localSSRC }

    // MARK: AudioPort

    var nativeRates: [Int] {
        switch audio.codec {
        case .opus: [48000, 24000, 16000, 8000]
        case .g722, .l16Wide: [16000]
        case .pcmu, .pcma, .l16Narrow: [8000]
        }
    }

    var wantsGapFreeStream: Bool { false }

    var followsRate: Bool { true }

    var takesKeysAsSound: Bool { audio.telephoneEvent == nil && signalledKeys == nil }

    func prepare(keysStaySound: Bool) { self.keysStaySound = keysStaySound }

    /// A packet cannot be made louder: where the level is to change, samples go on.
    func prepare(passing: OpusPassing) { self.passing = controlsGain ? .off : passing }

    func start(rate: Int, gapFree: Bool, sink: any AudioSink, now: NIODeadline) {
        stop()
        self.sink = sink
        let stream = InboundStream(formats: audio.receivePayloadTypes, rate: rate, gapFree: gapFree, seed: seed, now: now)
        stream.output = self
        stream.isHeld = !audio.direction.receives
        if detectsInbandKeys, audio.receiveTelephoneEvents.isEmpty, !keysStaySound { stream.inbandKeys = InbandKeys(rate: rate) }
        if let lineSide {
            let until = lineTonesUntil ?? now + lineSide.listening
            lineTonesUntil = until
            if now < until { stream.lineTones = LineTones(lineSide, rate: rate, until: until) }
        }
        // What is passed on undecoded goes by the canceller unheard.
        stream.echo = passing == .off ? lineEcho : nil
        stream.gain = gainControl(at: rate)
        stream.passing = passing
        inbound = stream
        // An agent can wait for what is sent again, for it does not play the sound; a phone's or browser's jitter buffer would
        // have to grow for it.
        session.setAsksAgain(gapFree || passing != .off)
        keyTones = takesKeysAsSound ? KeyTones(rate: rate) : nil
        outbound = OutboundStream(audio: audio, rate: rate, opus: opus, after: axis, now: now)
        outbound?.echo = stream.echo
        outbound?.seam = seam
        refitAdaptation()
    }

    /// What was negotiated bounds the adaptation; what it knows of the network holds on.
    private func refitAdaptation() {
        guard let limits = OpusAdaptation.Limits(audio, opus) else { return }
        if adaptation?.change(limits) == nil { adaptation = OpusAdaptation(limits) }
        applyAdaptation()
    }

    /// The one there is, where the codec is still the same: what was learnt of a line is kept.
    private var lineEcho: LineEcho? {
        guard cancelsEcho else { return nil }
        if echo == nil || echo?.codec != audio.codec { echo = LineEcho(codec: audio.codec) }
        return echo
    }

    /// The one there is: what was learnt of the voice is kept.
    private func gainControl(at rate: Int) -> GainControl? {
        guard controlsGain else { return nil }
        let control = gain ?? GainControl(rate: rate)
        control.rate = rate
        gain = control
        return control
    }

    private func applyAdaptation() {
        guard let decision = adaptation?.decision else { return }
        outbound?.apply(decision)
        session.setRedundant(decision.isRedundant)
    }

    func stop() {
        if let inbound { earlier.add(inbound.counters) }
        axis = outbound?.mapper ?? axis
        seam = outbound?.seam ?? seam
        seam.open()
        inbound = nil
        outbound = nil
        keyTones = nil
        sink = nil
    }

    func send(_ frame: borrowing AudioFrame, now: NIODeadline) {
        guard let outbound, audio.direction.sends, !session.isSendingDigit, keyTones?.isSounding != true else { return }
        outbound.send(frame, now: now) { write($0, now: now) }
    }

    private func write(_ packet: OutboundStream.Packet, now: NIODeadline) {
        guard let buffer = wire.packetBuffer() else { return }
        let length = session.writePacket(
            payload: packet.payload, timestamp: packet.timestamp, marker: packet.marker, now: now, into: buffer)
        if length > 0 { wire.sendMedia(length: length, now: now) }
    }

    func setSilence(level: Float) { outbound?.setSilence(level: level) }

    func send(digit: Digit, duration: Int, now: NIODeadline) {
        if let signalledKeys { return signalledKeys.add(digit, milliseconds: duration) }
        guard let outbound, audio.direction.sends else { return }
        if let keyTones { return keyTones.add(digit) }
        let timestamp = outbound.timestamp(at: now)
        guard session.startDigit(digit.event, duration: .milliseconds(Int64(duration)), timestamp: timestamp, now: now) else { return }
        sendDueDigits(now: now)
    }

    var pathDescription: String {
        let rate = inbound?.rate ?? 0
        let name = "\(audio.codec.sdpName)/\(audio.codec.rtpClockRate) pt \(audio.payloadType) \(audio.packetTime) ms"
        let keys = audio.telephoneEvent == nil ? "" : ", telephone-event"
        if passing != .off, audio.codec == .opus { return "\(name) [packets passed on, encode from \(rate)\(keys)]" }
        return "\(name) [decode to \(rate), encode from \(rate)\(keys)]"
    }

    // MARK: Packets

    /// One decrypted RTP packet of the accepted source.
    func receive(_ packet: UnsafeRawBufferPointer, from source: TransportAddress, now: NIODeadline) {
        lastReceived = now
        withEvents { session.receive(packet, from: source, now: now, into: &$0) } handle: { handle($0, now: now) }
        sendFeedback(now: now)
    }

    /// What the peer should know of its packets before the next report.
    private func sendFeedback(now: NIODeadline) {
        while session.hasFeedback(now: now), let buffer = wire.packetBuffer(), let length = session.writeFeedback(now: now, into: buffer) {
            wire.sendControl(length: length, now: now)
        }
    }

    /// One decrypted RTCP packet.
    func receiveControl(_ packet: UnsafeRawBufferPointer, now: NIODeadline) {
        lastReceived = now
        withEvents { session.receiveControl(packet, now: now, into: &$0) } handle: { handle($0, now: now) }
        if let report = session.transportReport, report.number != transportReportsSeen {
            transportReportsSeen = report.number
            if adaptation?.receive(report, now: now) == true { applyAdaptation() }
        }
        guard let report = session.peerReport, report.number != reportsSeen else { return }
        reportsSeen = report.number
        if adaptation?.receive(report, now: now) == true { applyAdaptation() }
    }

    /// What is waited for no longer. To be called at `deadline`.
    func expire(now: NIODeadline) {
        withEvents { session.expire(now: now, into: &$0) } handle: { handle($0, now: now) }
    }

    var deadline: NIODeadline? { session.deadline }

    /// Once every 20 ms: filling, keys and reports.
    func tick(now: NIODeadline, wallClock: NTPTimestamp) {
        inbound?.tick(jitterMilliseconds: session.statistics.jitterMilliseconds, isWaiting: session.isWaiting, now: now)
        sendDueDigits(now: now)
        sendFeedback(now: now)
        if session.isSendingDigit { outbound?.withhold(now: now) } else if audio.direction.sends { sendOwnSound(now: now) }
        guard now >= session.reportDeadline, let buffer = wire.packetBuffer(),
            let length = session.writeControl(now: now, wallClock: wallClock, into: buffer)
        else { return }
        wire.sendControl(length: length, now: now)
    }

    /// What goes out though nobody sent it: keys as tones, and silence where a stream must not die.
    private func sendOwnSound(now: NIODeadline) {
        if let keyTones, keyTones.isSounding {
            outbound?.sound(now: now, generate: { keyTones.generate(into: $0) }, emit: { write($0, now: now) })
        } else if keepsStreamAlive {
            outbound?.keepAlive(now: now) { write($0, now: now) }
        }
    }

    /// The last report: our source falls silent.
    func sendGoodbye(now: NIODeadline, wallClock: NTPTimestamp) {
        guard let buffer = wire.packetBuffer(),
            let length = session.writeGoodbye(now: now, wallClock: wallClock, into: buffer)
        else { return }
        wire.sendControl(length: length, now: now)
    }

    /// A new answer of the same leg (hold, resume, another codec). Our SSRC, sequence numbers and axis go on.
    func renegotiate(_ agreed: NegotiatedAudio, now: NIODeadline) {
        // What the peer sent before it had our answer is of the types of before, and their meaning holds for the whole session
        // (RFC 3264 section 8.3.2).
        var audio = agreed
        audio.receivePayloadTypes.merge(self.audio.receivePayloadTypes) { new, _ in new }
        let changesCodec = audio.codec != self.audio.codec || audio.packetTime != self.audio.packetTime
        let changesFormats = audio.receivePayloadTypes != self.audio.receivePayloadTypes
            || (audio.telephoneEvent == nil) != (self.audio.telephoneEvent == nil)
        self.audio = audio
        session.renegotiate(audio.rtpFormats)
        session.setAsksAgain(inbound.map { $0.isGapFree || passing != .off } ?? false)
        if let inbound, let sink, changesCodec || changesFormats {
            if !sink.restarts(after: self, now: now) {
                start(rate: inbound.rate, gapFree: inbound.isGapFree, sink: sink, now: now)
            }
        } else {
            outbound?.change(opus.fitted(to: audio))
            refitAdaptation()
        }
        inbound?.isHeld = !audio.direction.receives
    }

    /// The browser says that its silence is meant (muted microphone).
    func setMuted(_ isMuted: Bool) { inbound?.isHeld = isMuted || !audio.direction.receives }

    /// A payload type the peer may send.
    func isNegotiated(payloadType: UInt8) -> Bool { acceptedTypes.contains(payloadType) }

    // MARK: Figures

    var statistics: RTPStatistics { session.statistics }

    /// Of a phone line that has an echo.
    var echoFigures: LineEchoCanceller.Figures? { echo?.figures }

    /// Of a peer whose level is changed, once it spoke.
    var gainFigures: GainControl.Figures? { gain?.figures }

    var inboundCounters: InboundStream.Counters {
        var sum = earlier
        if let inbound { sum.add(inbound.counters) }
        return sum
    }

    // MARK: InboundStreamOutput

    func inbound(_ frame: borrowing AudioFrame, now: NIODeadline) {
        sink?.receive(frame, from: self, now: now)
    }

    func inbound(key: Digit, now: NIODeadline) {
        sink?.receive(digit: key, from: self, now: now)
    }

    func inbound(tone: LineTone) {
        if !tonesHeard.contains(tone) { tonesHeard.append(tone) }
    }

    /// A tone heard on the line, each once; nil when there is none that was not told.
    func takeLineTone() -> LineTone? {
        guard tonesTold < tonesHeard.count else { return nil }
        tonesTold += 1
        return tonesHeard[tonesTold - 1]
    }

    // MARK: Inside

    /// Lets `body` append to the event list and handles what it appended, without allocating a list per packet.
    private func withEvents(_ body: (inout [RTPEvent]) -> Void, handle: (RTPEvent) -> Void) {
        var list = events
        events = []
        body(&list)
        for (index, event) in list.enumerated() {
            inbound?.isFollowed = index + 1 < list.count
            handle(event)
        }
        list.removeAll(keepingCapacity: true)
        events = list
    }

    private func handle(_ event: RTPEvent, now: NIODeadline) {
        switch event {
        case .frame(let frame): inbound?.receive(frame, now: now)
        case .lost(let lost): inbound?.receive(lost, now: now)
        case .gap(let gap): inbound?.receive(gap)
        case .comfortNoise(let level):
            inbound?.receive(noiseLevel: -Float(level), now: now)
            sink?.receive(silenceLevel: -Float(level), from: self)
        case .digit(.started(let event, _)):
            inbound?.isMuted = true
            if let digit = Digit(event: event) { sink?.receive(digit: digit, from: self, now: now) }
        case .digit(.ended): inbound?.isMuted = false
        case .goodbye: hasSaidGoodbye = true
        case .resend(let sequence): wire.resend(sequence)
        }
    }

    private func sendDueDigits(now: NIODeadline) {
        while let due = session.digitDeadline, due <= now, let buffer = wire.packetBuffer(),
            let length = session.writeDigitPacket(now: now, into: buffer)
        {
            wire.sendMedia(length: length, now: now)
        }
    }
}

extension NegotiatedAudio {
    /// What the RTP session needs to know of it.
    var rtpFormats: RTPFormats {
        RTPFormats(
            receiveAudio: receivePayloadTypes.map { RTPFormat(payloadType: $0.key, clockRate: $0.value.rtpClockRate) },
            receiveTelephoneEvents: receiveTelephoneEvents.map { RTPFormat(payloadType: $0.payloadType, clockRate: $0.clockRate) },
            sendAudio: RTPFormat(payloadType: payloadType, clockRate: codec.rtpClockRate),
            sendTelephoneEvent: telephoneEvent.map { RTPFormat(payloadType: $0.payloadType, clockRate: $0.clockRate) },
            receiveRedundancy: receiveRedundancy.map { RTPFormat(payloadType: $0, clockRate: codec.rtpClockRate) },
            sendRedundancy: sendRedundancy, retransmission: feedback.retransmission,
            transportSequence: feedback.transportSequence, reducedSize: feedback.reducedSize, packetMilliseconds: packetTime)
    }
}
