extension AttributeContainer {
    /// The first of `a=sendrecv`, `a=sendonly`, `a=recvonly`, `a=inactive`; nil where none is written at this level.
    public var direction: MediaDirection? {
        for attribute in attributes where attribute.value == nil {
            if let direction = MediaDirection(rawValue: attribute.name) { return direction }
        }
        return nil
    }

    /// `a=ice-ufrag` (RFC 8839 section 5.4).
    public var iceUsernameFragment: String? { value(of: "ice-ufrag") }

    /// `a=ice-pwd`.
    public var icePassword: String? { value(of: "ice-pwd") }

    /// The words of `a=ice-options`, such as `trickle` and `ice2`.
    public var iceOptions: [String] { values(of: "ice-options").flatMap { $0[...].fields().map(String.init) } }

    /// `a=ice-lite`; a session attribute.
    public var isICELite: Bool { has("ice-lite") }

    /// `a=end-of-candidates` (RFC 8840).
    public var isEndOfCandidates: Bool { has("end-of-candidates") }

    /// Every readable `a=fingerprint` line.
    public var fingerprints: [Fingerprint] { values(of: "fingerprint").compactMap(Fingerprint.init(parsing:)) }

    /// `a=setup`; nil where absent or unknown.
    public var setup: SetupRole? { value(of: "setup").flatMap { SetupRole(rawValue: $0.lowercased()) } }

    /// Every readable `a=extmap` line.
    public var extensionMaps: [ExtensionMap] { values(of: "extmap").compactMap(ExtensionMap.init(parsing:)) }

    /// Every readable `a=crypto` line.
    public var cryptos: [CryptoAttribute] { values(of: "crypto").compactMap(CryptoAttribute.init(parsing:)) }
}

extension MediaDescription {
    /// `a=mid` (RFC 5888).
    public var mid: String? { value(of: "mid").flatMap { $0.isEmpty ? nil : $0 } }

    /// `a=rtcp-mux` (RFC 5761).
    public var isControlMultiplexed: Bool { has("rtcp-mux") }

    /// `a=bundle-only` (RFC 9143): a port of 0 then rejects nothing.
    public var isBundleOnly: Bool { has("bundle-only") }

    /// The port of `a=rtcp` (RFC 3605); its address, if any, is ignored.
    public var controlPort: Int? {
        guard let number = value(of: "rtcp")?[...].fields().first?.decimal, number > 0, number <= 65535 else { return nil }
        return number
    }

    /// Every readable `a=candidate` line.
    public var candidates: [CandidateLine] { values(of: "candidate").compactMap(CandidateLine.init(parsing:)) }
}

extension SessionDescription {
    /// Every `a=group` line.
    public var groups: [MediaGroup] { values(of: "group").compactMap(MediaGroup.init(parsing:)) }

    /// The BUNDLE group that holds the section; nil where it stands alone.
    public func bundle(of media: MediaDescription) -> MediaGroup? {
        guard let mid = media.mid else { return nil }
        return groups.first { $0.semantics == "BUNDLE" && $0.mids.contains(mid) }
    }
}
