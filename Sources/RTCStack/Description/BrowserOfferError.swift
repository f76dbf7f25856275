import SDP

/// Why a browser's offer cannot be answered.
public enum BrowserOfferError: Error, Sendable, Hashable {
    /// No session description at all.
    case malformed(SDPError)
    /// No audio section over SRTP that is not rejected.
    case noAudioSection
    /// The audio sections have no codec in common with us.
    case noCommonCodec
    /// No `a=ice-ufrag` and `a=ice-pwd` of the lengths RFC 8839 section 5.4 demands.
    case missingICECredentials
    /// No `a=fingerprint` with SHA-1 or SHA-2.
    case missingFingerprint
    /// No `a=rtcp-mux`: a browser leg has one port for everything.
    case missingControlMultiplexing
    /// `a=setup:holdconn`, with which no association can be opened.
    case unusableSetup

    /// The HTTP status that says this (CONTRACT 5).
    public var httpStatus: Int {
        switch self {
        case .noCommonCodec: 406
        case .malformed, .noAudioSection, .missingICECredentials, .missingFingerprint, .missingControlMultiplexing,
            .unusableSetup: 400
        }
    }
}

extension BrowserOfferError: CustomStringConvertible {
    /// A sentence for a problem detail, which says what to do.
    public var description: String {
        switch self {
        case .malformed(let error): "The offer is malformed: \(error)."
        case .noAudioSection: "The offer has no usable audio section. Add an audio track or transceiver."
        case .noCommonCodec: "The offer has no audio codec that is spoken here. Offer opus, PCMU or PCMA."
        case .missingICECredentials: "The audio section has no usable a=ice-ufrag and a=ice-pwd."
        case .missingFingerprint: "The offer has no a=fingerprint with sha-256 or another SHA hash."
        case .missingControlMultiplexing: "The audio section has no a=rtcp-mux. Only multiplexed RTCP is supported."
        case .unusableSetup: "The offer says a=setup:holdconn. Offer actpass."
        }
    }
}
