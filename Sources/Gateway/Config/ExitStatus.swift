/// What the process says to whoever started it (CONTRACT 2).
public enum ExitStatus: Int32, Sendable {
    case success = 0
    /// `route`: refused by the plan; `doctor`: something is wrong.
    case negative = 1
    /// The command line is wrong.
    case usage = 64
    /// An address could not be bound.
    case addressUnavailable = 69
    /// Configuration or dial plan refused.
    case configurationRefused = 78
}

/// An address of the configuration that could not be bound: the process ends with 69.
public struct AddressUnavailable: Error, Sendable, CustomStringConvertible {
    /// As the configuration names it, such as `udp:127.0.0.1:5060`.
    public let address: String
    /// The system's words.
    public let reason: String

    public init(address: String, reason: String) {
        self.address = address
        self.reason = reason
    }

    public var description: String { "cannot bind \(address): \(reason)" }
}

/// What only shows when the gateway starts, such as a database that cannot be opened: the process ends with 78.
public struct ConfigurationRefused: Error, Sendable, CustomStringConvertible {
    /// One sentence that names the key.
    public let reason: String

    public init(reason: String) {
        self.reason = reason
    }

    public var description: String { reason }
}
