/// A session description (RFC 8866) as a value: what real peers write is read, what Tandem writes is strict.
public struct SessionDescription: Sendable, Hashable, AttributeContainer {
    public var origin: Origin
    /// The `s=` line; `-` where there is no name.
    public var name: String
    /// The `c=` line of the session, which holds for every section without its own.
    public var connection: Connection?
    /// The attributes before the first media section.
    public var attributes: [Attribute]
    public var media: [MediaDescription]

    public init(
        origin: Origin = Origin(), name: String = "-", connection: Connection? = nil,
        attributes: [Attribute] = [], media: [MediaDescription] = []
    ) {
        self.origin = origin
        self.name = name
        self.connection = connection
        self.attributes = attributes
        self.media = media
    }

    /// Reads a description. Line ends may be CRLF, LF or CR; `s=`, `t=` and `o=` may be missing; unknown lines are skipped.
    public init(parsing text: String) throws(SDPError) {
        self = try SDPParser.parse(text, requiringVersion: true)
    }

    /// Reads a part of a description that need not begin with `v=0`, as in `application/trickle-ice-sdpfrag` (RFC 8840).
    public init(parsingFragment text: String) throws(SDPError) {
        self = try SDPParser.parse(text, requiringVersion: false)
    }

    /// The section's own connection, else the session's.
    public func connection(of media: MediaDescription) -> Connection? {
        media.connection ?? connection
    }

    /// The section's own direction, else the session's, else `sendrecv` (RFC 8866 section 6.7).
    public func direction(of media: MediaDescription) -> MediaDirection {
        media.direction ?? direction ?? .sendrecv
    }

    /// The description as text, CRLF after every line. Control characters in values are left out.
    public var text: String {
        var lines = ["v=0", "o=\(origin.line)", "s=\(name.isEmpty ? "-" : name)"]
        if let connection { lines.append("c=\(connection.line)") }
        lines.append("t=0 0")
        lines.append(contentsOf: Self.lines(of: attributes))
        for section in media {
            lines.append("m=\(section.line)")
            if let connection = section.connection { lines.append("c=\(connection.line)") }
            lines.append(contentsOf: Self.lines(of: section.attributes))
        }
        return Self.joined(lines)
    }

    /// Attributes and sections only, without `v=` to `t=`: the form of `application/trickle-ice-sdpfrag` (RFC 8840).
    public var fragmentText: String {
        var lines = Self.lines(of: attributes)
        for section in media {
            lines.append("m=\(section.line)")
            lines.append(contentsOf: Self.lines(of: section.attributes))
        }
        return Self.joined(lines)
    }

    private static func lines(of attributes: [Attribute]) -> [String] {
        attributes.map { attribute in
            if let value = attribute.value { "a=\(attribute.name):\(value)" } else { "a=\(attribute.name)" }
        }
    }

    private static func joined(_ lines: [String]) -> String {
        var text = ""
        for line in lines {
            text += line.withoutControlCharacters
            text += "\r\n"
        }
        return text
    }
}
