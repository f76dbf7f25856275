/// Answers challenges with one user's credentials (RFC 7616, RFC 3261 22): a nonce and its count for each realm on the way.
struct DigestClient: Sendable {
    enum Verdict: Equatable {
        /// Send the request again, with ``fields(method:uri:cnonce:)``.
        case retry
        /// Our answer was refused.
        case wrongCredentials
        /// No challenge we can answer.
        case unsupported
    }

    private struct Session: Sendable {
        var challenge: DigestChallenge
        var count: UInt32 = 0
        /// An answer to this challenge was accepted: the next challenge of the realm is for a nonce grown old, whatever it says.
        var isProven = false
        /// It was replaced as stale once; twice would be a loop.
        var wasStale = false
    }

    /// Proxies on the way that each want to know us. Two is rare.
    private static let maximumRealms = 4

    private let credentials: SIPCredentials
    private var sessions: [Session] = []

    init(credentials: SIPCredentials) { self.credentials = credentials }

    /// Takes the challenges of a 401 or 407.
    mutating func receive(_ headers: [SIPHeader]) -> Verdict {
        var offers: [DigestChallenge] = []
        for challenge in DigestChallenge.read(headers) {
            if let index = offers.firstIndex(where: { $0.isProxy == challenge.isProxy && $0.realm == challenge.realm }) {
                if challenge.algorithm.rank < offers[index].algorithm.rank { offers[index] = challenge }
            } else {
                offers.append(challenge)
            }
        }
        guard !offers.isEmpty, offers.allSatisfy({ $0.algorithm.digest(of: "") != nil }) else { return .unsupported }
        for offer in offers {
            guard let index = sessions.firstIndex(where: { $0.challenge.isProxy == offer.isProxy && $0.challenge.realm == offer.realm }) else {
                guard sessions.count < Self.maximumRealms else { return .unsupported }
                sessions.append(Session(challenge: offer))
                continue
            }
            let old = sessions[index]
            guard old.isProven || offer.isStale && !old.wasStale else { return .wrongCredentials }
            sessions[index] = Session(challenge: offer, wasStale: !old.isProven)
        }
        return .retry
    }

    /// The request with our answers was accepted.
    mutating func accepted() {
        for index in sessions.indices { sessions[index].isProven = true }
    }

    /// Authorization and Proxy-Authorization for the next request; empty before the first challenge.
    mutating func fields(method: String, uri: String, cnonce: String) -> [(String, String)] {
        sessions.indices.compactMap { index in
            sessions[index].count += 1
            let session = sessions[index]
            guard let value = answer(session.challenge, count: session.count, method: method, uri: uri, cnonce: cnonce) else { return nil }
            return (session.challenge.isProxy ? "Proxy-Authorization" : "Authorization", value)
        }
    }

    private func answer(_ challenge: DigestChallenge, count: UInt32, method: String, uri: String, cnonce: String) -> String? {
        let hash = challenge.algorithm.digest(of:)
        // The hash is over the text without its quoting (RFC 7616 3.4.2).
        guard var secret = hash("\(credentials.username):\(Self.unquoted(challenge.realm)):\(credentials.password)"),
            let request = hash("\(method):\(uri)")
        else { return nil }
        let nonce = Self.unquoted(challenge.nonce)
        if challenge.isSession {
            guard let bound = hash("\(secret):\(nonce):\(cnonce)") else { return nil }
            secret = bound
        }
        let digits = String(count, radix: 16)
        let nonceCount = String(repeating: "0", count: 8 - digits.count) + digits
        let middle = challenge.qop.map { "\(nonceCount):\(cnonce):\($0):" } ?? ""
        guard let response = hash("\(secret):\(nonce):\(middle)\(request)") else { return nil }
        var value = "Digest username=\"\(Self.quotable(credentials.username))\", realm=\"\(challenge.realm)\", nonce=\"\(challenge.nonce)\""
        value += ", uri=\"\(uri)\", response=\"\(response)\""
        if let name = challenge.algorithmName { value += ", algorithm=\(name)" }
        if let opaque = challenge.opaque { value += ", opaque=\"\(opaque)\"" }
        if let qop = challenge.qop {
            value += ", qop=\(qop), nc=\(nonceCount), cnonce=\"\(cnonce)\""
        } else if challenge.isSession {
            value += ", cnonce=\"\(cnonce)\""
        }
        return value
    }

    private static func unquoted(_ text: String) -> String {
        var isEscaped = false
        return String(
            text.filter { character in
                if character == "\\", !isEscaped {
                    isEscaped = true
                    return false
                }
                isEscaped = false
                return true
            })
    }

    private static func quotable(_ text: String) -> String {
        text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
    }
}
