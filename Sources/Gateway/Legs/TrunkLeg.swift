import Logging
import NIOCore
import RTP
import SDP
import SIPStack
import Transcode

/// A phone behind a SIP trunk: RTP on a port of its own, in the clear.
final class TrunkLeg: Leg, MediaWire {
    /// What a trunk leg is made for.
    struct Parameters: Sendable {
        /// The address in our descriptions.
        var localAddress: String
        /// Where the call's signalling comes from.
        var signallingPeer: TransportAddress?
        /// The trunk's `accept_from`.
        var acceptFrom: [AddressPrefix]
        var codecs: [AudioCodec]
        var sendsTelephoneEvents: Bool
        /// Whether keys go to the phone by SIP INFO.
        var signalsKeys: Bool
        /// Whether keys are looked for in the sound of a phone that sends no telephone-events.
        var detectsInbandKeys: Bool
        /// The trunk's `echo`.
        var cancelsEcho: Bool
        /// The trunk's `agc`.
        var controlsGain: Bool
        var sessionID: UInt64
        var cname: String

        /// - Parameter hosts: addresses that are called; their sound may come from elsewhere than their description says
        init(
            trunk: Trunk, call: CallID, signallingPeer: TransportAddress?, hosts: [String] = [], localAddress: String, now: NIODeadline
        ) {
            self.localAddress = localAddress
            self.signallingPeer = signallingPeer
            acceptFrom = (trunk.acceptFrom.map(\.description) + hosts).compactMap { AddressPrefix($0) }
            codecs = trunk.codecs.compactMap { AudioCodec(rawValue: $0.rawValue.lowercased()) }
            sendsTelephoneEvents = trunk.dtmf != .inband && trunk.dtmf != .info
            signalsKeys = trunk.dtmf == .info
            detectsInbandKeys = trunk.dtmf == .auto || trunk.dtmf == .inband
            cancelsEcho = trunk.echo == .auto
            controlsGain = trunk.agc == .auto
            sessionID = UInt64(now.uptimeNanoseconds)
            cname = call.description
        }
    }

    private(set) var port: RTPAudioPort
    /// Unless the other end is a phone too: two phones hear each other as they are.
    private let cancelsEcho: Bool
    private let controlsGain: Bool
    private let socket: TrunkPort
    private var description: TrunkMediaSession
    private var latch: SourceLatch
    private let io: any MediaIO
    private unowned let table: LegTable
    private let logger: Logger
    private weak var events: (any LegEvents)?
    private let deferred: DeferredWire
    private var slot: UnsafeMutableRawBufferPointer?
    private var isOver = false
    private var malformed = 0
    private var wasLatched = false

    private(set) var isReady = false
    /// When a 200 was sent: the phone gets a second to acknowledge or to send before we talk.
    private var readyBy: NIODeadline?
    /// False until the answer to an offer of ours came: nothing is known of the phone yet.
    private(set) var isNegotiated: Bool
    /// The call is answered: from here on silence means that the phone is gone.
    private var isAnswered = false
    private var started: NIODeadline

    /// Sound begins at the latest this long after our 200 (RIVALS 15: greetings clipped).
    private static let readyLimit = TimeAmount.seconds(1)
    /// A phone that sends neither sound nor reports for this long is gone, unless it holds.
    static let silenceLimit = TimeAmount.seconds(60)

    /// - Parameters:
    ///   - audio: what was agreed on; for an offer of ours, what is assumed until the answer comes
    ///   - isNegotiated: false while our own offer is not answered
    init(
        parameters: Parameters, socket: TrunkPort, description: TrunkMediaSession, audio: NegotiatedAudio, isNegotiated: Bool,
        io: any MediaIO, table: LegTable, events: any LegEvents, logger: Logger, port: (any MediaWire) -> RTPAudioPort, now: NIODeadline
    ) {
        self.socket = socket
        cancelsEcho = parameters.cancelsEcho
        controlsGain = parameters.controlsGain
        self.description = description
        self.io = io
        self.table = table
        self.events = events
        self.logger = logger
        self.isNegotiated = isNegotiated
        started = now
        latch = SourceLatch(
            sdpAddress: isNegotiated ? audio.remoteTransportAddress : nil, signallingPeer: parameters.signallingPeer,
            acceptFrom: parameters.acceptFrom)
        let wire = DeferredWire()
        self.port = port(wire)
        deferred = wire
        wire.target = self
        self.port.keepsStreamAlive = true
        self.port.detectsInbandKeys = parameters.detectsInbandKeys
        self.port.signalledKeys = parameters.signalsKeys ? SignalledKeys() : nil
        table.register(self, socket)
    }

    deinit { deferred.target = nil }

    // MARK: Negotiation

    /// Answers a re-INVITE. Nothing changes when it cannot be answered.
    func reoffer(_ offer: String, now: NIODeadline) throws(TrunkMediaError) -> String {
        let (sdp, audio) = try description.answer(offer: offer)
        apply(audio, now: now)
        return sdp
    }

    /// Our offer, for a re-INVITE without one.
    func offer() -> String { description.offer() }

    /// The answer to an offer of ours.
    func accept(answer: String, now: NIODeadline) throws(TrunkMediaError) {
        let audio = try description.accept(answer: answer)
        isNegotiated = true
        apply(audio, now: now)
    }

    private func apply(_ audio: NegotiatedAudio, now: NIODeadline) {
        latch.renegotiated(sdpAddress: audio.remoteTransportAddress)
        port.renegotiate(audio, now: now)
        started = now
    }

