/// The user part of a SIP URI made from plain text (RFC 3261 25.1): whatever it holds, it stays one user part.
struct SIPUserPart: Hashable, Sendable {
    let text: String
    /// As written into a URI.
    let encoded: String

    /// E.164 numbers have 15 digits, carriers' prefixes and user names some more.
    static let maximumLength = 128

    /// Nil for empty text, more than 128 bytes, or control characters (which some far end would put into its own message again).
    init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= Self.maximumLength, !text.utf8.contains(where: { $0 < 32 || $0 == 127 }) else { return nil }
        self.text = text
        var encoded: [UInt8] = []
        for byte in text.utf8 {
            if Self.isPlain(byte) {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "%"), Self.digit(byte >> 4), Self.digit(byte & 15)]
            }
        }
        self.encoded = String(decoding: encoded, as: UTF8.self)
    }

    /// `unreserved` and the plus of E.164. The rest of `user-unreserved` is legal, but read as parameters by some: encoded it is only data.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: "-_.!~*'()+".utf8.contains(byte)
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 55 + value }
}
