/// One Digest challenge (RFC 7616 3.3) that we can answer.
struct DigestChallenge: Sendable, Equatable {
    /// Proxy-Authenticate, else WWW-Authenticate.
    let isProxy: Bool
    /// As in the challenge between its quotes: given back byte for byte.
    let realm: String
    let nonce: String
    let opaque: String?
    let algorithm: DigestAlgorithm
    /// The name as it came; nil if there was none.
    let algorithmName: String?
    /// Our choice: `auth` if it is offered, nil for the form of RFC 2069.
    let qop: String?
    let isStale: Bool

    var isSession: Bool { algorithmName?.lowercased().hasSuffix("-sess") == true }

    /// Every challenge of a response that we can answer. Other schemes, unknown algorithms and `auth-int` alone are left out.
    static func read(_ headers: [SIPHeader]) -> [DigestChallenge] {
        headers.filter { $0.key == "www-authenticate" || $0.key == "proxy-authenticate" }.flatMap { header in
            schemes(header.value).compactMap { scheme in
                scheme.name.lowercased() == "digest" ? DigestChallenge(scheme.parameters, isProxy: header.key == "proxy-authenticate") : nil
            }
        }
    }

    private init?(_ parameters: [String: String], isProxy: Bool) {
        guard let realm = parameters["realm"], let nonce = parameters["nonce"], let algorithm = DigestAlgorithm(parameters["algorithm"]),
            realm.utf8.count + nonce.utf8.count <= Self.maximumLength
        else { return nil }
        var qop: String?
        if let offered = parameters["qop"], !offered.isEmpty {
            let names = offered.lowercased().split { $0 == "," || $0 == " " }
            guard names.contains("auth") else { return nil }
            qop = "auth"
        }
        self.isProxy = isProxy
        self.realm = realm
        self.nonce = nonce
        self.algorithm = algorithm
        self.qop = qop
        algorithmName = parameters["algorithm"]
        opaque = parameters["opaque"]
        isStale = parameters["stale"]?.lowercased() == "true"
    }

    /// Of realm and nonce together: they go into every request.
    private static let maximumLength = 2_048

    /// `Name a=b, c="d"`, and further ones in the same field, which RFC 3261 does not allow and servers send.
    private static func schemes(_ value: [UInt8]) -> [(name: String, parameters: [String: String])] {
        var scanner = ByteScanner(value)
        var schemes: [(name: String, parameters: [String: String])] = []
        while true {
            _ = scanner.take { $0 == 32 || $0 == 9 || $0 == UInt8(ascii: ",") }
            guard let word = scanner.token() else { return schemes }
            scanner.skipWhitespace()
            if scanner.take(UInt8(ascii: "=")) {
                scanner.skipWhitespace()
                var text: String
                if scanner.peek == UInt8(ascii: "\"") {
                    guard let quoted = scanner.quotedString() else { return schemes }
                    text = String(decoding: quoted.dropFirst().dropLast(), as: UTF8.self)
                } else {
                    text = String(decoding: scanner.take { $0 > 32 && $0 != UInt8(ascii: ",") }, as: UTF8.self)
                }
                guard !schemes.isEmpty else { return [] }
                schemes[schemes.count - 1].parameters[word.lowercased()] = text
            } else {
                schemes.append((word, [:]))
            }
        }
    }
}
