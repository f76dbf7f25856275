import SDP

/// Our role in the DTLS handshake: `active` sends the ClientHello.
public enum BrowserDTLSRole: String, Sendable, Hashable {
    case active
    case passive
}

/// One of our addresses, as a host candidate over UDP.
public struct BrowserCandidate: Sendable, Hashable {
    /// Numeric.
    public var address: String
    public var port: Int

    public init(address: String, port: Int) {
        self.address = address
        self.port = port
    }
}

/// What we put into an answer to a browser.
public struct BrowserAnswerParameters: Sendable {
    public var localUfrag: String
    public var localPassword: String
    /// SHA-256 of our certificate as text: `AB:CD:…`.
    public var fingerprint: String
    /// Best first. The first is also the default candidate of the `m=` line.
    public var candidates: [BrowserCandidate]
    /// The role to take where the offer leaves the choice (`actpass`). In a later offer of the same call, the role in force.
    public var dtlsRole: BrowserDTLSRole
    /// The `o=` line's identifier; one per call.
    public var sessionID: UInt64
    /// The `o=` line's version; one more with each later answer that differs.
    public var sessionVersion: UInt64
    /// The SSRC of the sound we send.
    public var localSSRC: UInt32
    public var cname: String
    /// Best first. Where none of them is in the offer, those the offer was parsed with.
    public var codecs: [AudioCodec]
    /// Ours; narrowed by what the offer allows.
    public var direction: MediaDirection

    public init(
        localUfrag: String, localPassword: String, fingerprint: String, candidates: [BrowserCandidate],
        sessionID: UInt64, localSSRC: UInt32, cname: String, sessionVersion: UInt64 = 1,
        dtlsRole: BrowserDTLSRole = .passive, codecs: [AudioCodec] = AudioCodec.browserPreference,
        direction: MediaDirection = .sendrecv
    ) {
        self.localUfrag = localUfrag
        self.localPassword = localPassword
        self.fingerprint = fingerprint
        self.candidates = candidates
        self.dtlsRole = dtlsRole
        self.sessionID = sessionID
        self.sessionVersion = sessionVersion
        self.localSSRC = localSSRC
        self.cname = cname
        self.codecs = codecs
        self.direction = direction
    }
}

/// An answer to a browser and what follows from it.
public struct BrowserAnswer: Sendable {
    public let sdp: String
    public let audio: NegotiatedAudio
    /// Ours.
    public let dtlsRole: BrowserDTLSRole
}

extension BrowserOffer {
    /// Answers every section of the offer: the audio section as ICE-lite with all our candidates, the others rejected, but
    /// for a section that tags the group of the audio section, which is kept as inactive (see `keptTagIndex`).
    public func answer(_ parameters: BrowserAnswerParameters) -> BrowserAnswer {
        let role = dtlsRole(preferring: parameters.dtlsRole)
        let preferred = capabilities.preferring(parameters.codecs)
        let agreed = preferred.formats.isEmpty ? capabilities : preferred
        let section = session.media[audioIndex]
        let ours = direction.reversed.intersection(parameters.direction)
        // The numbers of a browser's offer are kept, so both sides use the same.
        guard var audio = NegotiatedAudio(theirs: agreed, ours: agreed, section: section, direction: ours) else {
            preconditionFailure("an offer without a codec in common is not constructed")
        }
        audio.rtcpMux = true
        audio.feedback = AudioFeedback(section, payloadType: audio.payloadType)

        var answer = SessionDescription(
            origin: Origin(
                sessionIdentifier: "\(parameters.sessionID)", sessionVersion: "\(parameters.sessionVersion)",
                address: "127.0.0.1"))
        if let mid, session.bundle(of: section) != nil {
            let mids = [keptTagIndex.flatMap { session.media[$0].mid }, mid].compactMap(\.self)
            answer.attributes.append(Attribute("group", "BUNDLE \(mids.joined(separator: " "))"))
        }
        answer.attributes.append(Attribute("ice-lite"))
        answer.attributes.append(Attribute("ice-options", "ice2 trickle"))
        answer.attributes.append(Attribute("msid-semantic", "WMS *"))
        answer.media = session.media.indices.map { index in
            switch index {
            case audioIndex: answered(section, agreed: agreed, audio: audio, role: role, parameters: parameters)
            case keptTagIndex: Self.inactive(session.media[index], role: role, parameters: parameters)
            default: Self.rejected(session.media[index])
            }
        }
        return BrowserAnswer(sdp: answer.text, audio: audio, dtlsRole: role)
    }

