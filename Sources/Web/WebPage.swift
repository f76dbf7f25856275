/// One file of the browser side, ready to be sent: what an HTTP response needs, and nothing about how it is sent.
public struct WebPage: Sendable {
    /// A header field of the response.
    public typealias Header = (name: String, value: String)

    /// The media type with its charset, for `Content-Type`.
    public let contentType: String
    /// The bytes of the file.
    public let body: [UInt8]
    /// The strong entity tag with its quotes, for `ETag`; it changes exactly when the bytes do.
    public let entityTag: String
    /// Every header field of a 200 answer but `Content-Length`; `Content-Type` and `ETag` are among them.
    /// A 304 answer carries the same ones.
    public let headers: [Header]

    /// Makes a page of `body`; `extraHeaders` follow those every page has.
    init(contentType: String, body: [UInt8], extraHeaders: [Header] = []) {
        let entityTag = Self.entityTag(of: body)
        self.contentType = contentType
        self.body = body
        self.entityTag = entityTag
        headers =
            [
                ("Content-Type", contentType),
                ("ETag", entityTag),
                // Always asked again, never fetched again: a new gateway's page must not meet an old library.
                ("Cache-Control", "no-cache"),
                ("Content-Security-Policy", WebPages.contentSecurityPolicy),
                ("X-Content-Type-Options", "nosniff"),
                ("Referrer-Policy", "no-referrer"),
                ("Permissions-Policy", "microphone=(self), camera=(), geolocation=()"),
            ] + extraHeaders
    }

    /// Whether a request's `If-None-Match` names this very content (RFC 9110 section 13.1.2), so that 304 is the answer.
    /// - Parameter field: the field's value as it came: `*`, or entity tags separated by commas, weak ones included.
    public func isUnchanged(ifNoneMatch field: String) -> Bool {
        field.split(separator: ",").contains { element in
            var tag = element.drop { $0 == " " || $0 == "\t" }
            while let last = tag.last, last == " " || last == "\t" { tag.removeLast() }
            // The comparison is the weak one: W/ in front does not count.
            if tag.hasPrefix("W/") { tag = tag.dropFirst(2) }
            return tag == "*" || tag == entityTag
        }
    }

    /// FNV-1a over 64 bits: enough to tell two versions of a file apart, and no dependency.
    private static func entityTag(of body: [UInt8]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in body {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        }
        let digits = String(hash, radix: 16)
        return "\"" + String(repeating: "0", count: 16 - digits.count) + digits + "\""
    }
}
