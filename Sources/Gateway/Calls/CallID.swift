/// Identifies one call everywhere: logs, API, agents. 128 random bits as 32 hexadecimal digits.
public struct CallID: Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(using generator: inout some RandomNumberGenerator) {
        description = hexadecimal(generator.next()) + hexadecimal(generator.next())
    }

    /// Takes back an identifier that was written by `description`; nil if it is not 32 hexadecimal digits.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == 32, text.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else { return nil }
        description = String(text)
    }
}

/// 16 lower-case hexadecimal digits.
func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
