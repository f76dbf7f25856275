/// A YAML value with its place. Scalars are kept as their text: what they mean is decided by whoever reads them,
/// never by YAML's implicit types (`off`, `no`, `12:30` and `+1415…` are text here).
public struct YAMLNode: Sendable, Equatable {
    public enum Content: Sendable, Equatable {
        case scalar(String)
        case sequence([YAMLNode])
        case mapping([Entry])
    }

    /// A key with its own place and its value. Keys are unique within a mapping.
    public struct Entry: Sendable, Equatable {
        public var key: String
        /// Where the key stands, 1-based.
        public var line: Int
        public var column: Int
        public var value: YAMLNode
    }

    public var content: Content
    /// 1-based.
    public var line: Int
    /// 1-based, counted in Unicode scalars.
    public var column: Int
    /// Nothing was written after the key (`trunks:`): an empty section where a section is expected.
    public var isEmpty: Bool
    /// The text holds something that came from the environment or a file, so messages must not repeat it.
    public var isSecret: Bool

    public init(_ content: Content, line: Int, column: Int, isEmpty: Bool = false, isSecret: Bool = false) {
        self.content = content
        self.line = line
        self.column = column
        self.isEmpty = isEmpty
        self.isSecret = isSecret
    }

    /// The text of a scalar, nil for anything else.
    public var text: String? {
        if case .scalar(let text) = content { text } else { nil }
    }

    /// The scalar as a message may show it: shortened, quoted, and hidden when it came from outside the file.
    public var quoted: String {
        switch content {
        case .sequence: return "a list"
        case .mapping: return "a mapping"
        case .scalar(let text):
            if isSecret { return "the substituted value" }
            return YAMLNode.quote(text)
        }
    }

    /// Text as messages show it: on one line, at most `limit` characters.
    public static func quote(_ text: String, limit: Int = 60) -> String {
        "“\(OneLine.text(text, limit: limit))”"
    }
}
