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
    /// The values of the audio section's `a=candidate` lines; ICE-lite does not need them.
    public let candidates: [String]
    /// Whether more candidates may follow (`a=ice-options:trickle`).
    public let supportsTrickle: Bool

    let session: SessionDescription
    let audioIndex: Int
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
        let levels = Self.transportLevels(of: section, in: session)
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
        candidates = section.values(of: "candidate")
        supportsTrickle = levels.contains { $0.iceOptions.contains("trickle") }
        self.session = session
        audioIndex = chosen.index
        capabilities = chosen.capabilities
    }

    private static func isUsable(_ section: MediaDescription) -> Bool {
        section.isAudio && section.isSecureRTP && (section.port != 0 || section.isBundleOnly)
    }

    /// Where transport attributes may stand, nearest first: the section, the section its BUNDLE group is tagged by (a
    /// bundle-only section has none of its own, RFC 9143 section 7.1.3), the session.
    private static func transportLevels(
        of section: MediaDescription, in session: SessionDescription
    ) -> [any AttributeContainer] {
        guard let tag = session.bundle(of: section)?.mids.first, let tagged = session.media.first(where: { $0.mid == tag })
        else { return [section, session] }
        return [section, tagged, session]
    }

    /// Lengths of RFC 8839 section 5.4; a space would break the STUN user name apart in logs and messages.
    private static func isCredential(_ text: String, minimum: Int) -> Bool {
        (minimum...256).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
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
