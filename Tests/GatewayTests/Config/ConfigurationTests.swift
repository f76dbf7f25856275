import Dialplan
import Foundation
import Testing

@testable import Gateway

@Suite("Configuration")
struct ConfigurationTests {
    @Test("an empty file is every default", arguments: ["", "{}", "http:\nbrowser:\nsip:\nmedia:\ntrunks:\nagents:\nlimits:\ncalls:\nlog:\n"])
    func defaults(text: String) throws {
        let loaded = try ConfigurationFolder.load(text)
        #expect(loaded.problems == [])
        let configuration = try #require(loaded.configuration)
        #expect(configuration.http.listen == .init(host: "127.0.0.1", port: 8080))
        #expect(configuration.http.origins == [])
        #expect(configuration.browser.listen == .init(host: "0.0.0.0", port: 40000))
        #expect(configuration.browser.advertise == nil && configuration.browser.agc == .off)
        #expect(configuration.sip.listen.map(\.description) == ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"])
        #expect(configuration.sip.rtpPorts == 20000...29999)
        #expect(configuration.media.loops == nil)
        #expect(!configuration.media.realtime)
        #expect(configuration.media.opus.trunk == .init(bitrate: 24000, complexity: 1))
        #expect(configuration.media.opus.agent == .init(bitrate: 24000, complexity: 5))
        #expect(configuration.trunks.isEmpty && configuration.agents.isEmpty)
        #expect(configuration.dialplan.hasSuffix("/dialplan.yaml"))
        #expect(configuration.limits.maxCalls == 1000 && configuration.limits.drainSeconds == 300)
        #expect(configuration.log.level == .info && configuration.log.format == .text)
    }

    @Test("every key that works is read")
    func everything() throws {
        let text = """
            http: { listen: "[::1]:0", origins: ["https://Shop.Example", "http://a.example:8080", "https://b.example:443"] }
            browser: { listen: 192.0.2.1:50000, advertise: [203.0.113.10, "2001:db8::1"], agc: auto }
            sip: { listen: ["udp:0.0.0.0:0", "TCP:[::]:5070"], advertise: 203.0.113.11, rtp_ports: 10000-10099 }
            media: { loops: 2, opus: { trunk: { bitrate: 16000, complexity: 0 }, agent: { complexity: 10 } } }
            trunks:
              acme:
                hosts: ["sip:198.51.100.7:5060;transport=udp", "sips:[2001:db8::7]", "sip:pbx.example"]
                accept_from: [198.51.100.0/28, "2001:db8::/32", 192.0.2.7]
                codecs: [PCMA, pcmu]
                dtmf: rfc4733
                srtp: off
                echo: off
                agc: auto
                country: "44"
                max_calls: 7
                max_calls_per_second: 3
            agents:
              parrot: { builtin: parrot }
              bot: { url: "wss://agents.example:8443/media?x=1", protocol: twilio, token: abc }
            limits: { max_calls: 5, drain_seconds: 0 }
            log: { level: debug, format: json }
            dialplan: plans/main.yaml
            """
        let folder = try ConfigurationFolder(["tandem.yaml": text])
        try FileManager.default.createDirectory(atPath: folder.path + "/plans", withIntermediateDirectories: true)
        try Data("routes: [{ name: all, do: [{ agent: bot }] }]".utf8).write(to: URL(fileURLWithPath: folder.path + "/plans/main.yaml"))
        let loaded = folder.load()
        #expect(loaded.problems == [])
        let configuration = try #require(loaded.configuration)
        #expect(configuration.http.listen == .init(host: "::1", port: 0))
        #expect(configuration.http.listen.description == "[::1]:0")
        #expect(configuration.http.origins == ["https://shop.example", "http://a.example:8080", "https://b.example"])
        #expect(configuration.browser.advertise == ["203.0.113.10", "2001:db8::1"] && configuration.browser.agc == .auto)
        #expect(configuration.sip.listen.map(\.description) == ["udp:0.0.0.0:0", "tcp:[::]:5070"])
        #expect(configuration.sip.advertise == "203.0.113.11")
        #expect(configuration.sip.rtpPorts == 10000...10099)
        #expect(configuration.media.loops == 2)
        #expect(configuration.media.opus.agent == .init(bitrate: 24000, complexity: 10))
        let trunk = try #require(configuration.trunk(named: "acme"))
        #expect(trunk.hosts.map(\.host) == ["198.51.100.7", "2001:db8::7", "pbx.example"])
        #expect(trunk.hosts.map(\.port) == [5060, nil, nil])
        #expect(trunk.hosts.map(\.transport) == [.udp, nil, nil])
        #expect(trunk.hosts.map(\.isSecure) == [false, true, false])
        #expect(trunk.codecs == [.pcma, .pcmu])
        #expect(trunk.country == "44" && trunk.maxCalls == 7 && trunk.maxCallsPerSecond == 3)
        #expect(trunk.dtmf == .rfc4733 && trunk.echo == .off && trunk.agc == .auto && trunk.srtp == .off)
        #expect(configuration.agent(named: "parrot")?.link == .builtin(.parrot))
        #expect(configuration.agent(named: "bot")?.link == .socket(urls: ["wss://agents.example:8443/media?x=1"], .twilio))
        #expect(configuration.agent(named: "bot")?.token == "abc")
        #expect(loaded.plan?.routes.map(\.name) == ["all"])
    }

