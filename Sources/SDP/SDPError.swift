/// Why a text is no session description. Line numbers count from 1.
public enum SDPError: Error, Sendable, Hashable {
    /// More than `SDPLimits.maximumBytes`.
    case tooLarge(bytes: Int)
    /// More lines, media sections, attributes or formats than `SDPLimits` allow.
    case tooMany(what: String, limit: Int)
    /// The first line is not `v=0`.
    case missingVersion
    /// A line that is not `letter=value`.
    case malformedLine(number: Int)
    /// An `m=` line without a kind, a port from 0 to 65535 and a protocol.
    case malformedMedia(number: Int)
    /// A `c=` line without network type, address type and address.
    case malformedConnection(number: Int)
    /// Neither the session nor the section in use has a `c=` line.
    case missingConnection
    /// A NUL or another control character, which no description holds.
    case controlCharacter(number: Int)
}

extension SDPError: CustomStringConvertible {
    /// A sentence for a log line or a problem detail; quotes nothing the peer wrote.
    public var description: String {
        switch self {
        case .tooLarge(let bytes): "the session description has \(bytes) bytes, at most \(SDPLimits.maximumBytes) are read"
        case .tooMany(let what, let limit): "the session description has more than \(limit) \(what)"
        case .missingVersion: "the session description does not begin with v=0"
        case .malformedLine(let number): "line \(number) of the session description is not letter=value"
        case .malformedMedia(let number): "the m= line at line \(number) of the session description is malformed"
        case .malformedConnection(let number): "the c= line at line \(number) of the session description is malformed"
        case .missingConnection: "the session description has no c= line for its audio"
        case .controlCharacter(let number): "line \(number) of the session description holds a control character"
        }
    }
}

/// Sizes beyond which a description is refused unread, so that a hostile one costs little.
public enum SDPLimits {
    /// A browser's offer with video, screen sharing and many codecs stays below 20 KiB.
    public static let maximumBytes = 64 * 1024
    /// A browser's largest offers have some 600 lines.
    public static let maximumLines = 2048
    /// A conference page offers a few dozen sections; one call needs one.
    public static let maximumMediaSections = 64
    /// Lookups are linear, so this bounds their cost; a video section of Chrome has about 150.
    public static let maximumAttributes = 1024
    /// There are 128 payload types.
    public static let maximumFormats = 128
}
