import CShims
import Dialplan

/// A dial plan together with the text it was read from.
struct PlanText: Sendable {
    var plan: Plan
    var text: [UInt8]
    /// The entity tag of the text (RFC 9110 8.8.3), with its quotes: equal texts have equal tags, in every process.
    var etag: String

    init(plan: Plan, text: [UInt8]) {
        self.plan = plan
        self.text = text
        etag = PlanText.etag(of: text)
    }

    /// The first 128 bits of the text's SHA-256.
    static func etag(of text: [UInt8]) -> String {
        var digest = [UInt8](repeating: 0, count: Int(TANDEM_DIGEST_SIZE))
        let count = tandem_digest(TANDEM_DIGEST_SHA256, text, text.count, &digest)
        precondition(count >= 16, "SHA-256 is in every build of OpenSSL")
        return "\"" + digest.prefix(16).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() + "\""
    }

    /// Whether an `If-Match` field lets a change of this text through (RFC 9110 13.1.1): `*`, or a strong tag that is this one.
    static func matches(_ field: String, etag: String) -> Bool {
        field.split(separator: ",").contains { element in
            let tag = element.trimmingPrefix { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
            return String(tag) == "*" || String(tag) == etag
        }
    }
}
