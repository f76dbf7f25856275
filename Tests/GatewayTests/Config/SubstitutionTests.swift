import Foundation
import Testing

@testable import Gateway

@Suite("Environment and secrets")
struct SubstitutionTests {
    @Test("variables are put into scalars after parsing")
    func variables() throws {
        let loaded = try ConfigurationFolder.load(
            "http: { listen: \"${HOST}:${PORT}\" }\nagents: { a: { url: \"wss://x\", token: \"${T}-$${T}-$x-$\" } }\nlimits: { max_calls: \"${N}\" }\n",
            environment: ["HOST": "127.0.0.1", "PORT": "9", "T": "a: [b] # c", "N": "12"])
        #expect(loaded.problems == [])
        let configuration = try #require(loaded.configuration)
        #expect(configuration.http.listen.description == "127.0.0.1:9")
        #expect(configuration.agents[0].token == "a: [b] # c-${T}-$x-$")
        #expect(configuration.limits.maxCalls == 12)
    }

    @Test("a value is put in once, it is not looked into again")
    func notRecursive() throws {
        let loaded = try ConfigurationFolder.load("agents: { a: { url: \"wss://x\", token: \"${A}\" } }", environment: ["A": "${A}${B}"])
        #expect(loaded.configuration?.agents[0].token == "${A}${B}")
    }

    @Test("what cannot be substituted is an error at its place", arguments: [
        ("dialplan: \"${NOPE}\"", "1:11: error: the environment variable NOPE is not set"),
        ("dialplan: \"x${A\"", "1:11: error: ${ without its }; write $${ for a literal one"),
        ("dialplan: \"${A B}\"", "1:11: error: “A B” is not the name of an environment variable"),
        ("dialplan: \"${}\"", "1:11: error: “” is not the name of an environment variable"),
        ("log: { level: \"${EMPTY}\" }", "1:15: error: level has no value"),
    ])
    func refused(text: String, expected: String) throws {
        let loaded = try ConfigurationFolder.load(text, environment: ["A": "a", "EMPTY": ""])
        #expect(loaded.configuration == nil)
        #expect(loaded.problems.first == "tandem.yaml:\(expected)")
    }

    @Test("secrets come from files without their line break", arguments: [("s3cret", "s3cret"), ("s3cret\n", "s3cret"), ("s3cret\r\n", "s3cret"), ("s3\ncret\n\n", "s3\ncret\n")])
    func files(content: String, expected: String) throws {
        let loaded = try ConfigurationFolder.load(
            "agents: { a: { url: \"wss://x\", token: { file: \"${DIR}token\" } } }", environment: ["DIR": "./"], ["token": content])
        #expect(loaded.problems == [])
        #expect(loaded.configuration?.agents[0].token == expected)
    }

    @Test("secret files that cannot be used", arguments: [
        ("{ file: none }", "1:47: error: the file of token cannot be read: No such file or directory"),
        ("{ file: empty }", "1:47: error: the file of token is empty"),
        ("{ file: large }", "1:47: error: the file of token is no text of at most 64 KiB"),
        ("{ path: x }", "1:41: error: unknown key “path” in token (known here: file)"),
        ("{}", "1:39: error: token must be text or { file: path }"),
        ("[a]", "1:39: error: token must be a single value, not a list"),
    ])
    func refusedFiles(text: String, expected: String) throws {
        let loaded = try ConfigurationFolder.load(
            "agents: { a: { url: \"wss://x\", token: \(text) } }", ["empty": "\n", "large": String(repeating: "x", count: 65537)])
        #expect(loaded.configuration == nil)
        #expect(loaded.problems.contains("tandem.yaml:\(expected)"), "\(loaded.problems)")
    }

    @Test("no message ever shows what came from outside, or what is secret", arguments: [
        "http: { listen: \"${S}\" }", "limits: { max_calls: \"${S}\" }", "log: { level: \"x${S}\" }", "http: { admin_token: [hunter2] }",
        "browser: { auth: { jwt_secret: { x: hunter2 } } }", "sip: { rtp_ports: \"${S}\" }", "trunks: { a: { accept_from: [\"${S}\"], country: \"${S}\" } }",
        "trunks: { a: { hosts: [\"sip:${S}@x\"], password: [hunter2] } }", "agents: { a: { url: \"wss://${S}@x\", token: hunter2, protocol: \"${S}\" } }",
        "browser: { turn: { urls: [\"turn:${S}@x\"], secret: { file: a, b: hunter2 } } }", "calls: { database: \"mysql://u:${S}@h\" }",
        "agents: { a: { url: \"wss://u:hunter2@x\" } }",
    ])
    func secrecy(text: String) throws {
        let loaded = try ConfigurationFolder.load(text, environment: ["S": "hunter2"])
        #expect(loaded.configuration == nil)
        #expect(!loaded.problems.isEmpty)
        #expect(loaded.problems.allSatisfy { !$0.contains("hunter2") }, "\(loaded.problems)")
    }
}
