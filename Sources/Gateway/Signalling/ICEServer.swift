/// A TURN or STUN server a browser may use, in the words of WebRTC's RTCIceServer.
struct ICEServer: Sendable, Equatable, Encodable {
    /// `turn:`, `turns:` or `stun:` URLs.
    var urls: [String]
    var username: String?
    var credential: String?

    /// The values of `Link` header fields that carry it, one for each URL (RFC 9725 section 4.6).
    var links: [String] {
        urls.map { url in
            var link = "<\(url)>; rel=\"ice-server\""
            if let username { link += "; username=\"\(username)\"" }
            if let credential { link += "; credential=\"\(credential)\"; credential-type=\"password\"" }
            return link
        }
    }
}
