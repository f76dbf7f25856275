/// What a trunk's challenges are answered with (RFC 7616). Sent never, only digests made of it.
public struct SIPCredentials: Hashable, Sendable {
    public var username: String
    public var password: String

    public init(username: String, password: String) {
        self.username = username
        self.password = password
    }
}
