import SDP

/// Offers and answers of one SIP dialog (RFC 3264): what was agreed, and what our `o=` line has said so far.
///
/// A failed call leaves everything as it was, so a refused re-INVITE changes nothing.
public struct TrunkMediaSession: Sendable {
    /// Ours, narrowed in every answer by what the peer allows; `sendrecv` unless we hold the peer.
    public var direction: MediaDirection = .sendrecv

    private let localAddress: String
    private let localPort: Int
    private let codecs: [AudioCodec]
    private let offersTelephoneEvent: Bool
    private let sessionID: UInt64
    private let acceptsControlMultiplexing: Bool

    /// What we sent last, offer or answer; a later one is compared with it and keeps its sections.
    private var lastSent: SessionDescription?
    /// The index of the audio section, constant within a dialog (RFC 3264 section 8).
    private var audioIndex = 0
    /// The number of each codec, kept as long as the dialog (RFC 3264 section 8.3.2).
    private var payloadTypes: [AudioCodec: UInt8] = [:]
    /// The number of the events of each clock, likewise.
    private var eventPayloadTypes: [Int: UInt8] = [:]

    /// - Parameters:
    ///   - localAddress: the numeric address peers are to send to.
    ///   - localPort: of RTP. RTCP is at the port after it, unless multiplexed.
    ///   - codecs: those spoken to this trunk; their order counts in our offers, the peer's order in its own.
    ///   - telephoneEvent: whether keys as events (RFC 4733) are offered and taken.
    ///   - sessionID: of the `o=` line; random, one per dialog.
    ///   - acceptsControlMultiplexing: whether an offered `a=rtcp-mux` is taken. Ours never offer it.
    public init(
        localAddress: String, localPort: Int, codecs: [AudioCodec] = [.pcmu, .pcma], telephoneEvent: Bool = true,
        sessionID: UInt64, acceptsControlMultiplexing: Bool = false
    ) {
        self.localAddress = localAddress
        self.localPort = localPort
        self.codecs = codecs.enumerated().filter { !codecs.prefix($0.offset).contains($0.element) }.map(\.element)
        self.offersTelephoneEvent = telephoneEvent
        self.sessionID = sessionID
        self.acceptsControlMultiplexing = acceptsControlMultiplexing
    }

    /// Answers an offer, the first or a later one. The codecs keep the offer's order and numbers; sections other than the
    /// first usable audio section are rejected with port 0.
    public mutating func answer(offer text: String) throws(TrunkMediaError) -> (sdp: String, audio: NegotiatedAudio) {
        let offer = try Self.parse(text)
        let (index, agreed) = try chooseSection(of: offer)
        let section = offer.media[index]
        let multiplexed = section.isControlMultiplexed && acceptsControlMultiplexing
        let remote = try Remote(section, in: offer)
        let ours = remote.direction.reversed.intersection(direction)
        guard var audio = NegotiatedAudio(theirs: agreed, ours: agreed, section: section, direction: ours) else {
            throw .notAcceptable("no audio codec in common")
        }
        remote.fill(&audio, multiplexed: multiplexed)

        let media = offer.media.indices.map { position in
            position == index
                ? described(section.kind, section.transportProtocol, agreed, audio.direction, audio.packetTime, multiplexed)
                : Self.rejected(offer.media[position])
        }
        audioIndex = index
        learn(agreed)
        return (send(media), audio)
    }

    /// An offer of ours: the first of a dialog (an INVITE of ours, or the answer to one without SDP), or a later one, which
    /// keeps the sections and numbers of what went before.
    public mutating func offer() -> String {
        let capabilities = offered()
        var media = (lastSent?.media ?? []).map(Self.rejected)
        let audio = described("audio", audioProtocol, capabilities, direction, PacketTime.standard, false)
        if media.indices.contains(audioIndex) { media[audioIndex] = audio } else { media = [audio] }
        learn(capabilities)
        return send(media)
    }

    /// Takes the answer to `offer()`.
    public mutating func accept(answer text: String) throws(TrunkMediaError) -> NegotiatedAudio {
        let answer = try Self.parse(text)
        guard let sent = lastSent, sent.media.indices.contains(audioIndex) else { throw .notAcceptable("no offer was made") }
        guard answer.media.indices.contains(audioIndex), answer.media[audioIndex].isAudio else {
            throw .notAcceptable("the answer has no audio section where the offer had one")
        }
        let section = answer.media[audioIndex]
        guard section.port != 0 else { throw .notAcceptable("the answer rejects audio") }
        guard section.isPlainRTP else { throw .notAcceptable("the answer changes the transport protocol") }
        let ours = AudioCapabilities(sent.media[audioIndex])
        var theirs = AudioCapabilities(section, known: ours.rtpMaps).selecting(ours.formats.map(\.codec))
        theirs.telephoneEvents.removeAll { event in !ours.telephoneEvents.contains { $0.clockRate == event.clockRate } }
        let remote = try Remote(section, in: answer)
        let agreedDirection = remote.direction.reversed.intersection(direction)
        guard var audio = NegotiatedAudio(theirs: theirs, ours: ours, section: section, direction: agreedDirection) else {
            throw .notAcceptable("the answer has no codec of the offer")
        }
        // An answer without events refuses them, though we told which number they would have.
        if theirs.telephoneEvents.isEmpty { audio.receiveTelephoneEvents = [] }
        remote.fill(&audio, multiplexed: false)
        return audio
    }
}

extension TrunkMediaSession {
    private static func parse(_ text: String) throws(TrunkMediaError) -> SessionDescription {
        do { return try SessionDescription(parsing: text) } catch { throw .malformed(error) }
    }

