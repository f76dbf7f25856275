import NIOConcurrencyHelpers
import NIOSSL

/// Whom to believe on the far side of `wss://`, and what is shown to agents that ask who calls. Contexts are made once a process.
enum AgentTrust {
    private static let identified = NIOLockedValueBox<[String: NIOSSLContext]>([:])
    /// The system's certificate authorities. Reading them takes some 10 ms.
    private static let system = Result<NIOSSLContext, any Error> { try make(.default) }

    /// - Parameter identity: chain and key of ours; nil to show nothing
    /// - Throws: what reading the files or OpenSSL says
    static func context(showing identity: Configuration.TLS?) throws -> NIOSSLContext {
        guard let identity else { return try system.get() }
        let name = "\(identity.certificate)\u{0}\(identity.key)"
        if let known = identified.withLockedValue({ $0[name] }) { return known }
        let made = try make(.default, showing: identity)
        identified.withLockedValue { $0[name] = made }
        return made
    }

    static func make(_ roots: NIOSSLTrustRoots, showing identity: Configuration.TLS? = nil) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .fullVerification
        configuration.trustRoots = roots
        // Without a choice of HTTP/2, which knows no Upgrade (RFC 9113 8.6).
        configuration.applicationProtocols = ["http/1.1"]
        if let identity {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(identity.certificate).map { .certificate($0) }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: identity.key, format: .pem))
        }
        return try NIOSSLContext(configuration: configuration)
    }

    /// Reads the files now, off the media loops, where the first `wss` call would otherwise do it. What fails here fails that call too,
    /// with the reason.
    static func prepare(_ agents: [Agent]) {
        for agent in agents {
            guard case .socket(let urls, _) = agent.link, urls.contains(where: { $0.lowercased().hasPrefix("wss:") }) else { continue }
            _ = try? context(showing: agent.tls)
        }
    }
}
