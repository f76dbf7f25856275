import Foundation
import NIOCore
import NIOSSL
import Testing

@testable import Gateway

@Suite("Agent socket: TLS", .timeLimit(.minutes(5)))
struct TrustTests {
    /// Made for this test: self-signed, for `localhost` only, valid from 2020 to 2120.
    private static let key = """
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLHWE2ph0u9xJLoTLuaHscuoHTapFiks/Wnq3DARY0G2hRANCAARn5pejFJkG0ANRev1nZ53suwQ8\
        zCEovxQBBFJEMKqNh9TmLk5BPIFJsKLsMg1sQ3JlAR6B1NRG5S6yGL4caDaK
        """
    private static let certificate = """
        MIIBYTCCAQegAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNV\
        BAMMCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGfml6MUmQbQA1F6/Wdnney7BDzMISi/FAEEUkQwqo2H1OYuTkE8gUmwouwyDWxDcmUBHoHU\
        1EblLrIYvhxoNoqjSDBGMBQGA1UdEQQNMAuCCWxvY2FsaG9zdDAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBThMbLLsGvLUKjxsGoQcviyIl7zUzAKBggqhkjO\
        PQQDAgNIADBFAiAXwFSeLELtggw4inxI9G90u+Iji0fqnTByRRNzmnroXgIhALK/pcOpp5UQndsiV/felLHhZDOiigxGq10kNF5p1Q2K
        """

    private static func bytes(_ base64: String) throws -> [UInt8] { [UInt8](try #require(Data(base64Encoded: base64))) }

    private static func chain() throws -> NIOSSLCertificate { try NIOSSLCertificate(bytes: bytes(certificate), format: .der) }

    private static func server() throws -> NIOSSLContext {
        let key = try NIOSSLPrivateKey(bytes: bytes(key), format: .der)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(certificateChain: [.certificate(chain())], privateKey: .privateKey(key)))
    }

    @Test("a trusted certificate of that name: the call goes through")
    func trusted() async throws {
        let agent = try await SocketAgent(.upgrade(bytes: SocketAgent.text("hello")), tls: Self.server())
        let trust = try AgentTrust.make(.certificates([Self.chain()]))
        let line = try await SocketLine(url: "wss://localhost:\(agent.port)/", trust: trust)
        try await line.open()
        #expect(await line.next() == .opened)
        #expect(await line.next() == .text("hello"))
        try await line.send("hi")
        #expect(await agent.payload(of: 1) == Array("hi".utf8))
        try await agent.close()
        #expect(await line.next() == .closed(code: nil, reason: "it broke off without a Close frame"))
        try await agent.stop()
    }

    @Test("a certificate nobody vouches for is refused")
    func untrusted() async throws {
        let agent = try await SocketAgent(.upgrade(), tls: Self.server())
        let line = try await SocketLine(url: "wss://localhost:\(agent.port)/")
        try await line.open()
        #expect(await line.next() == .closed(code: nil, reason: "its TLS certificate is not trusted"))
        #expect(try await line.rest() == [])
        try await agent.stop()
    }

    @Test("a certificate of another name is refused")
    func otherName() async throws {
        let agent = try await SocketAgent(.upgrade(), tls: Self.server())
        let trust = try AgentTrust.make(.certificates([Self.chain()]))
        let line = try await SocketLine(url: "wss://127.0.0.1:\(agent.port)/", trust: trust)
        try await line.open()
        #expect(await line.next() == .closed(code: nil, reason: "its TLS certificate is for another name"))
        #expect(try await line.rest() == [])
        try await agent.stop()
    }

    @Test("an agent without TLS is refused")
    func plain() async throws {
        let agent = try await SocketAgent(.text("HTTP/1.1 400 Bad Request\r\n\r\n"))
        let line = try await SocketLine(url: "wss://localhost:\(agent.port)/")
        try await line.open()
        // It answers nothing to a ClientHello, in which there is no empty line, until it is sent some HTTP of its own accord.
        try await agent.send(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
        #expect(await line.next() == .closed(code: nil, reason: "it does not speak TLS"))
        try await agent.stop()
    }

    // MARK: Certificates of ours

    /// Wants a certificate that this one vouches for.
    private static func asking() throws -> NIOSSLContext {
        let key = try NIOSSLPrivateKey(bytes: bytes(key), format: .der)
        var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: [.certificate(try chain())], privateKey: .privateKey(key))
        configuration.certificateVerification = .noHostnameVerification
        configuration.trustRoots = .certificates([try chain()])
        return try NIOSSLContext(configuration: configuration)
    }

    /// The same certificate and key as PEM files.
    private static func files() throws -> (folder: URL, Configuration.TLS) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tandem-trust-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        func write(_ name: String, _ label: String, _ base64: String) throws -> String {
            let file = folder.appendingPathComponent(name)
            let text = Data(try bytes(base64)).base64EncodedString(options: .lineLength64Characters)
            try "-----BEGIN \(label)-----\n\(text)\n-----END \(label)-----\n".write(to: file, atomically: true, encoding: .utf8)
            return file.path
        }
        return (folder, Configuration.TLS(certificate: try write("c.pem", "CERTIFICATE", certificate), key: try write("k.pem", "PRIVATE KEY", key)))
    }

    @Test("an agent that asks for our certificate gets it")
    func mutual() async throws {
        let (folder, identity) = try Self.files()
        defer { try? FileManager.default.removeItem(at: folder) }
        let agent = try await SocketAgent(.upgrade(bytes: SocketAgent.text("hello")), tls: Self.asking())
        let trust = try AgentTrust.make(.certificates([Self.chain()]), showing: identity)
        let line = try await SocketLine(url: "wss://localhost:\(agent.port)/", trust: trust)
        try await line.open()
        #expect(await line.next() == .opened)
        #expect(await line.next() == .text("hello"))
        try await agent.close()
        #expect(await line.next() == .closed(code: nil, reason: "it broke off without a Close frame"))
        try await agent.stop()
    }

    @Test("who shows it none is refused")
    func anonymous() async throws {
        let agent = try await SocketAgent(.upgrade(), tls: Self.asking())
        let line = try await SocketLine(url: "wss://localhost:\(agent.port)/", trust: try AgentTrust.make(.certificates([Self.chain()])))
        try await line.open()
        guard case .closed(code: nil, _)? = await line.next() else {
            Issue.record("it was let in")
            return
        }
        try await agent.stop()
    }

    @Test("files that cannot be read are an error")
    func unreadable() {
        #expect(throws: (any Error).self) { try AgentTrust.context(showing: Configuration.TLS(certificate: "/nowhere/c.pem", key: "/nowhere/k.pem")) }
    }
}