    /// The first audio section in clear RTP with a codec in common. Peers that prefer SRTP list an encrypted section first
    /// and a clear one after it.
    private func chooseSection(of offer: SessionDescription) throws(TrunkMediaError) -> (Int, AudioCapabilities) {
        let audio = offer.media.indices.filter { offer.media[$0].isAudio && offer.media[$0].port != 0 }
        guard !audio.isEmpty else { throw .notAcceptable("the offer has no audio section") }
        let plain = audio.filter { offer.media[$0].isPlainRTP }
        guard !plain.isEmpty else { throw .notAcceptable("audio is offered over SRTP only, which is off for this trunk") }
        for index in plain {
            let agreed = usable(AudioCapabilities(offer.media[index]).selecting(codecs))
            if !agreed.formats.isEmpty { return (index, agreed) }
        }
        throw .notAcceptable("no audio codec in common")
    }

    private func usable(_ capabilities: AudioCapabilities) -> AudioCapabilities {
        var result = capabilities
        if !offersTelephoneEvent { result.telephoneEvents = [] }
        return result
    }

    private mutating func learn(_ capabilities: AudioCapabilities) {
        for format in capabilities.formats { payloadTypes[format.codec] = format.payloadType }
        for event in capabilities.telephoneEvents { eventPayloadTypes[event.clockRate] = event.payloadType }
    }

    /// What we offer, each codec under the number the dialog already gave it, else its own, else a free one.
    private func offered() -> AudioCapabilities {
        var used = Set(payloadTypes.values).union(eventPayloadTypes.values)
        func number(_ known: UInt8?, _ standard: UInt8) -> UInt8 {
            if let known { return known }
            let free = used.contains(standard) ? (UInt8(96)...127).first { !used.contains($0) } ?? standard : standard
            used.insert(free)
            return free
        }
        let formats = codecs.map { AudioFormat(codec: $0, payloadType: number(payloadTypes[$0], $0.defaultPayloadType)) }
        var events: [TelephoneEventFormat] = []
        if offersTelephoneEvent {
            // 8000 in any case: many peers know no other clock (ARCHITECTURE 4a.6).
            for (clockRate, standard) in [(48000, UInt8(110)), (16000, 109)] where codecs.contains(where: { $0.rtpClockRate == clockRate }) {
                events.append(TelephoneEventFormat(payloadType: number(eventPayloadTypes[clockRate], standard), clockRate: clockRate))
            }
            events.append(TelephoneEventFormat(payloadType: number(eventPayloadTypes[8000], 101), clockRate: 8000))
        }
        return AudioCapabilities(formats: formats, telephoneEvents: events)
    }

    /// The protocol of the dialog's audio section, `RTP/AVP` at first.
    private var audioProtocol: String {
        guard let media = lastSent?.media, media.indices.contains(audioIndex) else { return "RTP/AVP" }
        return media[audioIndex].transportProtocol
    }

    private func described(
        _ kind: String, _ transportProtocol: String, _ capabilities: AudioCapabilities, _ direction: MediaDirection,
        _ packetTime: Int, _ multiplexed: Bool
    ) -> MediaDescription {
        var section = MediaDescription(
            kind: kind, port: localPort, transportProtocol: transportProtocol, formats: capabilities.formatList,
            attributes: capabilities.attributes)
        section.attributes.append(Attribute("ptime", "\(packetTime)"))
        section.attributes.append(Attribute(direction.rawValue))
        if multiplexed { section.attributes.append(Attribute("rtcp-mux")) }
        return section
    }

    /// The same section with port 0 (RFC 3264 section 6).
    private static func rejected(_ section: MediaDescription) -> MediaDescription {
        MediaDescription(kind: section.kind, port: 0, transportProtocol: section.transportProtocol, formats: section.formats)
    }

    /// The text to send; the version grows by one if anything differs from what was sent before (RFC 3264 section 8).
    private mutating func send(_ media: [MediaDescription]) -> String {
        let connection = Connection(address: localAddress)
        var origin = Origin(
            sessionIdentifier: "\(sessionID)", sessionVersion: "1", addressType: connection.addressType, address: localAddress)
        if let lastSent {
            origin.sessionVersion = lastSent.origin.sessionVersion
            let changed = lastSent.media != media || lastSent.connection != connection
            if changed { origin.sessionVersion = "\((UInt64(origin.sessionVersion) ?? 0) &+ 1)" }
        }
        let description = SessionDescription(origin: origin, connection: connection, media: media)
        lastSent = description
        return description.text
    }
}

/// Where a peer's section wants its media.
private struct Remote {
    /// The peer's, without receiving where its address is all zeros, the hold of RFC 2543 phones.
    let direction: MediaDirection
    let address: String?
    let port: Int
    let controlPort: Int?

    init(_ section: MediaDescription, in session: SessionDescription) throws(TrunkMediaError) {
        guard let connection = session.connection(of: section) else { throw .malformed(.missingConnection) }
        let written = session.direction(of: section)
        let holds = connection.isUnspecified
        direction = holds ? MediaDirection(sends: written.sends, receives: false) : written
        address = holds ? nil : connection.address
        port = section.port
        controlPort = section.controlPort ?? (section.port < 65535 ? section.port + 1 : nil)
    }

    func fill(_ audio: inout NegotiatedAudio, multiplexed: Bool) {
        audio.remoteAddress = address
        audio.remotePort = port
        audio.remoteControlPort = multiplexed ? nil : controlPort
        audio.rtcpMux = multiplexed
    }
}