    /// The phone called: our 200 is on its way.
    func answered(now: NIODeadline) {
        establish(now: now)
        if !isReady { readyBy = now + Self.readyLimit }
    }

    /// The phone called, and hears sound before our 200: our description is on its way in a 183.
    func openEarly() { becomeReady() }

    /// The phone was called and answers, or sends sound before that (`isFinal` false). Each branch of a forked call may
    /// answer; the last one counts.
    func takeAnswer(_ answer: String, isFinal: Bool, now: NIODeadline) throws(TrunkMediaError) {
        try accept(answer: answer, now: now)
        if isFinal { establish(now: now) }
        becomeReady()
    }

    private func establish(now: NIODeadline) {
        isAnswered = true
        started = now
    }

    /// The ACK came.
    func acknowledged() { becomeReady() }

    private func becomeReady() {
        guard !isReady, isNegotiated else { return }
        isReady = true
        readyBy = nil
        events?.legBecameReady()
    }

    // MARK: Leg

    func tick(now: NIODeadline, wallClock: NTPTimestamp) {
        port.tick(now: now, wallClock: wallClock)
        if let key = port.signalledKeys?.next(now: now) { events?.leg(self, signals: key.digit, milliseconds: key.milliseconds) }
        while let tone = port.takeLineTone() { events?.leg(self, heard: tone) }
    }

    /// Told before the leg is joined to another: a phone's own network has taken out what there is to take out. The same holds for
    /// the built-in echo, whose sound is the line's own voice. Where no echo is taken out the level stays as well: an echo raised on its
    /// way out and again on its way back would howl.
    func prepare(isWithPhone: Bool) {
        port.cancelsEcho = cancelsEcho && !isWithPhone
        port.controlsGain = controlsGain && !isWithPhone
    }

    func expire(now: NIODeadline) {
        port.expire(now: now)
        if let readyBy, readyBy <= now { becomeReady() }
        if let silence = silenceDeadline, silence <= now {
            isOver = true
            events?.legEnded(self, CallEnd(.mediaTimeout, detail: "No packet arrived from the phone for 60 seconds."))
        }
    }

    var deadline: NIODeadline? {
        guard !isOver else { return nil }
        return NIODeadline.earlier(NIODeadline.earlier(port.deadline, readyBy), silenceDeadline)
    }

    private var silenceDeadline: NIODeadline? {
        // A phone that holds us says that it sends (RFC 3264 8.4), but one without music for us sends nothing for as long as it likes.
        guard isReady, isAnswered, port.audio.direction == .sendrecv else { return nil }
        return max(port.lastReceived ?? started, started) + Self.silenceLimit
    }

    func close(now: NIODeadline, wallClock: NTPTimestamp) {
        isOver = true
        port.sendGoodbye(now: now, wallClock: wallClock)
        table.remove(socket)
        io.close(socket)
    }

    var figures: LegFigures {
        LegFigures(
            rtp: port.statistics, codec: isNegotiated ? port.audio.codec.sdpName : nil,
            address: latch.destination.map { Redacted($0).description }, inbound: port.inboundCounters, malformed: malformed,
            echo: port.echoFigures, gain: port.gainFigures)
    }

    // MARK: Network

    /// A datagram on the RTP port; RTCP comes here too when multiplexed.
    func receive(_ datagram: UnsafeMutableRawBufferPointer, from source: TransportAddress, now: NIODeadline) {
        let packet = UnsafeRawBufferPointer(datagram)
        if RTPPacketView.isControl(packet) { return receiveControl(datagram, from: source, now: now) }
        guard let view = RTPPacketView(packet) else {
            malformed += 1
            return
        }
        let isKnown = port.isNegotiated(payloadType: view.payloadType)
        guard latch.accept(from: source, sequence: view.sequenceNumber, payloadTypeNegotiated: isKnown, now: now) else {
            malformed += 1
            return
        }
        noteLatching()
        port.receive(packet, from: source, now: now)
        becomeReady()
    }

    func receiveControl(_ datagram: UnsafeMutableRawBufferPointer, from source: TransportAddress, now: NIODeadline) {
        guard latch.acceptsControl(from: source) else {
            malformed += 1
            return
        }
        port.receiveControl(UnsafeRawBufferPointer(datagram), now: now)
    }

    private func noteLatching() {
        guard latch.isLatched != wasLatched else { return }
        wasLatched = latch.isLatched
        let address = latch.destination.map { "\(Redacted($0))" } ?? "none"
        logger.info("phone sends from another address than its description says", metadata: ["address": "\(address)"])
    }

    // MARK: MediaWire

    func packetBuffer() -> UnsafeMutableRawBufferPointer? {
        guard !isOver || slot != nil, latch.destination != nil else { return nil }
        slot = io.slot()
        return slot
    }

    func sendMedia(length: Int, now: NIODeadline) {
        guard let destination = latch.destination else { return }
        io.send(length: length, on: socket.media, to: destination)
    }

    func sendControl(length: Int, now: NIODeadline) {
        guard let destination = latch.destination else { return }
        if port.audio.rtcpMux { return io.send(length: length, on: socket.media, to: destination) }
        let described = port.audio.remoteControlPort.flatMap { UInt16(exactly: $0) }
        let number = latch.isLatched ? destination.port &+ 1 : described ?? destination.port &+ 1
        io.send(length: length, on: socket.control, to: destination.with(port: number))
    }
}

extension NegotiatedAudio {
    /// Where our RTP goes; nil on hold and for a name.
    var remoteTransportAddress: TransportAddress? {
        remoteAddress.flatMap { TransportAddress(host: $0, port: remotePort) }
    }
}