    @Test func agentsAreWatchedSpreadAndDescribedByWebhooks() throws {
        let loaded = try ConfigurationFolder.load(
            """
            agents:
              model:
                urls: ["wss://a.example/", "wss://b.example/"]
                protocol: openai
                spread: least_loaded
                first_audio_seconds: 5
                answer_seconds: 15
                webhook: https://agents.example/session
                webhook_secret: hush
              plain: { url: "wss://c.example/" }
              native: { url: "wss://d.example/", protocol: tandem, secret: hush, tls: { certificate: c.pem, key: k.pem } }
            """)
        #expect(loaded.problems == [])
        #expect(loaded.configuration?.agent(named: "native")?.secret == "hush")
        #expect(loaded.configuration?.agent(named: "native")?.tls?.certificate.hasSuffix("/c.pem") == true)
        let agent = try #require(loaded.configuration?.agent(named: "model")), plain = try #require(loaded.configuration?.agent(named: "plain"))
        #expect(agent.spread == .leastLoaded && agent.firstAudioSeconds == 5 && agent.answerSeconds == 15)
        #expect(agent.webhook == "https://agents.example/session" && agent.webhookSecret == "hush")
        #expect(plain.spread == .standby && plain.firstAudioSeconds == 0 && plain.answerSeconds == 0 && plain.webhookSecret == nil)
    }

    @Test("the longest prefix of all trunks decides whose call it is", arguments: [
        ("198.51.100.7", "wide"), ("198.51.100.17", "narrow"), ("198.51.100.18", "exact"), ("203.0.113.5", nil), ("2001:db8::1", "six"),
        ("2001:db9::1", nil), ("::ffff:198.51.100.18", "exact"), ("192.0.2.9", "hosts"), ("192.0.2.10", nil), ("localhost", nil), ("", nil),
        ("fe80::1%eth0", "link"),
    ] as [(String, String?)])
    func trunkOfAddress(ip: String, name: String?) throws {
        let loaded = try ConfigurationFolder.load(
            """
            trunks:
              wide: { accept_from: [198.51.100.0/24] }
              narrow: { accept_from: [198.51.100.16/28] }
              exact: { accept_from: [198.51.100.18] }
              six: { accept_from: ["2001:db8::/32"] }
              link: { accept_from: ["fe80::/10"] }
              hosts: { hosts: ["sip:192.0.2.9:5060", "sip:192.0.2.9:5080"] }
            """)
        #expect(loaded.problems == [])
        #expect(try #require(loaded.configuration).trunk(for: ip)?.name == name)
    }

    @Test("nobody may call in as a trunk that says so")
    func emptyAcceptFrom() throws {
        let loaded = try ConfigurationFolder.load("trunks: { a: { hosts: [\"sip:192.0.2.9\"], accept_from: [] } }")
        #expect(loaded.problems == [])
        #expect(loaded.configuration?.trunk(for: "192.0.2.9") == nil)
    }

    @Test("addresses and blocks", arguments: [
        ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false), ("0.0.0.0/0", "203.0.113.1", true), ("0.0.0.0/0", "2001:db8::1", false),
        ("::/0", "2001:db8::1", true), ("127.0.0.0/8", "127.0.0.1", true), ("2001:db8::/33", "2001:db8:8000::", false), ("::1", "::1", true),
        ("192.0.2.1/32", "192.0.2.1", true), ("192.0.2.1/32", "192.0.2.01", false), ("192.0.2.0/31", "192.0.2.1", true),
    ])
    func blocks(block: String, ip: String, isInside: Bool) throws {
        #expect(try CIDR(block).contains(ip) == isInside)
    }

    @Test("agents fill the plan's context, and the plan's problems come after the configuration's")
    func bothFiles() throws {
        let loaded = try ConfigurationFolder.load(
            "agents: { demo: { builtin: parrot } }\nlog: { level: loud }\n",
            ["dialplan.yaml": "routes:\n- { name: a, do: [{ agent: demo }] }\n- { name: b, do: [{ agent: other }] }\n"])
        #expect(loaded.configuration == nil && loaded.plan == nil)
        #expect(loaded.problems == [
            "tandem.yaml:2:15: error: level must be trace, debug, info, notice, warning, error or critical, not “loud”",
            "dialplan.yaml:3:28: error: there is no agent “other”",
        ])
    }

    @Test("a dial plan that is not there is reported where it is named")
    func missingPlan() throws {
        let folder = try ConfigurationFolder(["tandem.yaml": "log:\n  level: info\ndialplan: none.yaml\n", "empty.yaml": ""])
        #expect(folder.load().problems == ["tandem.yaml:3:11: error: the dial plan “none.yaml” cannot be read: No such file or directory"])
        #expect(folder.load("empty.yaml").problems == ["empty.yaml:1:1: error: the dial plan “dialplan.yaml” cannot be read: No such file or directory"])
        #expect(folder.load().plan == nil)
    }

    @Test("a configuration that is not there, or is a folder")
    func missingFile() throws {
        let folder = try ConfigurationFolder([:])
        #expect(folder.load("x.yaml").problems == ["x.yaml:1:1: error: cannot be read: No such file or directory"])
        #expect(Configuration.load(path: folder.path, environment: [:]).problems.map(\.message) == ["cannot be read: Is a directory"])
    }

    @Test("relative paths start at the file's folder", arguments: [
        ("conf/tandem.yaml", "a.yaml", "conf/a.yaml"), ("tandem.yaml", "a.yaml", "a.yaml"), ("conf/tandem.yaml", "/etc/a", "/etc/a"),
        ("/etc/tandem/t.yaml", "../data/x", "/etc/tandem/../data/x"),
    ])
    func paths(file: String, path: String, expected: String) {
        #expect(ConfigurationFile.resolve(path, besides: file) == expected)
    }
}
