/// A user name fragment and its password, of one side and one ICE generation (RFC 8839 section 5.4).
public struct ICECredentials: Sendable, Hashable {
    public var ufrag: String
    public var password: String

    public init(ufrag: String, password: String) {
        self.ufrag = ufrag
        self.password = password
    }

    /// Fresh ones: 8 and 24 ice-chars, 48 and 144 bits. A ufrag this short is a Swift string without heap storage, which
    /// the table of legs looks up for every check from an unknown address.
    public static func random(using generator: inout some RandomNumberGenerator) -> ICECredentials {
        ICECredentials(ufrag: text(8, using: &generator), password: text(24, using: &generator))
    }

    private static func text(_ length: Int, using generator: inout some RandomNumberGenerator) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        return String(decoding: (0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }, as: UTF8.self)
    }
}
