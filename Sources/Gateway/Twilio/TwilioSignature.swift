import COpenSSL
import Foundation

/// `X-Twilio-Signature`: base64 of the HMAC-SHA1, under the account's token, of the URL with the form's fields behind it.
enum TwilioSignature {
    static let header = "X-Twilio-Signature"
    /// Bytes of an HMAC-SHA1.
    private static let length = 20

    /// - Parameters:
    ///   - url: as it was configured or written in the document, query and port with it.
    ///   - fields: of a POST form; signed in the order of their names, each name followed by its value.
    /// - Returns: nil when OpenSSL fails, which is out of memory.
    static func sign(_ url: String, fields: [FormField] = [], token: String) -> String? {
        let sorted = fields.sorted { ($0.name, $0.value) < ($1.name, $1.value) }
        let message = [UInt8]((url + sorted.map { $0.name + $0.value }.joined()).utf8)
        let key = [UInt8](token.utf8)
        var (digest, size) = ([UInt8](repeating: 0, count: length), UInt32(0))
        guard HMAC(EVP_sha1(), key, Int32(clamping: key.count), message, message.count, &digest, &size) != nil else { return nil }
        return Data(digest.prefix(Int(size))).base64EncodedString()
    }
}
