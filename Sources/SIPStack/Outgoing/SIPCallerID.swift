/// Whom a call is from, as the far end shall see it: From and P-Asserted-Identity (RFC 3325).
public struct SIPCallerID: Hashable, Sendable {
    /// A number or name; empty or `anonymous`: anonymous (RFC 3323 4.1.1.3), without P-Asserted-Identity.
    public var user: String
    /// Empty: none. Characters that could end the field are dropped.
    public var displayName: String
    /// Nil: our advertised address. Some carriers want their own domain.
    public var host: String?

    public init(user: String, displayName: String = "", host: String? = nil) {
        self.user = user
        self.displayName = displayName
        self.host = host
    }

    /// No number is shown.
    public static let anonymous = SIPCallerID(user: "")
}