    private func dtlsRole(preferring preferred: BrowserDTLSRole) -> BrowserDTLSRole {
        switch setup {
        case .active: .passive
        case .passive: .active
        case .actpass, .holdconn: preferred
        }
    }

    private func answered(
        _ section: MediaDescription, agreed: AudioCapabilities, audio: NegotiatedAudio, role: BrowserDTLSRole,
        parameters: BrowserAnswerParameters
    ) -> MediaDescription {
        var answer = Self.transported(section, formats: agreed.formatList, direction: audio.direction, role, parameters)
        answer.attributes += agreed.attributes + audio.feedback.attributes(payloadType: audio.payloadType)
        answer.attributes.append(Attribute("ptime", "\(audio.packetTime)"))
        // On a narrow way Chromium would make packets of 120 ms: too much to lose, and to wait for.
        answer.attributes.append(Attribute("maxptime", "\(PacketTime.range.upperBound)"))
        if audio.direction.sends {
            // Pages look for the stream of a track event, so the track belongs to one.
            answer.attributes.append(Attribute("msid", "tandem audio"))
            answer.attributes.append(Attribute("ssrc", "\(parameters.localSSRC) cname:\(parameters.cname)"))
        }
        return answer
    }

    /// A section on our one transport, still without what its formats mean.
    private static func transported(
        _ section: MediaDescription, formats: [String], direction: MediaDirection, _ role: BrowserDTLSRole,
        _ parameters: BrowserAnswerParameters
    ) -> MediaDescription {
        let first = parameters.candidates.first
        var answer = MediaDescription(
            kind: section.kind, port: first?.port ?? 9, transportProtocol: section.transportProtocol, formats: formats,
            connection: Connection(address: first?.address ?? "0.0.0.0"))
        if let mid = section.mid { answer.attributes.append(Attribute("mid", mid)) }
        answer.attributes += [
            Attribute(direction.rawValue),
            Attribute("rtcp-mux"),
            Attribute("ice-ufrag", parameters.localUfrag),
            Attribute("ice-pwd", parameters.localPassword),
            Attribute("fingerprint", "sha-256 \(parameters.fingerprint)"),
            Attribute("setup", role.rawValue),
        ]
        for (rank, candidate) in parameters.candidates.enumerated() {
            let line = CandidateLine.host(address: candidate.address, port: candidate.port, rank: rank)
            answer.attributes.append(Attribute("candidate", line.value))
        }
        answer.attributes.append(Attribute("end-of-candidates"))
        return answer
    }

    /// A section that is accepted for its transport only: one of its formats, and nothing flows.
    private static func inactive(
        _ section: MediaDescription, role: BrowserDTLSRole, parameters: BrowserAnswerParameters
    ) -> MediaDescription {
        let number = section.firstMappedPayloadType
        let formats = number.map { ["\($0)"] } ?? []
        var answer = transported(section, formats: formats, direction: .inactive, role, parameters)
        answer.attributes += meaning(of: number, in: section)
        return answer
    }

    /// The `a=rtpmap` and `a=fmtp` lines of one format as the offer has them.
    private static func meaning(of payloadType: UInt8?, in section: MediaDescription) -> [Attribute] {
        guard let payloadType, let map = section.rtpMaps.first(where: { $0.payloadType == payloadType }) else { return [] }
        let parameters = section.values(of: "fmtp").first { $0.hasPrefix("\(payloadType) ") }
        return [Attribute("rtpmap", map.value)] + (parameters.map { [Attribute("fmtp", $0)] } ?? [])
    }

    /// Port 0, the section's `mid`, and one format with its meaning, so that parsers which look a dynamic number up find it.
    private static func rejected(_ section: MediaDescription) -> MediaDescription {
        var answer = MediaDescription(
            kind: section.kind, port: 0, transportProtocol: section.transportProtocol,
            formats: Array(section.formats.prefix(1)), connection: Connection(address: "0.0.0.0"))
        if let mid = section.mid { answer.attributes.append(Attribute("mid", mid)) }
        answer.attributes.append(Attribute("inactive"))
        if let number = section.payloadTypes.first, section.formats.first == "\(number)" {
            answer.attributes += meaning(of: number, in: section)
        }
        return answer
    }
}
