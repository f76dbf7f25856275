import SDP

/// A browser's offer (JSEP, RFC 8829), read and found answerable. The first audio section with a codec in common is the
/// call's; every other section will be rejected.
public struct BrowserOffer: Sendable {
    /// ICE credentials of the browser.
    public let iceUsernameFragment: String
    public let icePassword: String
    /// Hashes of the certificate the browser will show, of the kinds that can be compared; at least one.
    public let fingerprints: [Fingerprint]
    /// `actpass`, `active` or `passive`; where the offer is silent, `active` (RFC 4145 section 4.1).
    public let setup: SetupRole
    /// The audio section's `a=mid`.
    public let mid: String?
    /// The browser's: `sendonly` means that it sends.
    public let direction: MediaDirection
    /// The values of the `a=candidate` lines of the audio section's transport; ICE-lite does not need them.
    public let candidates: [String]
    /// Whether more candidates may follow (`a=ice-options:trickle`).
    public let supportsTrickle: Bool

    let session: SessionDescription
    let audioIndex: Int
    /// The section the BUNDLE group is tagged by, where that is another than the audio section and can be kept. Chrome with
    /// `max-bundle` refuses an answer that rejects it ("Failed to setup RTCP mux"), so it is answered as inactive.
    let keptTagIndex: Int?
    let capabilities: AudioCapabilities

    /// - Parameter codecs: those we speak to browsers; an offer without any of them is `noCommonCodec`.
    public init(parsing text: String, codecs: [AudioCodec] = AudioCodec.browserPreference) throws(BrowserOfferError) {
        let session: SessionDescription
        do { session = try SessionDescription(parsing: text) } catch { throw .malformed(error) }

        let usable = session.media.indices.filter { Self.isUsable(session.media[$0]) }
        guard !usable.isEmpty else { throw .noAudioSection }
        let readable = usable.lazy.map { (index: $0, capabilities: AudioCapabilities(session.media[$0]).preferring(codecs)) }
        guard let chosen = readable.first(where: { !$0.capabilities.formats.isEmpty }) else { throw .noCommonCodec }

        let section = session.media[chosen.index]
        let keptTagIndex = Self.keptTagIndex(besides: chosen.index, in: session)
        let levels = Self.transportLevels(of: section, keptTag: keptTagIndex, in: session)
        guard let ufrag = levels.firstValue({ $0.iceUsernameFragment }), let password = levels.firstValue({ $0.icePassword }),
            Self.isCredential(ufrag, minimum: 4), Self.isCredential(password, minimum: 22)
        else { throw .missingICECredentials }
        let fingerprints = levels.firstValue { level -> [Fingerprint]? in
            let supported = level.fingerprints.filter(\.isSupported)
            return supported.isEmpty ? nil : supported
        }
        guard let fingerprints else { throw .missingFingerprint }
        let setup = levels.firstValue { $0.setup } ?? .active
        guard setup != .holdconn else { throw .unusableSetup }
        // A bundle-only section shares the port of its group and so multiplexes by nature (RFC 9143 section 7.1.3).
        guard section.isControlMultiplexed || section.isBundleOnly else { throw .missingControlMultiplexing }

        iceUsernameFragment = ufrag
        icePassword = password
        self.fingerprints = fingerprints
        self.setup = setup
        mid = section.mid
        direction = session.direction(of: section)
        candidates = (keptTagIndex.map { session.media[$0] } ?? section).values(of: "candidate")
        supportsTrickle = levels.contains { $0.iceOptions.contains("trickle") }
        self.session = session
        audioIndex = chosen.index
        self.keptTagIndex = keptTagIndex
        capabilities = chosen.capabilities
    }

    private static func isUsable(_ section: MediaDescription) -> Bool {
        section.isAudio && section.isSecureRTP && (section.port != 0 || section.isBundleOnly)
    }

    private static func tagIndex(of section: MediaDescription, in session: SessionDescription) -> Int? {
        guard let tag = session.bundle(of: section)?.mids.first else { return nil }
        return session.media.firstIndex { $0.mid == tag }
    }

    private static func keptTagIndex(besides audioIndex: Int, in session: SessionDescription) -> Int? {
        guard let index = tagIndex(of: session.media[audioIndex], in: session), index != audioIndex else { return nil }
        let tagged = session.media[index]
        return tagged.port != 0 && tagged.isSecureRTP && tagged.firstMappedPayloadType != nil ? index : nil
    }

    /// Where transport attributes may stand, the most telling first. A group's transport is that of its tagged section if
    /// that is kept (RFC 9143 section 7.1.1), else that of its next one, which is the audio section; that may have none of
    /// its own when it is bundle-only (7.1.3).
    private static func transportLevels(
        of section: MediaDescription, keptTag: Int?, in session: SessionDescription
    ) -> [any AttributeContainer] {
        if let keptTag { return [session.media[keptTag], section, session] }
        if let tag = tagIndex(of: section, in: session) { return [section, session.media[tag], session] }
        return [section, session]
    }

    /// Lengths of RFC 8839 section 5.4; a space would break the STUN user name apart in logs and messages.
    private static func isCredential(_ text: String, minimum: Int) -> Bool {
        (minimum...256).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
    }
}

extension MediaDescription {
    /// The first payload type whose meaning the section says itself.
    var firstMappedPayloadType: UInt8? {
        let mapped = Set(rtpMaps.map(\.payloadType))
        return payloadTypes.first { mapped.contains($0) }
    }
}

extension Array where Element == any AttributeContainer {
    fileprivate func firstValue<Value>(_ read: (any AttributeContainer) -> Value?) -> Value? {
        for level in self {
            if let value = read(level) { return value }
        }
        return nil
    }
}
