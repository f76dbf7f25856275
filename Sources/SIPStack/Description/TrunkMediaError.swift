import SDP

/// Why a trunk's description cannot be used.
public enum TrunkMediaError: Error, Sendable, Hashable {
    /// No session description at all.
    case malformed(SDPError)
    /// No audio section in clear RTP with a codec in common, or, of an answer, none accepted. The text says which.
    case notAcceptable(String)

    /// The SIP status that says this.
    public var sipStatus: Int {
        switch self {
        case .malformed: 400
        case .notAcceptable: 488
        }
    }
}

extension TrunkMediaError: CustomStringConvertible {
    /// A sentence for a log line or a Warning header; quotes nothing the peer wrote.
    public var description: String {
        switch self {
        case .malformed(let error): "\(error)"
        case .notAcceptable(let reason): reason
        }
    }
}
