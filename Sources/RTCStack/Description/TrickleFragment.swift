import SDP

/// Why a text is no trickle fragment.
public enum TrickleFragmentError: Error, Sendable, Hashable {
    case malformed(SDPError)
    /// Neither credentials, nor candidates, nor the end of candidates.
    case empty
    /// `a=ice-ufrag` without `a=ice-pwd`, or the reverse.
    case incompleteCredentials
}

/// A body of `application/trickle-ice-sdpfrag` (RFC 8840 section 9): more candidates, or the credentials of an ICE restart.
public struct TrickleFragment: Sendable, Hashable {
    /// Whose ICE generation this belongs to: another than the current one asks for a restart (RFC 9725 section 4.3.3).
    public var ufrag: String?
    public var password: String?
    /// The values of the `a=candidate` lines.
    public var candidates: [String]
    public var endOfCandidates: Bool
    /// The section the candidates belong to.
    public var mid: String?
    /// Whether to say `a=ice-lite`, as a gateway does.
    public var iceLite: Bool

    public init(
        ufrag: String?, password: String?, candidates: [String] = [], endOfCandidates: Bool = false,
        mid: String? = nil, iceLite: Bool = false
    ) {
        self.ufrag = ufrag
        self.password = password
        self.candidates = candidates
        self.endOfCandidates = endOfCandidates
        self.mid = mid
        self.iceLite = iceLite
    }

    /// Ours, in answer to a restart: lite, all candidates at once, best first.
    public init(restartedWith ufrag: String, password: String, candidates: [BrowserCandidate], mid: String?) {
        self.init(
            ufrag: ufrag, password: password,
            candidates: candidates.enumerated().map { rank, candidate in
                CandidateLine.host(address: candidate.address, port: candidate.port, rank: rank).value
            },
            endOfCandidates: true, mid: mid, iceLite: true)
    }

    /// Reads a fragment. Credentials may stand before the sections or in the first that has them; one without credentials is
    /// taken as belonging to the current generation. Of bundled sections the candidates are taken together.
    public init(parsing text: String) throws(TrickleFragmentError) {
        let session: SessionDescription
        do { session = try SessionDescription(parsingFragment: text) } catch { throw .malformed(error) }
        ufrag = session.iceUsernameFragment ?? session.media.lazy.compactMap(\.iceUsernameFragment).first
        password = session.icePassword ?? session.media.lazy.compactMap(\.icePassword).first
        candidates = session.values(of: "candidate") + session.media.flatMap { $0.values(of: "candidate") }
        endOfCandidates = session.isEndOfCandidates || session.media.contains(where: \.isEndOfCandidates)
        mid = session.media.lazy.compactMap(\.mid).first ?? session.value(of: "mid")
        iceLite = session.isICELite
        guard (ufrag == nil) == (password == nil) else { throw .incompleteCredentials }
        guard ufrag != nil || !candidates.isEmpty || endOfCandidates else { throw .empty }
    }

    /// The body as text. The `m=` line is the pseudo line of RFC 8840 section 4.4, whose port and formats mean nothing.
    public var text: String {
        var session = SessionDescription()
        if iceLite { session.attributes.append(Attribute("ice-lite")) }
        if iceLite { session.attributes.append(Attribute("ice-options", "ice2 trickle")) }
        if let mid { session.attributes.append(Attribute("group", "BUNDLE \(mid)")) }
        var section = MediaDescription(kind: "audio", port: 9, transportProtocol: "UDP/TLS/RTP/SAVPF", formats: ["0"])
        if let mid { section.attributes.append(Attribute("mid", mid)) }
        if let ufrag { section.attributes.append(Attribute("ice-ufrag", ufrag)) }
        if let password { section.attributes.append(Attribute("ice-pwd", password)) }
        section.attributes += candidates.map { Attribute("candidate", $0) }
        if endOfCandidates { section.attributes.append(Attribute("end-of-candidates")) }
        session.media = [section]
        return session.fragmentText
    }
}
