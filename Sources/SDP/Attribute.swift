/// One `a=` line: `a=name` or `a=name:value` (RFC 8866 section 5.13).
public struct Attribute: Sendable, Hashable {
    /// As written; attribute names are case-sensitive.
    public var name: String
    /// What follows the first colon; nil for a property attribute such as `a=rtcp-mux`.
    public var value: String?

    public init(_ name: String, _ value: String? = nil) {
        self.name = name
        self.value = value
    }
}

/// What carries attributes: a whole session or one media section of it.
public protocol AttributeContainer: Sendable {
    /// In the order written.
    var attributes: [Attribute] { get set }
}

extension AttributeContainer {
    /// The value of the first attribute of that name; an empty text for a property attribute, nil when absent.
    public func value(of name: String) -> String? {
        attributes.first { $0.name == name }.map { $0.value ?? "" }
    }

    /// The values of all attributes of that name, in order.
    public func values(of name: String) -> [String] {
        attributes.compactMap { $0.name == name ? $0.value ?? "" : nil }
    }

    /// Whether an attribute of that name is present, with or without a value.
    public func has(_ name: String) -> Bool {
        attributes.contains { $0.name == name }
    }
}
